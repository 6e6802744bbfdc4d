"""submission.json of a golf folder against our schema (parameter_golf_rules 4): stricter than what was accepted."""

import json
import re
import statistics
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeGuard

from autoresearch.submission.golf_facts import NON_RECORD, RECORD, UNKNOWN_AUTHOR, UNKNOWN_ID
from bench.errors import ConfigError
from bench.tracks import GOLF, TOKENIZERS

NEEDED = ("author", "github_id", "name", "date", "val_bpb")
TEXTS = ("author", "github_id", "name", "date", "track", "blurb", "hardware", "pytorch_version")
MEASURES = ("val_bpb", "val_loss", "val_bpb_std", "pre_quant_val_bpb")
SIZES = ("bytes_total", "bytes_code")
TRACKS = (RECORD, "track_10min_16mb", NON_RECORD, "non_record_16mb", "non-record-unlimited-compute-16mb")


# Seeds' scores may be written with fewer digits than their mean, but not with fewer than four.
MOST_ROUNDED = 1e-4


def read(text: str) -> dict[str, Any]:
    """The table in a submission.json; ConfigError for what is none."""
    try:
        plain = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as wrong:  # the second for brackets nested by the thousand
        raise ConfigError(f"it is no JSON: {wrong}", "write one table of keys") from wrong
    if not isinstance(plain, dict):
        raise ConfigError("it is no table", "write one table of keys")
    return plain


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


def flaws(plain: dict[str, Any]) -> list[str]:
    """What is wrong with it, as sentences; empty when nothing is."""
    return [*_types(plain), *_seeds(plain), *_compliance(plain)]


def unfilled(plain: dict[str, Any]) -> list[str]:
    """Keys that an export could not know."""
    return [key for key, value in plain.items() if value in (UNKNOWN_AUTHOR, UNKNOWN_ID)]


def is_record(plain: dict[str, Any]) -> bool:
    return str(plain.get("track", RECORD)).removeprefix("track_") == RECORD


def digits_of(value: float) -> float:
    """One of the last digit that a number is written with, and at least 1e-6: it may be rounded, or a mean of such."""
    _, _, after = repr(value).partition(".")
    return max(1e-6, 10.0 ** -len(after)) if "e" not in repr(value) else 1e-6


def tokenizer_of(val_bpb: float, val_loss: float) -> str | None:
    """The known vocabulary whose tokens per byte turn nats per token into these bits per byte."""
    for known in TOKENIZERS:
        expected = val_loss * known.bpb_per_nat
        # each is rounded as it is written
        reach = digits_of(val_bpb) + digits_of(val_loss) * known.bpb_per_nat
        if abs(expected - val_bpb) <= max(1e-5, reach):
            return known.name
    return None


def number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _types(plain: dict[str, Any]) -> Iterator[str]:
    if missing := [key for key in NEEDED if plain.get(key) is None]:
        yield f"{', '.join(missing)} missing"
    for key in TEXTS:
        if plain.get(key) is not None and not isinstance(plain[key], str):
            yield f"{key} is no text"
    for key in MEASURES:
        if plain.get(key) is not None and not (number(plain[key]) and plain[key] > 0):
            yield f"{key} is no number above zero"
    for key in SIZES:
        if plain.get(key) is not None and not (
            isinstance(plain[key], int) and plain[key] is not True and plain[key] > 0
        ):
            yield f"{key} is no whole number above zero"
    code, total = plain.get("bytes_code"), plain.get("bytes_total")
    if isinstance(total, int) and total > (GOLF.max_artifact_bytes or 0):
        yield f"bytes_total is {total:,}, over {GOLF.max_artifact_bytes:,}"
    if isinstance(code, int) and isinstance(total, int) and code >= total:
        yield f"bytes_code is {code:,} of {total:,} in all"
    if isinstance(plain.get("date"), str) and not _is_date(plain["date"]):
        yield f"date is {plain['date'][:30]!r}, no ISO date"
    if isinstance(plain.get("track"), str) and plain["track"] not in TRACKS:
        yield f"track is {plain['track'][:40]!r}, none of {', '.join(TRACKS)}"


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return False
    return True


def _seeds(plain: dict[str, Any]) -> Iterator[str]:
    seeds, results = plain.get("seeds"), plain.get("seed_results")
    if isinstance(seeds, dict) and results is None:
        # two merged records give the results under this key
        seeds, results = [int(seed) for seed in seeds if re.fullmatch(r"\d{1,9}", seed)], seeds
    if seeds is not None and not (isinstance(seeds, list) and all(type(seed) is int for seed in seeds)):
        yield "seeds is no list of whole numbers"
        return
    if results is None:
        return
    if not isinstance(results, dict) or not all(isinstance(result, dict) for result in results.values()):
        yield "seed_results is no table by seed"
        return
    if seeds is not None and set(results) != {str(seed) for seed in seeds}:
        yield f"seed_results has the seeds {', '.join(sorted(results)[:8])}, seeds has others"
    scores = [result.get("val_bpb") for result in results.values()]
    if scores and all(map(number, scores)) and number(plain.get("val_bpb")):
        mean, stated = statistics.fmean(scores), plain["val_bpb"]
        if abs(mean - stated) > max(digits_of(stated), min(MOST_ROUNDED, max(map(digits_of, scores)))):
            yield f"val_bpb is {stated}, the seeds' mean is {mean:.8f}"


def _compliance(plain: dict[str, Any]) -> Iterator[str]:
    claims = plain.get("compliance")
    if claims is None:
        return
    if not isinstance(claims, dict):
        yield "compliance is no table"
        return
    # a non-record may say that it has one seed
    excused = () if is_record(plain) else ("three_seeds",)
    if denied := [str(name)[:40] for name, kept in claims.items() if kept is not True and name not in excused]:
        yield f"compliance does not say true for {', '.join(denied[:8])}"
