"""Methods that Parameter Golf ruled out, as plain data: naming one is refused with the ruling (parameter_golf_rules 2).

C1 to C4 are the conditions of its issue #1017: causal, a proper distribution over the vocabulary, scored before any
update, a single pass.
"""

from dataclasses import dataclass

from bench.errors import ConfigError


@dataclass(frozen=True)
class Ruling:
    """What was ruled out, under the names it goes by, why, by which ruling, and what may be done instead."""

    names: tuple[str, ...]
    why: str
    ruling: str
    instead: str


SCORE_FIRST = "learn at evaluation only from tokens that are already scored, each scored once"

RULINGS: tuple[Ruling, ...] = (
    Ruling(
        ("gptq_after_training", "late_gptq", "gptq_at_evaluation"),
        "training data may not be read after the training time is over",
        "Issue #677",
        "take `gptq`: it measures inputs on training batches, inside that time",
    ),
    Ruling(
        ("pre_quant_ttt", "validation_epochs", "train_on_validation"),
        "it trains on validation tokens before they are scored",
        "#152, #1376, #1972; C3",
        SCORE_FIRST,
    ),
    Ruling(
        ("paid_prefix", "error_table", "error_correction_table", "validation_only_training"),
        "the artifact would carry validation text, or what was learnt from it alone",
        "ruling of March 20",
        "train on the training shards",
    ),
    Ruling(
        ("slot",),
        "it optimises a change on the very window that is being scored",
        "#1240, #1336; C3",
        SCORE_FIRST,
    ),
    Ruling(
        ("ngram_cache", "unnormalised_ngram", "hash_cache"),
        "its scores are no distribution over the vocabulary",
        "swept on March 27; C2",
        "a tilt of a token's chance must be normalised over all tokens, as in #1514",
    ),
    Ruling(
        ("ppm_d", "ppmd", "byte_ppm"),
        "a model of bytes mixed with one of tokens is no distribution over the vocabulary",
        "Issue #1872; C2",
        "mix over tokens, each from what came before it",
    ),
    Ruling(
        ("rescoring", "multi_epoch_rescoring", "best_of_passes"),
        "a token is scored once, and no pass may be picked afterwards",
        "Issue #1017, C4",
        SCORE_FIRST,
    ),
    Ruling(
        ("validation_warm_up", "validation_warmup"),
        "compilers may not be warmed up on validation tokens",
        "flagged in #1530",
        "warm up on random tokens",
    ),
    Ruling(
        ("case_folding", "lossy_case_folding"),
        "a tokenizer that loses capitals scores another text",
        "Issue #1604",
        "a lossless one, as CaseOps, was accepted",
    ),
)


def check_allowed(name: str) -> None:
    """Raises ConfigError for a method that was ruled out, with the ruling."""
    plain = name.lower().replace("-", "_")
    for ruled in RULINGS:
        if plain in ruled.names:
            raise ConfigError(f"{name} is not allowed in Parameter Golf: {ruled.why} ({ruled.ruling})", ruled.instead)
