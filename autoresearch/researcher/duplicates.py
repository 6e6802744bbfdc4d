"""A config that the sampler draws again: another seed of it near the best, else refused, so that the next is asked."""

from dataclasses import replace

from autoresearch.researcher.proposals import Evidence, Suggestion
from bench.config import RunConfig, fingerprint
from bench.tracks import search_seeds

# of noise, behind the best: beyond it no seed makes a config the best one
NEAR = 3.0


def drawn_again(said: Suggestion, evidence: Evidence, config: RunConfig, first_seed: int) -> Suggestion:
    """The suggestion as it stands for a new config; for a known one, with the first search seed it has not had."""
    same = [t for t in evidence.trials if t.fingerprint == fingerprint(config)]
    if not same:
        return said
    had = {first_seed if t.seed is None else t.seed for t in same}
    seed = next(seed for seed in search_seeds(first_seed) if seed not in had)
    return replace(
        said, seed=seed, rule=f"{said.rule}; a config drawn again gets another seed where it is near the best",
        reason=f"{said.reason}: trial {same[0].number}'s config, on seed {seed}",
    )  # fmt: skip


def not_worth_a_seed(evidence: Evidence, config: RunConfig) -> list[str]:
    """Why a config drawn again is not run again, as a sentence; empty when it is near the best."""
    same = next(t for t in evidence.trials if t.fingerprint == fingerprint(config))
    samples = evidence.samples()
    if same.fingerprint not in samples:
        return [f"drawn again: trial {same.number} has no score ({same.state.value})"]
    behind = samples[same.fingerprint].mean - min(sample.mean for sample in samples.values())
    if (sigmas := behind / evidence.noise_sd()) <= NEAR:
        return []
    return [f"drawn again: trial {same.number}'s config is {sigmas:.1f} sigma behind the best"]
