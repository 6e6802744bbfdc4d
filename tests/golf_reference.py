"""The golf baseline as its description reads, slow and in float64.

Shapes: T time, D width, K channels of a head.
"""

import math

import torch


def reference(model, tokens_T, order=None):
    """Logits of one sequence as techniques.md 1.1 reads, in float64 and one head and position at a time.

    With an order, blocks are passed through in it; a skip reads what its block gave last.
    """
    weights = {name: p.detach().double() for name, p in model.named_parameters()}

    def rms(x):
        return x / torch.sqrt((x * x).mean(-1, keepdim=True) + torch.finfo(torch.float32).eps)

    def turned(x_TK):
        T, K = x_TK.shape
        out = torch.empty_like(x_TK)
        for t in range(T):
            for j in range(K // 2):
                angle = t * 10_000 ** (-2 * j / K)
                a, b = x_TK[t, j], x_TK[t, j + K // 2]
                out[t, j] = a * math.cos(angle) + b * math.sin(angle)
                out[t, j + K // 2] = -a * math.sin(angle) + b * math.cos(angle)
        return out

    def attention(h_TD, of):
        H, K = 4, 16
        q, k, v = (h_TD @ weights[f"{of}mixer.{part}.weight"].T for part in ("query", "key", "value"))
        gain = weights[f"{of}mixer.queries.0.gain"]
        heads = []
        for head in range(H):
            group = head * 2 // H
            q_TK = turned(rms(q[:, head * K : (head + 1) * K])) * gain[head]
            k_TK = turned(rms(k[:, group * K : (group + 1) * K]))
            rows = []
            for t in range(len(h_TD)):
                shares = ((k_TK[: t + 1] @ q_TK[t]) / math.sqrt(K)).softmax(0)
                rows.append(shares @ v[: t + 1, group * K : (group + 1) * K])
            heads.append(torch.stack(rows))
        return torch.cat(heads, 1) @ weights[f"{of}mixer.output.weight"].T

    embedding = weights["embedding.weight"]
    x = x0 = rms(embedding[tokens_T])
    n_layer = len(model.blocks)
    half, given = n_layer // 2, {}
    for i in range(n_layer) if order is None else order:
        of = f"blocks.{i}."
        own = {name.removeprefix(of): w for name, w in weights.items() if name.startswith(of)}
        if i >= half and (partner := 2 * half - 1 - i) >= 0:
            x = x + own["modifiers.stream.0.weight"] * given[partner]
        mix = next(name.rpartition(".")[0] for name in own if name.endswith(".stream"))
        x = own[f"{mix}.stream"] * x + own[f"{mix}.embedding"] * x0
        x = x + own["modifiers.added_mixer.0.scale"] * attention(rms(x), of)
        hidden = (rms(x) @ own["ffn.up.weight"].T).clamp_min(0) ** 2
        x = x + own["modifiers.added_ffn.0.scale"] * (hidden @ own["ffn.down.weight"].T)
        given[i] = x
    return 30 * torch.tanh(rms(x) @ embedding.T / 30)
