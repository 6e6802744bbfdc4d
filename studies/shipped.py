"""Measurements as text: finished runs written to files that ship, and read back so that none is paid for twice."""

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import platformdirs
from sqlalchemy import ScalarResult, text
from sqlmodel import Session, col, select

from bench.config import canonical
from bench.errors import StoreError
from bench.records import State
from studies.database import MIGRATIONS, open_writer, reporting
from studies.definitions import OVER
from studies.models import RUN_KEY, Artifact, Belt, Config, Run, Study, TechniqueCard, Trial, TrialRun, Verdict, key

FOLDER = Path(__file__).parent / "measured"
# Columns of a run that are packed: each is a text of its own in the line of a run that has it.
_PACKED = ("curve", "pace", "sizes")
# Bookkeeping of one database, meaningless in another.
_LOCAL_RUN = {"id", "rev", *_PACKED}
_LOCAL_TRIAL = {"id", "study_id", "rev"}
_LOCAL_VERDICT = {"id", "study_id", "rev", "run_ids"}
# when a belt is lost is told by who takes it, in another file
_LOCAL_BELT = {"id", "study_id", "rev", "verdict_id", "lost_at"}


def export_measured(store: Path, study: str, to: Path) -> int:
    """Write a study with its settled trials, their runs and curves as JSON lines; returns how many trials."""
    engine = open_writer(store)
    with reporting(store), Session(engine) as session:
        row = session.exec(select(Study).where(Study.name == study)).one()
        told = {"name": row.name, "spec": row.spec, "created_at": row.created_at}
        # a piece of a measurement ends for the moment's reasons, which say nothing of the measurement
        told |= {"ended_reason": row.ended_reason} if row.ended_reason in OVER else {}
        lines: list[dict[str, Any]] = [{"study": told}]
        cards = session.exec(
            select(TechniqueCard).where(TechniqueCard.study_id == row.id).order_by(col(TechniqueCard.id))
        )
        lines += [{"card": card.card} for card in cards]
        for trial in session.exec(select(Trial).where(Trial.study_id == row.id).order_by(col(Trial.number))):
            if trial.state in (State.RUNNING, State.QUEUED, State.INTERRUPTED):
                # what follows an unfinished trial was proposed without it: the file ends where the record is whole
                break
            lines.append(_trial_line(session, trial))
        written = {line["trial"]["number"] for line in lines if "trial" in line}
        lines += _verdict_lines(session, row, written)
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_suffix(".part")
    part.write_text("".join(canonical(line) + "\n" for line in lines))
    os.replace(part, to)
    engine.dispose()
    return sum("trial" in line for line in lines)


def _trial_line(session: Session, trial: Trial) -> dict[str, Any]:
    # a trial with the study's own seed is written as it was before there were replications
    left_out = _LOCAL_TRIAL if trial.seed is not None else _LOCAL_TRIAL | {"seed"}
    line: dict[str, Any] = {"trial": trial.model_dump(exclude=left_out)}
    run = session.exec(select(Run).join(TrialRun).where(TrialRun.trial_id == trial.id)).first()
    return line | _run_line(session, trial.fingerprint, run)


def _run_line(session: Session, print_: str, run: Run | None) -> dict[str, Any]:
    line: dict[str, Any] = {"config": session.get_one(Config, print_).config}
    if run is not None:
        line["run"] = run.model_dump(exclude=_LOCAL_RUN)
        # a curve is written even where it is empty, as it was before there was anything else
        packed = {name: getattr(run, name) or b"" for name in _PACKED}
        line |= {name: base64.b64encode(blob).decode() for name, blob in packed.items() if blob or name == "curve"}
        if artifact := session.get(Artifact, run.id):
            line["artifact"] = {"sha256": artifact.sha256, "weights_bytes": artifact.weights_bytes}
    return line


def _verdict_lines(session: Session, study: Study, written: set[int]) -> Iterator[dict[str, Any]]:
    """Each question's last verdict and those that a belt was won by, with the belt; then belts that nobody held.

    Runs are told by the numbers of their trials, since a run's own means nothing elsewhere. A verdict over runs of
    other studies tells all by their identity, after lines with the others' runs: it stands whichever file comes first.
    """
    rows = session.exec(
        select(TrialRun.run_id, Trial.number).join(Trial).where(Trial.study_id == study.id).order_by(col(Trial.number))
    )
    number_of = dict(rows.all())
    belts = session.exec(select(Belt).where(Belt.study_id == study.id).order_by(col(Belt.taken_at), col(Belt.id))).all()
    asked: dict[str, list[Verdict]] = {}
    for verdict in session.exec(select(Verdict).where(Verdict.study_id == study.id).order_by(col(Verdict.id))):
        asked.setdefault(verdict.question, []).append(verdict)
    others: set[int] = set()
    for verdict in (verdict for verdicts in asked.values() for verdict in verdicts):
        won = [belt for belt in belts if belt.verdict_id == verdict.id]
        ids = [run_id for runs in verdict.run_ids.values() for run_id in runs]
        if (not won and verdict is not asked[verdict.question][-1]) or not written.issuperset(
            number_of[run_id] for run_id in ids if run_id in number_of
        ):
            continue
        line: dict[str, Any] = {"verdict": verdict.model_dump(exclude=_LOCAL_VERDICT)}
        if foreign := [run_id for run_id in ids if run_id not in number_of]:
            for run in (session.get_one(Run, run_id) for run_id in foreign if run_id not in others):
                yield _run_line(session, run.fingerprint, run)
            others.update(foreign)
            line["runs"] = {arm: [_run_key(session, r) for r in runs] for arm, runs in verdict.run_ids.items()}
        else:
            line["trials"] = {arm: [number_of[run_id] for run_id in runs] for arm, runs in verdict.run_ids.items()}
        yield from [line | _belt_line(belt) for belt in won] or [line]
    yield from (_belt_line(belt) for belt in belts if belt.verdict_id is None)


def _run_key(session: Session, run_id: int) -> dict[str, Any]:
    return session.get_one(Run, run_id).model_dump(include=set(RUN_KEY))


def _belt_line(belt: Belt) -> dict[str, Any]:
    return {"belt": belt.model_dump(exclude=_LOCAL_BELT)}


def import_measured(store: Path, source: Path, shipped: bool) -> None:
    """Bring a file's study into a store; trials and runs that are there already stay as they are."""
    engine = open_writer(store)
    with reporting(store), Session(engine) as session, session.begin():
        rev = session.connection().execute(text("UPDATE clock SET rev = rev + 1 RETURNING rev")).scalar_one()
        study: Study | None = None
        carded: set[tuple[str, str]] = set()
        for line in _lines(source):
            if "study" in line:
                study = _study_row(session, line["study"], shipped, rev)
                of_study = select(TechniqueCard.slot, TechniqueCard.name).where(TechniqueCard.study_id == study.id)
                carded = set(session.exec(of_study).all())
            elif study is None:
                raise StoreError(f"{source.name} does not begin with a study", "restore the file from the project")
            elif "card" in line:
                card = line["card"]
                if (card["slot"], card["name"]) not in carded:
                    session.add(TechniqueCard(study_id=key(study), slot=card["slot"], name=card["name"], card=card))
            elif "trial" in line:
                _trial_row(session, study, line, rev)
            elif "run" in line:
                session.merge(Config(fingerprint=line["run"]["fingerprint"], config=line["config"]))
                _run_row(session, line, rev)
            else:
                verdict = _verdict_row(session, study, line, rev) if "verdict" in line else None
                if "belt" in line:
                    _belt_row(session, study, line["belt"], verdict, rev)
    engine.dispose()


def _lines(source: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(source.read_text().splitlines(), start=1):
        try:
            yield json.loads(line)
        except ValueError as wrong:
            raise StoreError(f"{source.name} line {number} is no JSON", "restore the file from the project") from wrong


def _study_row(session: Session, plain: dict[str, Any], shipped: bool, rev: int) -> Study:
    found = session.exec(select(Study).where(Study.name == plain["name"])).first()
    study = found or Study(**plain, shipped=shipped, rev=rev)
    session.add(study)
    session.flush()
    return study


def _trial_row(session: Session, study: Study, line: dict[str, Any], rev: int) -> None:
    plain = line["trial"]
    if session.exec(select(Trial).where(Trial.study_id == study.id, Trial.number == plain["number"])).first():
        return
    session.merge(Config(fingerprint=plain["fingerprint"], config=line["config"]))
    trial = Trial(**plain, study_id=key(study), rev=rev)
    session.add(trial)
    session.flush()
    if "run" in line:
        run = _run_row(session, line, rev)
        session.add(TrialRun(trial_id=key(trial), run_id=key(run)))


def _verdict_row(session: Session, study: Study, line: dict[str, Any], rev: int) -> Verdict:
    if "runs" in line:
        run_ids = {arm: [key(_same_run(session, run).one()) for run in runs] for arm, runs in line["runs"].items()}
    else:
        rows = session.exec(select(Trial.number, TrialRun.run_id).join(TrialRun).where(Trial.study_id == study.id))
        run_of = dict(rows.all())
        run_ids = {arm: [run_of[number] for number in numbers] for arm, numbers in line["trials"].items()}
    same = select(Verdict).where(Verdict.study_id == study.id, Verdict.question == line["verdict"]["question"])
    found = next((verdict for verdict in session.exec(same) if verdict.run_ids == run_ids), None)
    verdict = found or Verdict(study_id=key(study), **line["verdict"], run_ids=run_ids, rev=rev)
    session.add(verdict)
    session.flush()
    return verdict


def _belt_row(session: Session, study: Study, plain: dict[str, Any], verdict: Verdict | None, rev: int) -> None:
    """A belt as its study took it; who holds it then follows from all that are known, whatever came first."""
    same = session.exec(select(Belt).where(Belt.division == plain["division"])).all()
    rivals = [belt for belt in same if belt.identity == plain["identity"]]
    if any((belt.fingerprint, belt.taken_at) == (plain["fingerprint"], plain["taken_at"]) for belt in rivals):
        return
    rivals.append(Belt(**plain, study_id=key(study), verdict_id=key(verdict) if verdict else None, rev=rev))
    holder: Belt | None = None
    for belt in sorted(rivals, key=lambda belt: (belt.taken_at, belt.fingerprint)):
        lost_at = None
        if _won_from(session, belt) == (holder.fingerprint if holder else None):
            if holder is not None:
                holder.lost_at = belt.taken_at
            holder = belt
        else:
            # taken where nobody knew of the holder, so from nobody: it never was a belt of this ledger
            lost_at = belt.taken_at
        belt.lost_at, belt.rev = lost_at, rev
        session.add(belt)


def _won_from(session: Session, belt: Belt) -> str | None:
    """The fingerprint of the holder that a belt's verdict is over; None for one that nobody held."""
    if belt.verdict_id is None:
        return None
    return session.get_one(Run, session.get_one(Verdict, belt.verdict_id).run_ids["old"][0]).fingerprint


def _same_run(session: Session, plain: dict[str, Any]) -> ScalarResult[Run]:
    return session.exec(select(Run).where(*(getattr(Run, name) == plain[name] for name in RUN_KEY)))


def _run_row(session: Session, line: dict[str, Any], rev: int) -> Run:
    plain = line["run"]
    found = _same_run(session, plain).first()
    if found is not None:
        return found
    packed: dict[str, Any] = {name: base64.b64decode(line[name]) or None for name in _PACKED if name in line}
    run = Run(**plain, **packed, rev=rev)
    session.add(run)
    session.flush()
    if "artifact" in line:
        session.add(Artifact(run_id=key(run), **line["artifact"]))
    return run


def shipped_files() -> list[Path]:
    return sorted(FOLDER.glob("*.jsonl"))


def shipped_store(cache: Path | None = None) -> Path | None:
    """A store made of the shipped measurements, in the cache folder; None when nothing is shipped."""
    files = shipped_files()
    if not files:
        return None
    # a store made by an earlier version lacks later columns, and a reader may not add them
    parts = [*(file.read_bytes() for file in files), *(name.encode() for name in MIGRATIONS)]
    digest = hashlib.sha256(b"".join(parts)).hexdigest()[:16]
    folder = cache or Path(platformdirs.user_cache_dir("arena-autoresearch"))
    made = folder / f"shipped-{digest}.db"
    if not made.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"shipped-{digest}-{os.getpid()}.part"
        import_files(part, files)
        os.replace(part, made)
    return made


def import_files(store: Path, files: Iterable[Path]) -> None:
    for file in files:
        import_measured(store, file, shipped=True)
