"""The researcher's screen as a designed wave instead of one technique at a time, on the made-up landscape.

A wave is a two-level fraction of resolution IV: 8 runs of 4 techniques or 16 of 8, each on in half of the runs, so that
its main effect is the difference of two halves and no pair passes for it. Techniques that would take the wave over the
size cap are run alone after it, as far as the screen's share goes. It stands on the baseline, or on the better recipe.

    python tests/landscape_waves.py 24 50      compares, over 24 seeds at 50 trials
"""

import itertools
import statistics
import sys
from collections.abc import Iterator

import landscape
from landscape_search import ALONE, ONE_AT_A_TIME, Screen, Seen, best_so_far, researcher

from bench.knobs import Value

# none of them changes the size by more than a thousandth
FACTORS: tuple[dict[str, Value], ...] = (
    {"xsa": True, "xsa__k": 6}, {"smear": True}, {"ortho": True}, {"ttt": True}, {"partial_rope": True}, {"qat": True},
    {"averaging": "swa"}, {"activation": "leaky2"},
)  # fmt: skip
ON_THE_RECIPE: dict[str, Value] = {"quant": "int6", "muon__lr": 0.02, "layers": 9, "mlp": 3, "seq": 2048}


def fraction(n_runs: int) -> Iterator[tuple[int, ...]]:
    """Each run as one level, 1 or -1, for each technique; generators of Box, Hunter and Hunter (1978)."""
    if n_runs == 8:
        for a, b, c in itertools.product((-1, 1), repeat=3):
            yield a, b, c, a * b * c
    else:
        for a, b, c, d in itertools.product((-1, 1), repeat=4):
            yield a, b, c, d, b * c * d, a * c * d, a * b * c, a * b * d


def wave(n_runs: int, base: dict[str, Value]) -> Screen:
    """The fraction on a base, then the techniques it leaves, each alone on the baseline."""
    levels = list(fraction(n_runs))
    factors = FACTORS[: len(levels[0])]

    def on(chosen: list[dict[str, Value]]) -> landscape.Params:
        return landscape.stack(**{k: v for changes in (base, *chosen) for k, v in changes.items()})

    runs = [on([f for f, level in zip(factors, row, strict=True) if level > 0]) for row in levels]
    alone = [landscape.stack(**factor) for factor in factors]
    rest = [stack for stack in ALONE if stack not in alone]

    def helped(seen: Seen) -> list[landscape.Params]:
        found = []
        for place, factor in enumerate(factors):
            halves: dict[int, list[float]] = {1: [], -1: []}
            for score, params in seen:
                if params in runs:
                    halves[levels[runs.index(params)][place]].append(score)
            if all(halves.values()):
                effect = statistics.fmean(halves[1]) - statistics.fmean(halves[-1])
                error = landscape.NOISE_SD * (1 / len(halves[1]) + 1 / len(halves[-1])) ** 0.5
                found += [(effect, on([factor]))] * (effect < -2 * error)
        plain, baseline = on([]), next(score for score, params in seen if params == landscape.BASELINE)
        changed = [(effect, {k: v for k, v in stack.items() if plain.get(k) != v}) for effect, stack in found]
        for score, params in seen:
            if params in rest and score - baseline < -2 * landscape.NOISE_SD * 2**0.5:
                changes = {k: v for k, v in params.items() if landscape.BASELINE.get(k) != v}
                changed.append((score - baseline, changes))
        return [changes for _, changes in sorted(changed, key=lambda one: one[0])]

    return Screen((*(run for run in runs if run != landscape.BASELINE), *rest), helped)


def main(n_seeds: int, n_trials: int) -> None:
    screens = {"one at a time": ONE_AT_A_TIME, "8 runs": wave(8, {}), "16 runs": wave(16, {})}
    recipe = {"8 runs, on the recipe": wave(8, ON_THE_RECIPE), "16 runs, on the recipe": wave(16, ON_THE_RECIPE)}
    for recipes in ((), landscape.RECIPES):
        for name, screen in (screens | (recipe if recipes else {})).items():
            policy = researcher(n_trials, len(screen.stacks))
            best = [best_so_far(policy, seed, n_trials, recipes, screen)[-1] for seed in range(n_seeds)]
            error = statistics.stdev(best) / n_seeds**0.5
            start = "with recipes" if recipes else "from the baseline"
            print(f"{start}, {name}: {statistics.fmean(best):.4f} +- {error:.4f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
