"""What each step trains on, and the streams of random numbers that a run draws from.

Shapes: B batch, T time.
"""

import hashlib
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from bench.config import Budget
from bench.data.corpus import Corpus
from bench.data.shards import Visits, rank_span
from bench.data.tokens import TokenCorpus
from bench.ranks import ALONE, CPU, Ranks
from bench.training import Draw


def batches(
    corpus: Corpus | TokenCorpus,
    budget: Budget,
    plan: Callable[[int, float, Budget], tuple[int, int]],
    seed: int,
    n_spans: int = 1,
    ranks: Ranks = ALONE,
    visits: Visits | None = None,
) -> Draw:
    """Inputs and targets [batch, seq_len] of a step, the same for every config with this seed; a rank's part of them.

    Where the plan asks for shorter sequences each span of the batch is cut in pieces, for fewer its first are taken.
    Shards are read in their order, unless `visits` says which places of them a step reads.
    """
    drawn = (
        windows(corpus, budget, seed)
        if isinstance(corpus, Corpus)
        else spans(corpus, budget, n_spans, ranks)
        if visits is None
        else visited(corpus, budget, n_spans, ranks, visits)
    )

    def draw(step: int, n_steps: float) -> tuple[Tensor, Tensor]:
        batch, seq_len = plan(step, n_steps, budget)
        taken = []
        for span in drawn(step):
            x_BT, y_BT = (pieces(t, seq_len) if seq_len < budget.seq_len else t for t in span)
            taken.append((x_BT[: max(1, batch // n_spans)], y_BT[: max(1, batch // n_spans)]))
        x_BT, y_BT = (torch.cat(side) for side in zip(*taken, strict=True))
        return x_BT.to(ranks.device), y_BT.to(ranks.device)

    return draw


def spans(
    corpus: TokenCorpus, budget: Budget, n_spans: int, ranks: Ranks
) -> Callable[[int], list[tuple[Tensor, Tensor]]]:
    """The shards in order, a step after the other, whatever the seed (techniques.md 1.5).

    A step's batch is so many disjoint stretches. Pass k of R ranks takes numbers kR to kR + R - 1, one each, so that
    any number of ranks trains on the same tokens.
    """
    own = range(ranks.rank, n_spans, ranks.size)
    n = budget.batch // n_spans * budget.seq_len

    def draw(step: int) -> list[tuple[Tensor, Tensor]]:
        stretches = [torch.from_numpy(rank_span(corpus.train, step, number, n_spans, n)) for number in own]
        return [(s[:-1].view(-1, budget.seq_len), s[1:].view(-1, budget.seq_len)) for s in stretches]

    return draw


def visited(
    corpus: TokenCorpus, budget: Budget, n_spans: int, ranks: Ranks, visits: Visits
) -> Callable[[int], list[tuple[Tensor, Tensor]]]:
    """Sequences from chosen places, dealt out to the spans of a batch in turn: any number of ranks has the same."""
    shards, T = corpus.train.shards, budget.seq_len
    visit = visits([len(shard) for shard in shards], T)

    def draw(step: int) -> list[tuple[Tensor, Tensor]]:
        rows = [shards[number][at : at + T + 1].astype(np.int64) for number, at in visit(step, budget.batch)]
        own = [torch.from_numpy(np.stack(rows[n::n_spans])) for n in range(ranks.rank, n_spans, ranks.size)]
        return [(rows_BT[:, :-1], rows_BT[:, 1:]) for rows_BT in own]

    return draw


def windows(corpus: Corpus, budget: Budget, seed: int) -> Callable[[int], list[tuple[Tensor, Tensor]]]:
    """Windows drawn uniformly from the train bytes, all of them one span."""
    drawing = generator(seed, "batches")
    train_bytes = torch.tensor(corpus.train)
    offsets = torch.arange(budget.seq_len + 1)
    last_start = len(corpus.train) - budget.seq_len

    def draw(step: int) -> list[tuple[Tensor, Tensor]]:
        starts = torch.randint(last_start, (budget.batch, 1), generator=drawing)
        window_BT = train_bytes[starts + offsets].long()
        return [(window_BT[:, :-1], window_BT[:, 1:])]

    return draw


def pieces(x_BT: Tensor, seq_len: int) -> Tensor:
    """Each row cut into sequences of that length; what is left over at a row's end is dropped."""
    whole = x_BT.size(1) // seq_len * seq_len
    return x_BT[:, :whole].reshape(-1, seq_len)


def generator(seed: int, purpose: str, device: torch.device = CPU) -> torch.Generator:
    """A stream of random numbers of its own for each seed and purpose."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:8], "little") >> 1)
