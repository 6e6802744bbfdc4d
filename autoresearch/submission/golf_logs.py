"""What a golf log says, by the lines that reviewers search for (parameter_golf_rules 5); ours and anyone's."""

import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from autoresearch.submission.golf_schema import digits_of

_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
# Some logs put the time before a line, some a stride between name and loss.
_STAMP = r"^(?:[0-9]+\.[0-9]+ )?"
_SCORE = re.compile(
    rf"{_STAMP}([A-Za-z][\w+ -]*?)(?: [a-z_]+:\S+)*\s+val_loss:\s*{_NUMBER}\s+val_bpb:\s*{_NUMBER}", re.MULTILINE
)
# The line that counts is the last of the first name that a log has.
OFFICIAL = (
    *("quantized_ttt_phased", "quantized_ttt_lora", "legal_ttt_exact", "quantized_ttt"),
    *("final_int6_sliding_window_exact", "final_int6_sliding_window", "quantized_sliding_window", "final_sliding"),
    *("final_sliding_window_exact", "final_sliding_window_eval_exact", "final_int8_zlib_roundtrip_exact"),
)
LOGS = re.compile(r"(?:train|log|seed|run)[^/]*(?:/.*)?\.txt$|\.log$", re.IGNORECASE)
# Of logs that share a seed, no more combinations are tried than this; and pairs among no more logs than that.
MOST_SELECTIONS, MOST_PAIRED = 256, 16
_FINAL = re.compile(r"(final|quantized|legal_ttt|post_ttt)")


@dataclass(frozen=True, kw_only=True)
class Log:
    """A run as its log tells it; None where it does not."""

    name: str
    seed: int | None
    score_line: str | None
    val_loss: float | None  # nats per token
    val_bpb: float | None
    train_seconds: float | None
    eval_seconds: float | None  # as the log sums it up, or of the scored pass
    code_bytes: int | None
    model_bytes: int | None  # compressed
    total_bytes: int | None  # of the compressed model and the code
    train_shards: int | None
    valid_tokens: int | None
    dataset: str
    sha256: str
    scores: Mapping[str, float]  # val_bpb by line, the last of each


def read_log(name: str, text: str) -> Log:
    """The last of each kind of line; a log begins with its own source, whose formats hold no numbers."""
    score = _score(text)
    totals = _last(text, rf"{_STAMP}total_eval_time:\s*{_NUMBER}s")
    # the line of eight digits gives no time, the one before it does
    names = (score[0], score[0].removesuffix("_exact")) if score else ()
    passes = [_last(text, rf"{_STAMP}{re.escape(name)}\s.*?eval_time:\s*{_NUMBER}ms") for name in names]
    scored_pass = next((found for found in passes if found is not None), None)
    milliseconds = _last(text, rf"stopping_early:.*?train_time:\s*{_NUMBER}ms") or _last(
        text, rf"train_time:\s*{_NUMBER}ms"
    )
    minutes = _last(text, rf"train_time:\s*{_NUMBER}m\b")
    seconds = milliseconds / 1000 if milliseconds is not None else (60 * minutes if minutes is not None else None)
    named = re.search(r"seed_?(\d+)", name)
    told = _last(text, r"^\s*seed:\s*(\d+)")
    dataset = re.search(r"(?:dataset:|datasets_dir:.*/|data_path:.*/)(\S+)", text)
    sums = re.findall(r"sha256:([0-9a-f]{64})", text)
    evaluated = totals if totals is not None else (scored_pass / 1000 if scored_pass is not None else None)
    return Log(
        name=name,
        seed=int(named[1]) if named else _whole(told),
        score_line=score[0] if score else None,
        val_loss=score[1] if score else None,
        val_bpb=score[2] if score else None,
        train_seconds=seconds,
        eval_seconds=evaluated,
        code_bytes=_whole(_last(text, _STAMP + r"Code size[^:\n]*:\s*(\d+)")),
        model_bytes=_whole(_last(text, _STAMP + r"Serialized model [^:\n]+:\s*(\d+)")),
        total_bytes=_whole(_last(text, _STAMP + r"Total submission size [^:\n]+:\s*(\d+)")),
        train_shards=_whole(_last(text, r"train_shards:\s*(\d+)")),
        valid_tokens=_whole(_last(text, _STAMP + r"(?:val_loader:.*tokens:|val_tokens:)\s*(\d+)")),
        dataset=dataset[1] if dataset else "",
        sha256=sums[-1] if sums else "",
        scores={name.strip(): float(bits) for name, _, bits in _SCORE.findall(text)},
    )


def scored(logs: Iterable[Log]) -> list[Log]:
    return [log for log in logs if log.val_bpb is not None]


def _score(text: str) -> tuple[str, float, float] | None:
    found = [(name.strip(), float(loss), float(bits)) for name, loss, bits in _SCORE.findall(text)]
    for wanted in OFFICIAL:
        if named := [score for score in found if score[0] == wanted]:
            return named[-1]
    final = [score for score in found if _FINAL.match(score[0])]
    return final[-1] if final else None


def _last(text: str, pattern: str) -> float | None:
    found = re.findall(pattern, text, re.MULTILINE)
    return float(found[-1]) if found else None


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def is_log(name: str) -> bool:
    return bool(LOGS.search(name)) and "requirements" not in name


def logs_behind(stated: float, line: str, logs: Sequence[Log]) -> tuple[Log, ...]:
    """The logs whose mean of a line, one log a seed, is the stated score; else one that has it, or two; else none."""
    reach = digits_of(stated)
    by_seed: dict[object, list[Log]] = {}
    for log in logs:
        if line in log.scores:
            by_seed.setdefault(log.name if log.seed is None else log.seed, []).append(log)
    if math.prod(map(len, by_seed.values())) <= MOST_SELECTIONS:
        for chosen in product(*by_seed.values()):
            if chosen and abs(statistics.fmean(log.scores[line] for log in chosen) - stated) <= reach:
                return chosen
    if one := [log for log in logs if abs(log.scores.get(line, 0.0) - stated) <= reach]:
        return (one[0],)
    having = [log for log in logs if line in log.scores]
    pairs = combinations(having, 2) if len(having) <= MOST_PAIRED else ()
    return next(
        (pair for pair in pairs if abs(statistics.fmean(log.scores[line] for log in pair) - stated) <= reach), ()
    )
