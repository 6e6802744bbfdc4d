"""RWKV-6 "Finch" time mixing (Peng et al. 2024, arXiv:2404.05892).

Shapes: B batch, T time, D width, H heads, K head width, N chunks, C bytes of a chunk, R rank.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.knobs import Span, knob
from bench.layers import Linear, Role
from bench.skeleton import Context, Site

# Bytes that one product covers, at most.
CHUNK = 16
# A channel keeps at least exp(-4.5), a hundredth, of its state: over a chunk that is exp(-72), and the two factors
# that carry half of it each stay far inside single precision.
FASTEST = 4.5
# Scale of the data-dependent terms, so that they start small beside the fixed ones, as the authors' do.
REACH = 0.1
# What the authors' group norm adds to the variance, 8^2 times the usual.
NORM_EPS = 64e-5


@dataclass(frozen=True, kw_only=True)
class Rwkv6:
    """Each head keeps a matrix of what was read, fading by a rate per channel that every byte sets anew.

    What is read of a byte is mixed with the byte before it first, by shares that depend on both. Decays are bounded by
    a sigmoid where the paper has an exponential; its channel mixing is the feed-forward's slot.
    """

    slot: ClassVar = "mixer"
    name: ClassVar = "rwkv6"
    source: ClassVar = "arXiv:2404.05892"
    points: ClassVar = frozenset[str]()

    mix_rank: int = knob(8, Span(2, 8), "numbers that set the shares of the byte before, for each of five uses")
    decay_rank: int = knob(16, Span(4, 32), "numbers that set the decay of all channels")

    def build(self, site: Site, modifiers: Sequence[nn.Module] = ()) -> nn.Module:
        return Rwkv6Mixer(site, self.mix_rank, self.decay_rank)

    def flops(self, site: Site) -> int:
        """Projections, and per head: products within a chunk, the chunk's matrix, the product with the one before."""
        return 2 * self._linear(site) + 4 * site.width * (chunk_of(site.seq_len) + site.head_width)

    def parameters(self, site: Site) -> int:
        return self._linear(site) + 10 * site.width

    def _linear(self, site: Site) -> int:
        return 5 * site.width**2 + 10 * site.width * self.mix_rank + 2 * site.width * self.decay_rank


class Rwkv6Mixer(nn.Module):
    vectors = ("share_5D",)

    def __init__(self, site: Site, mix_rank: int, decay_rank: int) -> None:
        super().__init__()
        width, self.n_head = site.width, site.n_head
        # early layers lean on the byte before, and channels differ from all of it to none
        spread_D = torch.linspace(0, 1, width)
        share_D = 1 - spread_D ** (1 - site.layer / site.n_layer)
        self.first_share_D = nn.Parameter(share_D.clone())
        self.share_5D = nn.Parameter(share_D.repeat(5, 1))
        self.mix_down = Linear(width, 5 * mix_rank)
        self.mix_up = nn.ModuleList(Linear(mix_rank, width) for _ in range(5))
        self.receptance, self.key, self.value, self.gate = (Linear(width, width) for _ in range(4))
        # memories of 400 bytes to three, as the authors start
        self.decay_D = nn.Parameter(-7.5 + 5 * spread_D)
        self.decay_down = Linear(width, decay_rank)
        self.decay_up = Linear(decay_rank, width)
        self.bonus_D = nn.Parameter(1 - spread_D)
        self.norm_gain_D = nn.Parameter(torch.ones(width))
        self.norm_shift_D = nn.Parameter(torch.zeros(width))
        self.output = Linear(width, width, Role.OUTPUT)

    def forward(self, x_BTD: Tensor, context: Context) -> Tensor:
        B, T, D = x_BTD.shape
        heads = (B, T, self.n_head, D // self.n_head)
        for_r, for_k, for_v, for_g, for_w = self._mixed(x_BTD)
        decay_BTD = self.decay_D + REACH * self.decay_up(self.decay_down(for_w).tanh())
        # a bound with a slope everywhere, so that no channel gets stuck at it
        log_decay_BTD = -FASTEST * decay_BTD.sigmoid()
        r_BTHK, k_BTHK, v_BTHK = (
            part(read).view(heads) for part, read in ((self.receptance, for_r), (self.key, for_k), (self.value, for_v))
        )
        y_BTHK = fading_memory(r_BTHK, k_BTHK, v_BTHK, log_decay_BTD.view(heads), self.bonus_D.view(heads[2:]))
        y_BTD = F.layer_norm(y_BTHK, heads[3:], eps=NORM_EPS).reshape(B, T, D)
        y_BTD = torch.addcmul(self.norm_shift_D, y_BTD, self.norm_gain_D)
        added_BTD: Tensor = self.output(y_BTD * F.silu(self.gate(for_g)))
        return added_BTD

    def _mixed(self, x_BTD: Tensor) -> list[Tensor]:
        """For each use the byte and the one before it, interpolated by shares that depend on both."""
        change_BTD = F.pad(x_BTD[:, :-1], (0, 0, 1, 0)) - x_BTD
        low = self.mix_down(torch.addcmul(x_BTD, change_BTD, self.first_share_D)).tanh().chunk(5, -1)
        return [
            torch.addcmul(x_BTD, change_BTD, torch.add(share_D, up(low_BTR), alpha=REACH))
            for share_D, up, low_BTR in zip(self.share_5D, self.mix_up, low, strict=True)
        ]


def fading_memory(r_BTHK: Tensor, k_BTHK: Tensor, v_BTHK: Tensor, log_decay_BTHK: Tensor, bonus_HK: Tensor) -> Tensor:
    """`y = r (S + bonus k v')` and then `S = decay S + k v'`, for each head from zero; decay acts on S's rows.

    In chunks: within one, every pair of bytes in a product, each side carrying the decay from or to the chunk's middle;
    between them, the matrix S.
    """
    B, T, H, K = r_BTHK.shape
    C = chunk_of(T)
    r, k, v, log_decay = (
        part.view(B, T // C, C, H, K).transpose(2, 3) for part in (r_BTHK, k_BTHK, v_BTHK, log_decay_BTHK)
    )
    passed_BNHCK = log_decay.cumsum(3)
    half_BNH1K = passed_BNHCK[..., -1:, :] / 2
    from_middle = r * (passed_BNHCK - log_decay - half_BNH1K).exp()
    to_middle = k * (half_BNH1K - passed_BNHCK).exp()
    scores_BNHCC = (from_middle @ to_middle.mT).tril(-1)
    own_BNHC1 = (r * k * bonus_HK[:, None]).sum(-1, keepdim=True)
    half_BNHK1 = half_BNH1K.mT.exp()
    before_BNHKK = _before_each(half_BNHK1, to_middle.mT @ v)
    y_BNHCK = scores_BNHCC @ v + own_BNHC1 * v + from_middle @ (half_BNHK1 * before_BNHKK)
    return y_BNHCK.transpose(2, 3).reshape(B, T, H, K)


def _before_each(half_BNHK1: Tensor, added_BNHKK: Tensor) -> Tensor:
    """The memory that each chunk finds: what a chunk adds fades over its second half, what it found over both."""
    S_BHKK = torch.zeros_like(added_BNHKK[:, 0])
    found = []
    for half_BHK1, added_BHKK in zip(half_BNHK1.unbind(1), added_BNHKK.unbind(1), strict=True):
        found.append(S_BHKK)
        S_BHKK = half_BHK1 * torch.addcmul(added_BHKK, half_BHK1, S_BHKK)
    return torch.stack(found, 1)


def chunk_of(T: int) -> int:
    """The longest chunk that divides T: no byte of padding, so the declared FLOPs are exact at every length."""
    return max(C for C in range(1, CHUNK + 1) if T % C == 0)


def rwkv6_reference(r_BTHK: Tensor, k_BTHK: Tensor, v_BTHK: Tensor, log_decay_BTHK: Tensor, bonus_HK: Tensor) -> Tensor:
    """The recurrence byte by byte."""
    B, T, H, K = r_BTHK.shape
    S_BHKK = r_BTHK.new_zeros(B, H, K, K)
    outputs = []
    for t in range(T):
        added_BHKK = k_BTHK[:, t, :, :, None] * v_BTHK[:, t, :, None]
        seen_BHKK = S_BHKK + bonus_HK[..., None] * added_BHKK
        outputs.append((r_BTHK[:, t, :, :, None] * seen_BHKK).sum(2))
        S_BHKK = log_decay_BTHK[:, t, :, :, None].exp() * S_BHKK + added_BHKK
    return torch.stack(outputs, 1)
