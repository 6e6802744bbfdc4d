"""Why a config may not run in a study; the loop refuses by it, and the report ranks by it."""

from collections.abc import Callable

from bench.catalog import refusals
from bench.config import RunConfig, fingerprint
from bench.estimate import estimate, over_caps
from studies.definitions import StudySpec


def objections(config: RunConfig, spec: StudySpec) -> list[str]:
    """What can't be built, what the division fixes, what the caps allow, as sentences; empty when it may."""
    if cannot := refusals(config):
        return cannot
    # what a mixer of the user's own costs, only its code can say, and that runs in a worker
    over = [] if config.brings_code else over_caps(config, spec.track)
    return spec.division.breaches(config) + over


def remembered(spec: StudySpec) -> Callable[[RunConfig], list[str]]:
    """The same for one study, each config weighed once."""
    said: dict[str, list[str]] = {}

    def against(config: RunConfig) -> list[str]:
        print_ = fingerprint(config)
        if print_ not in said:
            said[print_] = objections(config, spec)
        return said[print_]

    return against


def size(config: RunConfig) -> tuple[int, ...]:
    """Parameters and training FLOPs, of which too much has a run fail; nothing is known of code that a user brings."""
    if config.brings_code:
        return ()
    cost = estimate(config)
    return cost.parameters, cost.train_flops
