"""What a golf submission states: a record a seed, and all in the keys that reviewers know (parameter_golf_rules 4)."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bench.catalog import technique_of
from bench.config import RunConfig
from bench.divisions import recipe
from bench.records import Cost, RunResult
from bench.tracks import CONTESTS, GOLF, Track
from studies.views import RunView

README, SUBMISSION, SCRIPT, WEIGHTS = "README.md", "submission.json", "train_gpt.py", "model.arena"
# What a packed script unpacks, to be read.
READABLE = "train_gpt_readable.py"
REQUIREMENTS = "requirements.txt"
RECORD, NON_RECORD = "10min_16mb", "non-record-16mb"
# Three seeds, by practice; the loop ends with the step that crosses the limit (T1).
RECORD_SEEDS = 3
TRAIN_SECONDS = (GOLF.budget.seconds or 0.0) + (GOLF.overrun_seconds or 0.0)
EVALUATION_SECONDS = GOLF.evaluation_seconds or 0.0
# What only the submitter knows; a verifier asks for it.
UNKNOWN_AUTHOR, UNKNOWN_ID = "YOUR NAME", "YOUR GITHUB ID"


def pace_file(seed: int) -> str:
    return f"pace_seed{seed}.csv"


@dataclass(frozen=True, kw_only=True)
class Seed:
    """One scored run. `tokens_per_byte` turns nats per byte into the contest's nats per token."""

    run: RunView
    tokens_per_byte: float
    code_bytes: int
    artifact_sha256: str

    @property
    def val_bpb(self) -> float:
        return (self.run.val_loss or 0.0) / math.log(2)

    @property
    def val_loss(self) -> float:
        """Nats per token."""
        return (self.run.val_loss or 0.0) / self.tokens_per_byte

    @property
    def pre_quant_bpb(self) -> float:
        """The gap is measured on the first validation tokens alone, so this is near it and not it."""
        return self.val_bpb - (self.run.quant_gap or 0.0) / math.log(2)

    @property
    def artifact_bytes(self) -> int:
        return (self.run.weights_bytes or 0) + self.code_bytes

    @property
    def result(self) -> RunResult:
        """As the script has it at its end."""
        run = self.run
        assert run.val_loss is not None, "a complete run has a score"
        return RunResult(
            fingerprint=run.fingerprint,
            seed=run.seed,
            val_loss=run.val_loss,
            quant_gap=run.quant_gap or 0.0,
            weights_bytes=run.weights_bytes or 0,
            artifact_sha256=self.artifact_sha256,
            steps=run.step,
            cost=Cost(
                parameters=run.parameters or 0,
                train_flops=run.train_flops or 0,
                train_tokens=run.train_tokens or 0,
                train_seconds=run.train_seconds or 0.0,
                probe_seconds=run.probe_seconds or 0.0,
                eval_seconds=run.eval_seconds or 0.0,
                peak_bytes=run.peak_bytes or 0,
            ),
        )

    def to_json(self) -> dict[str, Any]:
        seconds = self.run.train_seconds or 0.0
        return {
            "val_bpb": self.val_bpb,
            "val_loss": self.val_loss,
            "artifact_bytes": self.artifact_bytes,
            "steps": self.run.step,
            "train_time_s": round(seconds, 3),
            "step_avg_ms": round(1000 * seconds / max(1, self.run.step), 3),
            "eval_time_s": round(self.run.eval_seconds or 0.0, 3),
        }


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A recipe with its seeds; `shipped` is the one whose weights are in the folder."""

    name: str
    study: str
    trial: int
    config: RunConfig
    track: Track
    seeds: Sequence[Seed]
    shipped: Seed
    why_not: tuple[str, ...]  # what keeps it from being a record; empty for one
    readable: str = SCRIPT  # the file in which the script can be read
    paces: tuple[str, ...] = ()  # files with what a clock made of each step, for runs that one ended

    @property
    def scores(self) -> list[float]:
        return [seed.val_bpb for seed in self.seeds]

    @property
    def val_bpb(self) -> float:
        return statistics.fmean(self.scores)

    @property
    def std(self) -> float | None:
        return statistics.stdev(self.scores) if len(self.scores) > 1 else None


def short_of_a_record(track: Track, seeds: Sequence[Seed]) -> tuple[str, ...]:
    """Why this can't be a record, as sentences."""
    found = []
    if track not in CONTESTS:
        found.append(f"it is of {track.name}, which is not the contest")
    if len(seeds) < RECORD_SEEDS:
        found.append(f"it has {len(seeds)} seed{'s' * (len(seeds) > 1)} where a record needs {RECORD_SEEDS}")
    if any((seed.run.train_seconds or 0.0) > TRAIN_SECONDS for seed in seeds):
        found.append(f"a run trained longer than {TRAIN_SECONDS:g} s")
    if any((seed.run.eval_seconds or 0.0) > EVALUATION_SECONDS for seed in seeds):
        found.append(f"an evaluation took longer than {EVALUATION_SECONDS:g} s")
    return tuple(found)


def to_json(entry: Entry) -> dict[str, Any]:
    """submission.json, the recommended keys in their order."""
    shipped, seeds = entry.shipped, entry.seeds
    ended = datetime.fromtimestamp(max(seed.run.ended_at or 0.0 for seed in seeds), UTC)
    stated = {
        "author": UNKNOWN_AUTHOR,
        "github_id": UNKNOWN_ID,
        "name": entry.name,
        "date": ended.strftime("%Y-%m-%d"),
        "track": NON_RECORD if entry.why_not else RECORD,
        "blurb": blurb(entry),
        "val_loss": statistics.fmean(seed.val_loss for seed in seeds),
        "val_bpb": entry.val_bpb,
        "val_bpb_std": entry.std,
        "seeds": [seed.run.seed for seed in seeds],
        "seed_results": {str(seed.run.seed): seed.to_json() for seed in seeds},
        "pre_quant_val_bpb": statistics.fmean(seed.pre_quant_bpb for seed in seeds),
        "bytes_total": shipped.artifact_bytes,
        "bytes_code": shipped.code_bytes,
        "hardware": f"{shipped.run.identity.device_class}, {shipped.run.threads} threads",
        "pytorch_version": str(shipped.run.versions.get("torch", "")),
        "compliance": compliance(entry),
        "attribution": f"each technique's source is named above its code in {entry.readable}",
    }
    return {key: value for key, value in stated.items() if value is not None}


def blurb(entry: Entry) -> str:
    text = f"{recipe(entry.config)}, on {entry.track.name}'s baseline; exported from a ledger by arena-autoresearch."
    return text + (f" Non-record: {'; '.join(entry.why_not)}." if entry.why_not else "")


def compliance(entry: Entry) -> dict[str, bool]:
    """The keys that reviewers know. What breaks a rule of evaluation is not exported, so those hold for every entry."""
    adapts = getattr(technique_of("evaluator", entry.config.pick("evaluator")), "adapts", False)
    trained = max(seed.run.train_seconds or 0.0 for seed in entry.seeds)
    evaluated = max(seed.run.eval_seconds or 0.0 for seed in entry.seeds)
    return {
        "train_under_600s": trained <= TRAIN_SECONDS,
        "artifact_under_16mb": entry.shipped.artifact_bytes <= (GOLF.max_artifact_bytes or 0),
        "eval_under_600s": evaluated <= EVALUATION_SECONDS,
        "no_slot": True,
        "no_pre_quant_ttt": True,
        "no_etlb": True,
        "no_ngram_cache": True,
        **({"score_first_ttt": True} if adapts else {}),
        "three_seeds": len(entry.seeds) >= RECORD_SEEDS,
    }
