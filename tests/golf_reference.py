"""The golf baseline as its description reads, slow and in float64.

Shapes: T time, D width, K channels of a head.
"""

import math

import torch

HEADS, GROUPS, WIDTH = 4, 2, 16  # of queries, of keys and values, channels of a head


def reference(model, tokens_T, order=None):
    """Logits of one sequence as techniques.md 1.1 reads, in float64 and one head and position at a time.

    With an order, blocks are passed through in it; a skip reads what its block gave last.
    """
    blocks = ByFormula(model)
    x = x0 = blocks.embedded(tokens_T)
    given = {}
    for i in range(len(model.blocks)) if order is None else order:
        x = blocks.with_x0(i, blocks.with_skip(i, x, given), x0)
        x = x + blocks.mixed(i, x)
        x = x + blocks.fed(i, x)
        given[i] = x
    return blocks.logits(x)


def rms(x):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + torch.finfo(torch.float32).eps)


class ByFormula:
    """What a model's blocks do, one method for each line of the description."""

    def __init__(self, model):
        self.weights = {name: p.double() for name, p in model.named_parameters()}
        self.half = len(model.blocks) // 2

    def of(self, i, name):
        return self.weights[f"blocks.{i}.{name}"]

    def embedded(self, tokens_T):
        return rms(self.weights["embedding.weight"][tokens_T])

    def logits(self, x):
        return 30 * torch.tanh(rms(x) @ self.weights["embedding.weight"].T / 30)

    def with_skip(self, i, x, given):
        partner = 2 * self.half - 1 - i
        return x + self.of(i, "modifiers.stream.0.weight") * given[partner] if i >= self.half and partner >= 0 else x

    def with_x0(self, i, x, x0):
        ends = f"blocks.{i}."
        mix = next(n.removesuffix(".stream") for n in self.weights if n.startswith(ends) and n.endswith(".stream"))
        return self.weights[f"{mix}.stream"] * x + self.weights[f"{mix}.embedding"] * x0

    def mixed(self, i, x):
        """What the mixer adds, its norm and scale included."""
        return self.of(i, "modifiers.added_mixer.0.scale") * self.attention(i, rms(x))

    def fed(self, i, x):
        """What the feed-forward adds, its norm and scale included."""
        hidden = (rms(x) @ self.of(i, "ffn.up.weight").T).clamp_min(0) ** 2
        return self.of(i, "modifiers.added_ffn.0.scale") * (hidden @ self.of(i, "ffn.down.weight").T)

    def attention(self, i, h_TD):
        q, k, v = (h_TD @ self.of(i, f"mixer.{part}.weight").T for part in ("query", "key", "value"))
        gain = self.of(i, "mixer.queries.0.gain")
        heads = []
        for head in range(HEADS):
            group = head * GROUPS // HEADS
            q_TK = turned(rms(q[:, head * WIDTH : (head + 1) * WIDTH])) * gain[head]
            k_TK = turned(rms(k[:, group * WIDTH : (group + 1) * WIDTH]))
            rows = []
            for t in range(len(h_TD)):
                shares = ((k_TK[: t + 1] @ q_TK[t]) / math.sqrt(WIDTH)).softmax(0)
                rows.append(shares @ v[: t + 1, group * WIDTH : (group + 1) * WIDTH])
            heads.append(torch.stack(rows))
        return torch.cat(heads, 1) @ self.of(i, "mixer.output.weight").T


def turned(x_TK):
    T, K = x_TK.shape
    out = []
    for t in range(T):
        angles = [t * 10_000 ** (-2 * j / K) for j in range(K // 2)]
        # the model's tables are in single precision
        cos, sin = (torch.tensor([f(angle) for angle in angles]).to(x_TK.dtype) for f in (math.cos, math.sin))
        a, b = x_TK[t, : K // 2], x_TK[t, K // 2 :]
        out.append(torch.cat((a * cos + b * sin, b * cos - a * sin)))
    return torch.stack(out)
