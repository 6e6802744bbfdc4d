"""Reading the ledger: rows to records, never a write. Safe beside a running study.

In plain SQL, because a screen must show data within a second and SQLModel alone takes most of one to import.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.config import RunConfig, from_json
from bench.errors import StoreError
from bench.records import Identity, Pace, Point, Reason, Sizes, State
from bench.standings import Entry
from bench.tracks import PUBLISHED_SEEDS
from studies.curves import unpack_curve, unpack_pace, unpack_sizes
from studies.database import open_reader, reporting
from studies.definitions import StudySpec, is_text
from studies.views import (
    ArtifactView,
    AuditView,
    BeltView,
    EventView,
    PhaseView,
    RunView,
    StudyView,
    TrialView,
    VerdictView,
)

_STUDIES = """
    SELECT study.*, (SELECT json_group_object(state, n) FROM
        (SELECT state, count(*) AS n FROM trial WHERE study_id = study.id GROUP BY state)) AS n_by_state,
        (SELECT sum(json_extract(config, '$.budget.steps')) FROM trial JOIN config USING (fingerprint)
        WHERE study_id = study.id AND state IN ('complete', 'pruned', 'failed')) AS steps_done
    FROM study"""
# Every column of a run but its curve, pace and sizes, under its own name; those of the trial and its config beside it.
_RUN_COLUMNS = [name for name in RunView.__dataclass_fields__ if name != "identity"]
_IDENTITY_COLUMNS = ["track_version", "corpus_digest", "evaluator_version", "device_class", "numerics_version"]
_RUN = ", ".join(f"run.{name} AS run_{name}" for name in [*_RUN_COLUMNS, *_IDENTITY_COLUMNS])
_RUNS = f"SELECT config.fingerprint, config.config, {_RUN} FROM run JOIN config USING (fingerprint)"
_TRIALS = f"""
    SELECT trial.*, config.config, study.name AS study, study.spec, {_RUN} FROM trial
    JOIN study ON study.id = trial.study_id
    JOIN config ON config.fingerprint = trial.fingerprint
    LEFT JOIN trial_run ON trial_run.trial_id = trial.id
    LEFT JOIN run ON run.id = trial_run.run_id"""

_BELTS = """
    SELECT belt.*, config.config, study.name AS study, verdict.question, verdict.verdict, verdict.why, verdict.effect,
        verdict.low, verdict.high, verdict.p, verdict.n, verdict.run_ids
    FROM belt JOIN config USING (fingerprint) LEFT JOIN verdict ON verdict.id = belt.verdict_id
    LEFT JOIN study ON study.id = belt.study_id ORDER BY belt.taken_at, belt.id"""


class Reader:
    """Answers from one store, each in a short transaction of its own; may be asked from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = open_reader(path)
        self._lock = threading.Lock()
        self._configs: dict[str, RunConfig] = {}  # by fingerprint: one is read again and again, and never changes

    def close(self) -> None:
        self._connection.close()

    @property
    def artifacts(self) -> Path:
        """The folder beside the store where packed models are kept."""
        return self.path.with_suffix(".artifacts")

    def _rows(self, asked: str, *values: Any) -> list[sqlite3.Row]:
        with self._reading() as connection:
            return connection.execute(asked, values).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, reporting(self.path):
            yield self._connection

    def data_version(self) -> int:
        """A number that changes when another connection has committed."""
        return int(self._rows("PRAGMA data_version")[0][0])

    def rev(self) -> int:
        """The clock: rows that changed after this carry a higher `rev`."""
        return int(self._rows("SELECT rev FROM clock")[0][0])

    def studies(self) -> list[StudyView]:
        """Every study, newest first, shipped ones last."""
        return [_study(row) for row in self._rows(f"{_STUDIES} ORDER BY shipped, created_at DESC, name")]

    def study(self, name: str) -> StudyView:
        """One study; StoreError lists the known ones."""
        if is_text(name):
            for row in self._rows(f"{_STUDIES} WHERE name = ?", name):
                return _study(row)
        known = [study.name for study in self.studies()]
        raise StoreError(
            f"there is no study named {name} in {self.path}",
            f"the studies are {', '.join(known)}" if known else "the store holds no study yet",
        )

    def trials(self, study: str, since_rev: int = -1) -> list[TrialView]:
        """Trials by number; with `since_rev`, those that changed after it, by themselves or by their run."""
        asked = f"{_TRIALS} WHERE study.name = ? AND (trial.rev > ? OR run.rev > ?) ORDER BY trial.number"
        return [self._trial(row) for row in self._rows(asked, study, since_rev, since_rev)]

    def piece(self, study: str, after: int, most: int) -> list[TrialView]:
        """So many trials whose numbers come after one, by number."""
        asked = f"{_TRIALS} WHERE study.name = ? AND trial.number > ? ORDER BY trial.number LIMIT ?"
        return [self._trial(row) for row in self._rows(asked, study, after, most)]

    def foremost(self, study: str, most: int) -> list[TrialView]:
        """What a person looks for first: what is under way, and so many of the lowest scores and of the latest."""
        asked = f"""{_TRIALS} WHERE study.name = ?1 AND trial.id IN (
                SELECT trial.id FROM trial JOIN study ON study.id = trial.study_id
                    WHERE study.name = ?1 AND trial.state IN ('queued', 'running')
                UNION SELECT * FROM (SELECT trial.id FROM trial JOIN study ON study.id = trial.study_id
                    WHERE study.name = ?1 ORDER BY trial.number DESC LIMIT ?2)
                UNION SELECT * FROM (SELECT trial.id FROM trial JOIN study ON study.id = trial.study_id
                    JOIN trial_run ON trial_run.trial_id = trial.id JOIN run ON run.id = trial_run.run_id
                    WHERE study.name = ?1 AND run.state = 'complete' ORDER BY run.val_loss LIMIT ?2)
            ) ORDER BY trial.number"""
        return [self._trial(row) for row in self._rows(asked, study, most)]

    def earlier(self, study: str, most: int = 1_000) -> list[TrialView]:
        """Scored trials of other studies on the same text, of runs that had ended when this study began: the latest
        so many, by the end of their runs. Runs that end later never change the answer."""
        asked = f"""{_TRIALS}, study AS own
            WHERE own.name = ? AND study.id != own.id AND trial.state = 'complete' AND run.state = 'complete'
            AND run.corpus_digest = json_extract(own.spec, '$.corpus_digest') AND run.ended_at <= own.created_at
            ORDER BY run.ended_at DESC, study.name, trial.number LIMIT ?"""
        return [self._trial(row) for row in reversed(self._rows(asked, study, most))]

    def _config(self, row: sqlite3.Row) -> RunConfig:
        print_ = row["fingerprint"]
        if print_ not in self._configs:
            self._configs[print_] = from_json(json.loads(row["config"]))
        return self._configs[print_]

    def _trial(self, row: sqlite3.Row) -> TrialView:
        config = self._config(row)
        run = None if row["run_id"] is None else _run(row, config)
        return TrialView(
            study=row["study"],
            number=row["number"],
            proposer=row["proposer"],
            rule=row["rule"],
            reason=row["reason"],
            hypothesis=row["hypothesis"],
            expected=row["expected"],
            params=json.loads(row["params"]),
            fingerprint=row["fingerprint"],
            config=config,
            state=State(row["state"]),
            message=row["message"],
            created_at=row["created_at"],
            ended_at=row["ended_at"],
            run=run,
            rev=max(row["rev"], run.rev if run else 0),
            seed=row["seed"],
        )

    def curve(self, run_id: int) -> list[Point]:
        """A run's curve so far: the packed one once it has ended."""
        for row in self._rows("SELECT curve FROM run WHERE id = ?", run_id):
            if row["curve"] is not None:
                return unpack_curve(row["curve"])
        return [point for _, _, point in self.points([run_id])]

    def pace(self, run_id: int) -> tuple[Pace, ...]:
        """What the clock made of each step of a run that it ended; nothing for any other."""
        return next((unpack_pace(row["pace"]) for row in self._rows("SELECT pace FROM run WHERE id = ?", run_id)), ())

    def sizes(self, run_id: int) -> Sizes | None:
        """What a run's packed model is made of; None where that was not recorded."""
        rows = self._rows("SELECT sizes FROM run WHERE id = ? AND sizes IS NOT NULL", run_id)
        return next((unpack_sizes(row["sizes"]) for row in rows), None)

    def points(self, run_ids: Iterable[int], after_id: int = 0) -> list[tuple[int, int, Point]]:
        """`(row id, run id, point)` of runs under way, in order, from after a row id on."""
        wanted = json.dumps(list(run_ids))
        asked = "SELECT * FROM curve_point WHERE run_id IN (SELECT value FROM json_each(?)) AND id > ? ORDER BY id"
        return [
            (row["id"], row["run_id"], Point(row["step"], row["seconds"], row["train_loss"], row["probe_loss"]))
            for row in self._rows(asked, wanted, after_id)
        ]

    def entries(self) -> list[Entry]:
        """Every complete run with each study it served, for the standings; short runs are no results."""
        asked = f"""
            SELECT trial.number, trial.fingerprint, config.config, study.name AS study,
                json_extract(study.spec, '$.division_name') AS division,
                audit.val_loss AS audit_loss, audit.flagged, {_RUN}
            FROM trial JOIN study ON study.id = trial.study_id JOIN config ON config.fingerprint = trial.fingerprint
            JOIN trial_run ON trial_run.trial_id = trial.id JOIN run ON run.id = trial_run.run_id
            LEFT JOIN audit ON audit.run_id = run.id
            WHERE run.state = 'complete' AND trial.state = 'complete'"""
        found = []
        for row in self._rows(asked):
            config = self._config(row)
            if config.budget.short:
                continue
            # the store's own check: complete means scored
            assert row["run_val_loss"] is not None, f"run {row['run_id']}"
            found.append(
                Entry(
                    identity=_identity(row, config),
                    division=row["division"],
                    config=config,
                    fingerprint=row["fingerprint"],
                    seed=row["run_seed"],
                    val_loss=row["run_val_loss"],
                    weights_bytes=row["run_weights_bytes"] or 0,
                    parameters=row["run_parameters"] or 0,
                    train_seconds=row["run_train_seconds"] or 0.0,
                    study=row["study"],
                    trial=row["number"],
                    audit_loss=row["audit_loss"],
                    flagged=bool(row["flagged"]),
                )
            )
        return found

    def corpora(self) -> dict[str, str]:
        """Corpus names by digest."""
        specs = [json.loads(row["spec"]) for row in self._rows("SELECT spec FROM study")]
        return {spec["corpus_digest"]: spec["corpus_name"] for spec in specs}

    def events(self, after_id: int = 0, study: str | None = None, limit: int = 1000) -> list[EventView]:
        """The newest events after a row id, oldest first."""
        asked = """
            SELECT event.*, study.name AS study FROM event LEFT JOIN study ON study.id = event.study_id
            WHERE event.id > ? AND (? IS NULL OR study.name = ?) ORDER BY event.id DESC LIMIT ?"""
        return [
            EventView(
                id=row["id"],
                at=row["at"],
                study=row["study"],
                trial=row["trial_number"],
                kind=row["kind"],
                text=row["text"],
            )
            for row in reversed(self._rows(asked, after_id, study, study, limit))
        ]

    def verdicts(self, study: str | None = None) -> list[VerdictView]:
        """Of one study or of all, in the order they came in; why, of one older than its column, is in its event."""
        asked = """
            SELECT verdict.*, (SELECT text FROM event WHERE kind = 'verdict' AND event.study_id IS verdict.study_id
                AND at = verdict.created_at) AS said
            FROM verdict LEFT JOIN study ON study.id = verdict.study_id
            WHERE ? IS NULL OR study.name = ? ORDER BY verdict.id"""
        return [_verdict(row, row["said"] or "") for row in self._rows(asked, study, study)]

    def phases(self, study: str | None = None) -> list[PhaseView]:
        """Of one study or of all, in the order they began."""
        asked = """
            SELECT phase.*, study.name AS study FROM phase JOIN study ON study.id = phase.study_id
            WHERE ? IS NULL OR study.name = ? ORDER BY started_at, phase.id"""
        names = ("study", "name", "started_at", "ended_at", "ended_reason")
        return [PhaseView(**{name: row[name] for name in names}) for row in self._rows(asked, study, study)]

    def cards(self, study: str) -> list[dict[str, Any]]:
        """The technique cards as they were when the study started."""
        asked = """
            SELECT card FROM technique_card JOIN study ON study.id = technique_card.study_id
            WHERE study.name = ? ORDER BY technique_card.id"""
        return [json.loads(row["card"]) for row in self._rows(asked, study)]

    def artifact(self, run_id: int) -> ArtifactView | None:
        for row in self._rows("SELECT * FROM artifact WHERE run_id = ?", run_id):
            return ArtifactView(sha256=row["sha256"], weights_bytes=row["weights_bytes"], file=row["file"])
        return None

    def run(self, run_id: int) -> tuple[RunView, RunConfig]:
        """A run and the config it ran; StoreError when there is none of that number."""
        asked = f"{_RUNS} WHERE run.id = ?"
        # SQLite has no larger number than this, so no run has one
        for row in self._rows(asked, min(run_id, 2**63 - 1)):
            config = self._config(row)
            return _run(row, config), config
        (last,) = self._rows("SELECT max(id) AS id FROM run")
        hint = f"runs go from 1 to {last['id']}" if last["id"] else "there is none yet"
        raise StoreError(f"there is no run {run_id}", hint)

    def published_scores(self, print_: str, identity: Identity) -> dict[int, RunView]:
        """A config's complete runs on published seeds under an identity, by seed in the track's order."""
        asked = f"{_RUNS} WHERE config.fingerprint = ? ORDER BY run.id"
        runs = [_run(row, self._config(row)) for row in self._rows(asked, print_)]
        by_seed = {run.seed: run for run in runs if run.state is State.COMPLETE and run.identity == identity}
        return {seed: by_seed[seed] for seed in PUBLISHED_SEEDS if seed in by_seed}

    def belts(self, lost: bool = False) -> list[BeltView]:
        """The belts by identity and division, with `lost` those that have changed hands too; champions marked."""
        found = []
        for row in self._rows(_BELTS):
            if row["lost_at"] is not None and not lost:
                continue
            identity = Identity(**json.loads(row["identity"]))
            runs = self.published_scores(row["fingerprint"], identity)
            found.append(
                BeltView(
                    identity=identity,
                    division=row["division"],
                    fingerprint=row["fingerprint"],
                    config=self._config(row),
                    scores={seed: run.val_loss for seed, run in runs.items() if run.val_loss is not None},
                    verdict=None if row["verdict_id"] is None else _verdict(row),
                    study=row["study"],
                    taken_at=row["taken_at"],
                    lost_at=row["lost_at"],
                )
            )
        held = [belt for belt in found if belt.lost_at is None]
        best = {
            i: min((b for b in held if b.identity == i), key=lambda b: b.val_loss) for i in {b.identity for b in held}
        }
        found = [replace(belt, champion=best.get(belt.identity) is belt) for belt in found]
        return sorted(found, key=lambda belt: (belt.identity, belt.division, belt.taken_at))

    def audits(self) -> list[AuditView]:
        """Every audited run."""
        asked = f"""
            SELECT audit.*, config.fingerprint, config.config, {_RUN} FROM audit
            JOIN run ON run.id = audit.run_id JOIN config USING (fingerprint) ORDER BY audit.run_id"""
        found = []
        for row in self._rows(asked):
            run = _run(row, self._config(row))
            assert run.val_loss is not None, "only a complete run has a packed model"
            found.append(
                AuditView(
                    run_id=run.id,
                    fingerprint=run.fingerprint,
                    seed=run.seed,
                    identity=run.identity,
                    digest=row["digest"],
                    n_bytes=row["n_bytes"],
                    val_loss=row["val_loss"],
                    scored=run.val_loss,
                    flagged=bool(row["flagged"]),
                    why=row["why"],
                )
            )
        return found

    def check(self) -> str:
        """What SQLite's own check says: `ok` when the file is sound."""
        return str(self._rows("PRAGMA quick_check")[0][0])


def _study(row: sqlite3.Row) -> StudyView:
    return StudyView(
        spec=StudySpec.from_json(json.loads(row["spec"])),
        created_at=row["created_at"],
        shipped=bool(row["shipped"]),
        owner_pid=row["owner_pid"],
        owner_host=row["owner_host"],
        owner_started_at=row["owner_started_at"],
        heartbeat_at=row["heartbeat_at"],
        stop_requested_at=row["stop_requested_at"],
        ended_reason=row["ended_reason"],
        n_by_state={State(state): n for state, n in json.loads(row["n_by_state"]).items()},
        steps_done=row["steps_done"] or 0,
    )


def _verdict(row: sqlite3.Row, said: str = "") -> VerdictView:
    plain = {name: row[name] for name in VerdictView.__dataclass_fields__}
    why = plain["why"] or said.removeprefix(f"{plain['question']} {plain['verdict']}: ")
    return VerdictView(**plain | {"why": why, "run_ids": json.loads(row["run_ids"])})


def _run(row: sqlite3.Row, config: RunConfig) -> RunView:
    plain = {name: row[f"run_{name}"] for name in _RUN_COLUMNS}
    plain |= {
        "state": State(plain["state"]),
        "reason": Reason(plain["reason"]) if plain["reason"] else None,
        "versions": json.loads(plain["versions"]),
    }
    return RunView(**plain, identity=_identity(row, config))


def _identity(row: sqlite3.Row, config: RunConfig) -> Identity:
    budget = config.budget
    return Identity(
        track=config.track,
        steps=budget.steps,
        batch=budget.batch,
        seq_len=budget.seq_len,
        short=budget.short,
        **{name: row[f"run_{name}"] for name in _IDENTITY_COLUMNS},
    )
