"""submission.json: everything a submission states, as typed records that a verifier can hold to account."""

import json
import math
import types
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from typing import Any, NoReturn, Union, get_args, get_origin, get_type_hints

from autoresearch.submission.fighter import LARGEST_INT, MIXER_FILE
from bench.artifact import MAX_RAW_BYTES
from bench.brought_text import MAX_BYTES as MAX_MIXER_BYTES
from bench.config import RunConfig
from bench.errors import ConfigError
from bench.estimate import estimate
from bench.records import Identity

FORMAT = 1
FIGHTER, MODEL, CARD = "fighter.toml", "model.arena", "README.md"
CURVE, PICTURE, FACTS = "curve.csv", "curve.svg", "submission.json"
SCRIPT = "train.py"
# only there when the fighter brings a mixer
MIXER = MIXER_FILE

# No file is read beyond this: far above what an export writes, far below what would hurt a laptop.
MAX_BYTES = {
    # a fighter has 1 kB; tomllib takes a minute for a dotted key of 100 kB, half a second for this
    FIGHTER: 10_000,
    MIXER: MAX_MIXER_BYTES,
    MODEL: MAX_RAW_BYTES,
    CARD: 1_000_000,
    SCRIPT: 1_000_000,
    CURVE: 16_000_000,
    PICTURE: 16_000_000,
    FACTS: 1_000_000,
}


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Which trial this was, and why it was proposed."""

    study: str
    trial: int
    run: int
    policy: str
    settings: tuple[str, ...]  # what the study was given with --set
    proposer: str
    rule: str
    reason: str
    hypothesis: str
    expected: float | None
    note: str
    start_file: str = ""  # what the study was given with --from


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What ran it."""

    device_class: str
    threads: int
    versions: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What the run used up to its end; a failed run does not know its memory and its evaluation."""

    steps: int
    parameters: int
    train_flops: int
    train_tokens: int
    train_seconds: float
    probe_seconds: float | None
    eval_seconds: float | None
    peak_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class Score:
    """What came out. Losses in nats per byte, from the unpacked artifact; delta is to the study's baseline trial."""

    val_loss: float
    val_bpb: float
    quant_gap: float
    weights_bytes: int
    artifact_sha256: str
    baseline_trial: int | None
    baseline_val_loss: float | None
    delta: float | None


@dataclass(frozen=True, kw_only=True)
class Ending:
    """Why there is no score."""

    reason: str
    step: int
    message: str
    log_tail: str


@dataclass(frozen=True, kw_only=True)
class FileFact:
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A submission as data: either a score or, for a negative result, the way it ended."""

    format: int
    name: str
    division: str
    recipe: str
    fingerprint: str
    seed: int
    n_seeds: int
    exhibition: bool
    identity: Identity
    corpus_name: str
    machine: Machine
    origin: Origin
    spent: Spent
    score: Score | None
    failure: Ending | None
    files: dict[str, FileFact]


def declared(config: RunConfig, steps: int) -> tuple[int, int, int]:
    """Parameters, training FLOPs and tokens of the first steps of a run, as its techniques declare them."""
    cost, budget = estimate(config), config.budget
    return cost.parameters, cost.train_flops * steps // budget.steps, steps * budget.batch * budget.seq_len


def bits(nats: float) -> float:
    return nats / math.log(2)


def to_json(facts: Facts) -> str:
    return json.dumps(asdict(facts), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str) -> Facts:
    """The facts that `to_json` wrote. Trusts nothing: every field is there, of its type, and every number finite."""
    try:
        plain = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as wrong:  # the second for brackets nested by the thousand
        raise ConfigError(f"{FACTS} is no JSON: {wrong}", "export the trial again") from wrong
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise ConfigError(f"{FACTS} is of no format we know", f"this version reads format {FORMAT}")
    facts: Facts = _read(Facts, plain, "submission")
    return facts


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _read(kind: Any, plain: Any, where: str) -> Any:
    """A JSON value as what a field's annotation says it is."""
    if get_origin(kind) in (types.UnionType, Union):
        (inner,) = (arg for arg in get_args(kind) if arg is not type(None))
        return None if plain is None else _read(inner, plain, where)
    if is_dataclass(kind):
        return _record(kind, plain, where)
    if get_origin(kind) is dict and isinstance(plain, dict):
        return {name: _read(get_args(kind)[1], value, f"{where}.{name}") for name, value in plain.items()}
    if get_origin(kind) is tuple and isinstance(plain, list):
        return tuple(_read(get_args(kind)[0], value, where) for value in plain)
    if kind is float and type(plain) in (int, float) and abs(plain) < math.inf and abs(plain) <= LARGEST_INT:
        return float(plain)
    if kind in (int, str, bool) and type(plain) is kind and not (kind is int and abs(plain) > LARGEST_INT):
        return plain
    raise ConfigError(f"{where} is not what belongs there", f"it should be {getattr(kind, '__name__', kind)}")


def _record(kind: Any, plain: Any, where: str) -> Any:
    wanted = get_type_hints(kind)
    # a field that came later has a default
    needed = {field.name for field in fields(kind) if field.default is MISSING}
    if not isinstance(plain, dict) or not needed <= set(plain) <= set(wanted):
        raise ConfigError(f"{where} is not what belongs there", f"it should have {', '.join(wanted)}")
    return kind(**{name: _read(wanted[name], value, f"{where}.{name}") for name, value in plain.items()})
