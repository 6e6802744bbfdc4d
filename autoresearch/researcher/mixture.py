"""Which proposer serves the next trial: shares by phase in one table, a pure function of seed and trial number."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping

# Shares sum to one. TPE keeps at least a quarter, so that the search can leave a basin; the rest stays near the
# incumbent, by chance (local) or by what the runs so far make likely (untried).
SHARES: Mapping[str, Mapping[str, float]] = {
    "search": {"local": 0.25, "untried": 0.25, "tpe": 0.50},
    # with recipes to stand on and few trials to spend, the neighbourhood is worth more than the map
    "short search": {"local": 0.50, "untried": 0.25, "tpe": 0.25},
}
SHORT = 60

# Steps of the golden ratio fall evenly on the unit circle however many there are.
GOLDEN = (5**0.5 - 1) / 2


def phase_of(n_trials: int, n_recipes: int) -> str:
    """The search phase of a study with so many trials and known recipes."""
    return "short search" if n_recipes and n_trials <= SHORT else "search"


def proposer(phase: str, seed: int, number: int) -> str:
    """The proposer of a trial: any stretch of numbers keeps the shares to within a trial or two."""
    digest = hashlib.sha256(f"{seed}/{phase}".encode()).digest()
    start = int.from_bytes(digest[:4], "little") / 2**32
    at = (start + number * GOLDEN) % 1.0
    shares = SHARES[phase]
    for name, share in shares.items():
        at -= share
        if at < 0:
            return name
    return name


# Of the search, for a language model that the user asked for; whenever it has an answer waiting its stack comes before
# the shares of the others. Published searches keep such a proposer at 30 % or below (Centaur; helion#2004).
LLM = "llm"
LLM_SHARE = 0.25


def llm_may_propose(proposers: Iterable[str]) -> bool:
    """Whether one more trial of the language model keeps it within its share of the search so far."""
    searched = Counter(name for name in proposers if name == LLM or name in SHARES["search"])
    return searched[LLM] + 1 <= LLM_SHARE * (searched.total() + 1)
