"""How alike two lists of scores rank the same things."""

import numpy as np


def spearman(one: list[float], other: list[float]) -> float:
    """Pearson's correlation of the ranks; ties share their mean rank."""
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: list[float]) -> list[float]:
    return [sum(v < x for v in values) + (sum(v == x for v in values) + 1) / 2 for x in values]
