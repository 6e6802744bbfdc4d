"""Writing the ledger: a row exists before its work starts, and a result is committed before anyone is told."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, delete, text
from sqlmodel import Session, col, select

from bench.config import fingerprint, to_json
from bench.errors import StoreError
from bench.records import OVER_A_CAP, Failure, Identity, Outcome, Point, Reason, RunResult, State
from studies.asked import Proposal, RunKey
from studies.curves import pack_curve, pack_pace, pack_sizes
from studies.database import open_writer, reporting
from studies.definitions import StudySpec
from studies.models import (
    Artifact,
    Audit,
    Belt,
    Config,
    CurvePoint,
    Event,
    Phase,
    Run,
    Study,
    TechniqueCard,
    Trial,
    TrialRun,
    Verdict,
    key,
)
from studies.ownership import Owner, check_claim
from studies.reading import Reader
from studies.views import VerdictView

# Reasons that come from the config, not from the moment: they would come again.
_LASTING = (Reason.DIVERGED, *OVER_A_CAP)


class Store:
    """The ledger, opened for writing by one process at a time per study."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine: Engine = open_writer(path)
        self.read = Reader(path)

    def close(self) -> None:
        self.read.close()
        # the last connection to close folds the write-ahead log into the file, and a reader may not
        with self._engine.connect():
            pass
        self._engine.dispose()

    @property
    def artifacts(self) -> Path:
        """The folder beside the store where packed models are kept."""
        return self.read.artifacts

    @contextmanager
    def _writing(self) -> Iterator[tuple[Session, int]]:
        """A transaction and the new value of the clock; committed at the end, or nothing of it."""
        with reporting(self.path), Session(self._engine) as session, session.begin():
            rev = session.connection().execute(text("UPDATE clock SET rev = rev + 1 RETURNING rev")).scalar_one()
            yield session, rev

    # studies

    def begin(self, spec: StudySpec, cards: Sequence[dict[str, Any]], owner: Owner) -> bool:
        """Create the study or go on with it, as its only coordinator; True when it is new.

        Raises StoreError when it has another definition or another living coordinator. Work that a
        dead coordinator left under way is marked interrupted.
        """
        with self._writing() as (session, rev):
            row = session.exec(select(Study).where(Study.name == spec.name)).first()
            if new := row is None:
                row = Study(name=spec.name, spec=spec.to_json(), created_at=time.time(), rev=rev)
                session.add(row)
                session.flush()
                session.add_all(
                    TechniqueCard(study_id=key(row), slot=card["slot"], name=card["name"], card=card) for card in cards
                )
            else:
                check_claim(self.read.study(spec.name), spec, owner)
            self._claim(session, row, spec, owner, rev)
            self._event(session, row.id, None, "begun" if new else "resumed", f"process {owner.pid} on {owner.host}")
        return new

    def _claim(self, session: Session, row: Study, spec: StudySpec, owner: Owner, rev: int) -> None:
        row.spec = spec.to_json()
        row.owner_pid, row.owner_started_at, row.owner_host = owner.pid, owner.started_at, owner.host
        row.heartbeat_at, row.stop_requested_at, row.ended_reason = time.time(), None, None
        row.rev = rev
        session.add(row)
        self._interrupt(session, row, rev)

    def beat(self, study: str) -> bool:
        """Say that the coordinator lives; True when it has been asked to stop."""
        with self._writing() as (session, rev):
            row = self._study(session, study)
            row.heartbeat_at, row.rev = time.time(), rev
            return row.stop_requested_at is not None

    def ask_to_stop(self, study: str) -> None:
        with self._writing() as (session, rev):
            row = self._study(session, study)
            row.stop_requested_at, row.rev = time.time(), rev
            self._event(session, row.id, None, "stop", "a stop was asked for")

    def release(self, study: str, reason: str) -> None:
        """The coordinator leaves; whatever it had under way is marked interrupted."""
        with self._writing() as (session, rev):
            row = self._study(session, study)
            self._interrupt(session, row, rev)
            row.owner_pid = row.owner_started_at = row.owner_host = None
            row.ended_reason, row.rev = reason, rev
            self._event(session, row.id, None, "ended", reason)

    def _interrupt(self, session: Session, study: Study, rev: int) -> None:
        under_way = (State.RUNNING.value, State.QUEUED.value)
        rows = session.exec(
            select(Trial, Run)
            .outerjoin(TrialRun, col(TrialRun.trial_id) == col(Trial.id))
            .outerjoin(Run, col(Run.id) == col(TrialRun.run_id))
            .where(Trial.study_id == study.id, col(Trial.state).in_(under_way))
        ).all()
        for trial, run in rows:
            trial.state, trial.rev = State.INTERRUPTED.value, rev
            if run is not None and run.state in under_way:
                run.state, run.rev = State.INTERRUPTED.value, rev
            self._event(session, study.id, trial.number, "interrupted", "it will be run again when the study resumes")

    def phase(self, study: str, name: str, ended_reason: str | None = None) -> None:
        """Open a phase, or close it with the reason it ended; closing it again for that reason changes nothing."""
        with self._writing() as (session, rev):
            row = self._study(session, study)
            phase = session.exec(select(Phase).where(Phase.study_id == row.id, Phase.name == name)).first()
            if phase is not None and ended_reason is not None and phase.ended_reason == ended_reason:
                return
            phase = phase or Phase(study_id=key(row), name=name, started_at=time.time(), rev=rev)
            phase.ended_at = time.time() if ended_reason else None
            phase.ended_reason, phase.rev = ended_reason, rev
            session.add(phase)

    def judge(self, study: str, verdict: VerdictView) -> int:
        """Record a verdict and say it; the same question on the same runs has its row already. Returns the row's id."""
        with self._writing() as (session, rev):
            row = self._study(session, study)
            same = select(Verdict).where(Verdict.study_id == row.id, Verdict.question == verdict.question)
            for found in session.exec(same):
                if found.run_ids == verdict.run_ids:
                    return key(found)
            judged = Verdict(study_id=key(row), **asdict(verdict), created_at=time.time(), rev=rev)
            session.add(judged)
            session.flush()
            said = f"{verdict.question} {verdict.verdict}: {verdict.why}"
            self._event(session, row.id, None, "verdict", said)
            return key(judged)

    # honours

    def crown(
        self, study: str, identity: Identity, division: str, print_: str, before: str | None, verdict_id: int | None
    ) -> None:
        """Give a belt to a config; `before` is the holder it was won from, None for a belt that nobody holds.

        StoreError when another holds it by now. Who holds it already keeps it, and nothing is written.
        """
        plain = asdict(identity)
        with self._writing() as (session, rev):
            held = select(Belt).where(Belt.division == division, col(Belt.lost_at).is_(None))
            holder = next((belt for belt in session.exec(held) if belt.identity == plain), None)
            if holder is not None and holder.fingerprint == print_:
                return
            if (holder.fingerprint if holder else None) != before:
                raise StoreError(
                    f"the {division} belt has changed hands meanwhile", "grade the fighter again: it is free"
                )
            now = time.time()
            if holder is not None:
                holder.lost_at, holder.rev = now, rev
            row = self._study(session, study)
            session.add(
                Belt(
                    identity=plain, division=division, fingerprint=print_, verdict_id=verdict_id, taken_at=now, rev=rev,
                    study_id=row.id,
                )
            )  # fmt: skip
            self._event(session, row.id, None, "belt", f"takes the {division} belt at {identity.steps} steps")

    def audit(self, run_id: int, digest: str, n_bytes: int, val_loss: float) -> None:
        """Record what a run's packed model scores on the audit text; once, whatever is said later."""
        with self._writing() as (session, rev):
            if session.get(Audit, run_id) is None:
                session.add(
                    Audit(
                        run_id=run_id, digest=digest, n_bytes=n_bytes, val_loss=val_loss, flagged=False,
                        why="nothing to compare its gap with", audited_at=time.time(), rev=rev,
                    )
                )  # fmt: skip

    def flag(self, run_ids: Sequence[int], flagged: bool, why: str) -> None:
        """What the gaps of all audited fighters say of one."""
        with self._writing() as (session, rev):
            for run_id in run_ids:
                row = session.get_one(Audit, run_id)
                row.flagged, row.why, row.rev = flagged, why, rev

    def note(self, study: str, kind: str, text_: str) -> None:
        """Something that happened to a study and to none of its trials."""
        with self._writing() as (session, _):
            self._event(session, self._study(session, study).id, None, kind, text_)

    # trials and runs

    def propose(self, study: str, proposal: Proposal) -> None:
        """The trial's row, queued; nothing has been spent yet."""
        with self._writing() as (session, rev):
            self._trial_row(session, self._study(session, study), proposal, State.QUEUED, proposal.advice, rev)

    def refuse(self, study: str, proposal: Proposal, why: str) -> None:
        """A trial that ends before it costs anything."""
        with self._writing() as (session, rev):
            row = self._study(session, study)
            trial = self._trial_row(session, row, proposal, State.REFUSED, why, rev)
            trial.ended_at = time.time()
            self._event(session, row.id, proposal.number, "refused", why)

    def _trial_row(
        self, session: Session, study: Study, proposal: Proposal, state: State, message: str, rev: int
    ) -> Trial:
        print_ = fingerprint(proposal.config)
        if session.get(Config, print_) is None:
            session.add(Config(fingerprint=print_, config=to_json(proposal.config)))
            session.flush()
        trial = Trial(
            study_id=key(study),
            number=proposal.number,
            proposer=proposal.proposer,
            rule=proposal.rule,
            reason=proposal.reason,
            hypothesis=proposal.hypothesis,
            expected=proposal.expected,
            params=proposal.params,
            fingerprint=print_,
            state=state.value,
            message=message,
            created_at=time.time(),
            rev=rev,
            seed=proposal.seed,
        )
        session.add(trial)
        return trial

    def start(self, study: str, number: int, asked: RunKey, versions: dict[str, str]) -> tuple[int, bool]:
        """The run that realises a trial, and whether it still has to be run.

        A settled run of the same key answers at once: the trial is linked to it and ends as it did.
        """
        with self._writing() as (session, rev):
            row = self._study(session, study)
            trial = self._trial(session, row, number)
            run = self._find_run(session, trial.fingerprint, asked)
            settled = run is not None and _settles(run)
            if run is None or (not settled and run.state not in (State.INTERRUPTED, State.QUEUED)):
                # none yet; or another study is at it, or it failed for the moment's reasons: one of our own
                attempt = 1 if run is None else run.attempt + 1
                run = Run(
                    fingerprint=trial.fingerprint,
                    **asdict(asked),
                    attempt=attempt,
                    state="queued",
                    versions={},
                    rev=rev,
                )
            if settled:
                trial.ended_at = time.time()
                trial.message = f"the same run had already ended: run {run.id}"
            else:
                run.state, run.started_at, run.step, run.rev = State.RUNNING.value, time.time(), 0, rev
                run.versions = versions
            trial.state, trial.rev = run.state, rev
            session.add(run)
            session.flush()
            if not settled:
                session.connection().execute(delete(CurvePoint).where(col(CurvePoint.run_id) == run.id))
            session.connection().execute(delete(TrialRun).where(col(TrialRun.trial_id) == trial.id))
            session.add(TrialRun(trial_id=key(trial), run_id=key(run)))
            return key(run), not settled

    def _find_run(self, session: Session, print_: str, asked: RunKey) -> Run | None:
        """The latest attempt of a key; the corpus's name is no part of it, its digest is."""
        same = [getattr(Run, name) == value for name, value in asdict(asked).items() if name != "corpus_name"]
        found = select(Run).where(Run.fingerprint == print_, *same)
        return session.exec(found.order_by(col(Run.attempt).desc())).first()

    def add_points(self, run_id: int, points: Sequence[Point]) -> None:
        """Points of a run under way."""
        with self._writing() as (session, rev):
            run = session.get_one(Run, run_id)
            session.add_all(CurvePoint(run_id=run_id, **asdict(point)) for point in points)
            run.step, run.rev = points[-1].step, rev

    def finish(self, run_id: int, outcome: Outcome, artifact_file: str | None = None) -> None:
        """The outcome of a run and of every trial that waits for it, with the curve packed, in one transaction."""
        with self._writing() as (session, rev):
            text_ = self._close_run(session, run_id, outcome, rev)
            run = session.get_one(Run, run_id)
            if isinstance(outcome, RunResult):
                session.merge(
                    Artifact(
                        run_id=run_id,
                        sha256=outcome.artifact_sha256,
                        weights_bytes=outcome.weights_bytes,
                        file=artifact_file,
                    )
                )
            waiting = session.exec(select(Trial).join(TrialRun).where(TrialRun.run_id == run_id)).all()
            for trial in waiting:
                trial.state, trial.ended_at, trial.rev = run.state, run.ended_at, rev
                self._event(session, trial.study_id, trial.number, run.state, text_)

    def retry(self, study: str, number: int, run_id: int, killed: Failure, kind: str) -> None:
        """A run that something killed, with its trial waiting for another attempt instead of failed; `kind` names
        the event, by which a later coordinator knows that the trial has had it."""
        with self._writing() as (session, rev):
            text_ = self._close_run(session, run_id, killed, rev)
            for trial in session.exec(select(Trial).join(TrialRun).where(TrialRun.run_id == run_id)).all():
                trial.state, trial.rev = State.INTERRUPTED.value, rev
            row = self._study(session, study)
            said = f"run {run_id} ended, {text_}: the trial is run once more"
            self._trial(session, row, number).message = said
            self._event(session, row.id, number, kind, said)

    def drop_artifact(self, run_id: int) -> None:
        """Forget a kept file; replaying the run makes the same bytes again."""
        with self._writing() as (session, _):
            row = session.get_one(Artifact, run_id)
            if row.file is not None:
                (self.artifacts / row.file).unlink(missing_ok=True)
                row.file = None

    # rows inside a transaction

    def _close_run(self, session: Session, run_id: int, outcome: Outcome, rev: int) -> str:
        """Its outcome and its packed curve; returns the event's text."""
        run = session.get_one(Run, run_id)
        rows = session.exec(select(CurvePoint).where(CurvePoint.run_id == run_id).order_by(col(CurvePoint.id)))
        run.curve = pack_curve(Point(p.step, p.seconds, p.train_loss, p.probe_loss) for p in rows)
        session.connection().execute(delete(CurvePoint).where(col(CurvePoint.run_id) == run_id))
        run.ended_at, run.rev = time.time(), rev
        return _write_outcome(run, outcome)

    def _study(self, session: Session, name: str) -> Study:
        row = session.exec(select(Study).where(Study.name == name)).first()
        if row is None:
            raise StoreError(f"there is no study named {name}", "`autoresearch list` shows the studies")
        return row

    def _trial(self, session: Session, study: Study, number: int) -> Trial:
        return session.exec(select(Trial).where(Trial.study_id == study.id, Trial.number == number)).one()

    def _event(self, session: Session, study_id: int | None, trial: int | None, kind: str, text_: str) -> None:
        session.add(Event(at=time.time(), study_id=study_id, trial_number=trial, kind=kind, text=text_))


def _settles(run: Run) -> bool:
    return run.state == State.COMPLETE.value or (run.state == State.FAILED.value and run.reason in _LASTING)


def _write_outcome(run: Run, outcome: Outcome) -> str:
    """Copy an outcome into its row; returns the event's text."""
    if isinstance(outcome, Failure):
        run.state, run.reason = State.FAILED.value, outcome.reason.value
        run.message, run.log_tail = outcome.message, outcome.log_tail
        run.step, run.train_seconds = outcome.step, outcome.train_seconds
        return f"{outcome.reason.value}: {outcome.message}"
    run.state, run.reason, run.message = State.COMPLETE.value, None, ""
    run.step, run.val_loss, run.quant_gap = outcome.steps, outcome.val_loss, outcome.quant_gap
    run.weights_bytes, run.pace = outcome.weights_bytes, pack_pace(outcome.pace)
    run.sizes = None if outcome.sizes is None else pack_sizes(outcome.sizes)
    for name, value in asdict(outcome.cost).items():
        setattr(run, name, value)
    return f"val_loss {outcome.val_loss:.4f}, {outcome.weights_bytes:,} bytes"
