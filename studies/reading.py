"""Reading the ledger: rows to records, never a write. Safe beside a running study."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, text
from sqlmodel import Session, col, select

from bench.config import from_json
from bench.errors import StoreError
from bench.records import Identity, Point, Reason, State
from bench.standings import Entry
from studies.curves import unpack_curve
from studies.database import open_reader, reporting
from studies.definitions import StudySpec
from studies.models import Artifact, Config, CurvePoint, Event, Run, Study, TechniqueCard, Trial, TrialRun
from studies.views import ArtifactView, EventView, RunView, StudyView, TrialView


class Reader:
    """Answers from one store, each in a short transaction of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine: Engine = open_reader(path)
        self._watching = self._engine.connect()

    def close(self) -> None:
        self._watching.close()
        self._engine.dispose()

    @property
    def artifacts(self) -> Path:
        """The folder beside the store where packed models are kept."""
        return self.path.with_suffix(".artifacts")

    def data_version(self) -> int:
        """A number that changes when another connection has committed."""
        with reporting(self.path):
            version: int = self._watching.exec_driver_sql("PRAGMA data_version").scalar_one()
            # ends the transaction the question opened: an open one would hold back checkpoints
            self._watching.rollback()
            return version

    def rev(self) -> int:
        """The clock: rows that changed after this carry a higher `rev`."""
        with reporting(self.path), Session(self._engine) as session:
            found: int = session.connection().execute(text("SELECT rev FROM clock")).scalar_one()
            return found

    def studies(self) -> list[StudyView]:
        """Every study, newest first, shipped ones last."""
        with reporting(self.path), Session(self._engine) as session:
            order = (col(Study.shipped), col(Study.created_at).desc(), col(Study.name))
            return [_study(session, row) for row in session.exec(select(Study).order_by(*order))]

    def study(self, name: str) -> StudyView:
        """One study; StoreError lists the known ones."""
        with reporting(self.path), Session(self._engine) as session:
            row = session.exec(select(Study).where(Study.name == name)).first()
            if row is None:
                known = session.exec(select(Study.name).order_by(col(Study.created_at).desc())).all()
                raise StoreError(
                    f"there is no study named {name} in {self.path}",
                    f"the studies are {', '.join(known)}" if known else "the store holds no study yet",
                )
            return _study(session, row)

    def trials(self, study: str, since_rev: int = -1) -> list[TrialView]:
        """Trials by number; with `since_rev`, those that changed after it, by themselves or by their run."""
        with reporting(self.path), Session(self._engine) as session:
            asked = (
                select(Trial, Config, Run)
                .join(Study, col(Study.id) == col(Trial.study_id))
                .join(Config, col(Config.fingerprint) == col(Trial.fingerprint))
                .outerjoin(TrialRun, col(TrialRun.trial_id) == col(Trial.id))
                .outerjoin(Run, col(Run.id) == col(TrialRun.run_id))
                .where(Study.name == study)
                .order_by(col(Trial.number))
            )
            if since_rev >= 0:
                asked = asked.where((col(Trial.rev) > since_rev) | (col(Run.rev) > since_rev))
            return [_trial(study, trial, config, run) for trial, config, run in session.exec(asked)]

    def curve(self, run_id: int) -> list[Point]:
        """A run's curve so far: the packed one once it has ended."""
        with reporting(self.path), Session(self._engine) as session:
            packed = session.exec(select(Run.curve).where(Run.id == run_id)).first()
            if packed is not None:
                return unpack_curve(packed)
        return [point for _, _, point in self.points([run_id])]

    def points(self, run_ids: Iterable[int], after_id: int = 0) -> list[tuple[int, int, Point]]:
        """`(row id, run id, point)` of runs under way, in order, from after a row id on."""
        with reporting(self.path), Session(self._engine) as session:
            asked = (
                select(CurvePoint)
                .where(col(CurvePoint.run_id).in_(list(run_ids)), col(CurvePoint.id) > after_id)
                .order_by(col(CurvePoint.id))
            )
            return [
                (_sure(row.id), row.run_id, Point(row.step, row.seconds, row.train_loss, row.probe_loss))
                for row in session.exec(asked)
            ]

    def entries(self) -> list[Entry]:
        """Every complete run with each study it served, for the standings."""
        with reporting(self.path), Session(self._engine) as session:
            asked = (
                select(Trial, Study, Config, Run)
                .join(Study, col(Study.id) == col(Trial.study_id))
                .join(TrialRun, col(TrialRun.trial_id) == col(Trial.id))
                .join(Run, col(Run.id) == col(TrialRun.run_id))
                .join(Config, col(Config.fingerprint) == col(Run.fingerprint))
                .where(Run.state == State.COMPLETE.value)
            )
            found = []
            for trial, study, config, run in session.exec(asked):
                parsed = from_json(config.config)
                found.append(
                    Entry(
                        identity=_identity(run, config.config),
                        division=study.spec["division_name"],
                        config=parsed,
                        seed=run.seed,
                        val_loss=_sure(run.val_loss),
                        weights_bytes=_sure(run.weights_bytes),
                        parameters=_sure(run.parameters),
                        train_seconds=_sure(run.train_seconds),
                        study=study.name,
                        trial=trial.number,
                    )
                )
            return found

    def corpora(self) -> dict[str, str]:
        """Corpus names by digest."""
        with reporting(self.path), Session(self._engine) as session:
            return {row.spec["corpus_digest"]: row.spec["corpus_name"] for row in session.exec(select(Study))}

    def events(self, after_id: int = 0, study: str | None = None, limit: int = 1000) -> list[EventView]:
        """The newest events after a row id, oldest first."""
        with reporting(self.path), Session(self._engine) as session:
            asked = select(Event, Study.name).outerjoin(Study, col(Study.id) == col(Event.study_id))
            asked = asked.where(col(Event.id) > after_id)
            if study is not None:
                asked = asked.where(Study.name == study)
            rows = session.exec(asked.order_by(col(Event.id).desc()).limit(limit)).all()
            return [
                EventView(id=_sure(e.id), at=e.at, study=name, trial=e.trial_number, kind=e.kind, text=e.text)
                for e, name in reversed(rows)
            ]

    def cards(self, study: str) -> list[dict[str, Any]]:
        """The technique cards as they were when the study started."""
        with reporting(self.path), Session(self._engine) as session:
            asked = select(TechniqueCard).join(Study, col(Study.id) == col(TechniqueCard.study_id))
            rows = session.exec(asked.where(Study.name == study).order_by(col(TechniqueCard.id)))
            return [row.card for row in rows]

    def artifact(self, run_id: int) -> ArtifactView | None:
        with reporting(self.path), Session(self._engine) as session:
            row = session.get(Artifact, run_id)
            if row is None:
                return None
            return ArtifactView(sha256=row.sha256, weights_bytes=row.weights_bytes, file=row.file)

    def run(self, run_id: int) -> tuple[RunView, Any]:
        """A run and the config it ran; StoreError when there is none of that number."""
        with reporting(self.path), Session(self._engine) as session:
            row = session.get(Run, run_id)
            if row is None:
                last = session.exec(select(func.max(Run.id))).one()
                raise StoreError(
                    f"there is no run {run_id}", f"runs go from 1 to {last}" if last else "there is none yet"
                )
            config = session.get_one(Config, row.fingerprint)
            return run_view(row, config.config), from_json(config.config)

    def check(self) -> str:
        """What SQLite's own check says: `ok` when the file is sound."""
        with reporting(self.path), self._engine.connect() as connection:
            said: str = connection.exec_driver_sql("PRAGMA quick_check").scalar_one()
            return said


def _sure(value: Any) -> Any:
    assert value is not None, "a column that a CHECK constraint or a key keeps filled"
    return value


def _study(session: Session, row: Study) -> StudyView:
    counted = session.exec(
        select(Trial.state, func.count()).where(Trial.study_id == row.id).group_by(col(Trial.state))
    ).all()
    return StudyView(
        spec=StudySpec.from_json(row.spec),
        created_at=row.created_at,
        shipped=row.shipped,
        owner_pid=row.owner_pid,
        owner_host=row.owner_host,
        owner_started_at=row.owner_started_at,
        heartbeat_at=row.heartbeat_at,
        stop_requested_at=row.stop_requested_at,
        ended_reason=row.ended_reason,
        n_by_state={State(state): n for state, n in counted},
    )


def _trial(study: str, trial: Trial, config: Config, run: Run | None) -> TrialView:
    return TrialView(
        study=study,
        number=trial.number,
        proposer=trial.proposer,
        rule=trial.rule,
        reason=trial.reason,
        hypothesis=trial.hypothesis,
        expected=trial.expected,
        params=trial.params,
        fingerprint=trial.fingerprint,
        config=from_json(config.config),
        state=State(trial.state),
        message=trial.message,
        created_at=trial.created_at,
        ended_at=trial.ended_at,
        run=run_view(run, config.config) if run else None,
        rev=max(trial.rev, run.rev if run else 0),
    )


def run_view(run: Run, config: dict[str, Any]) -> RunView:
    same = RunView.__dataclass_fields__.keys() & Run.model_fields.keys()
    plain = {name: getattr(run, name) for name in same}
    plain |= {"state": State(run.state), "reason": Reason(run.reason) if run.reason else None}
    return RunView(**plain, identity=_identity(run, config))


def _identity(run: Run, config: dict[str, Any]) -> Identity:
    budget = config["budget"]
    return Identity(
        track=config["track"],
        track_version=run.track_version,
        corpus_digest=run.corpus_digest,
        steps=budget["steps"],
        batch=budget["batch"],
        seq_len=budget["seq_len"],
        evaluator_version=run.evaluator_version,
        device_class=run.device_class,
        numerics_version=run.numerics_version,
    )
