"""Measurements as text: finished runs written to files that ship, and read back so that none is paid for twice."""

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import platformdirs
from sqlalchemy import text
from sqlmodel import Session, col, select

from bench.config import canonical
from bench.errors import StoreError
from bench.records import State
from studies.database import MIGRATIONS, open_writer, reporting
from studies.models import RUN_KEY, Artifact, Config, Run, Study, TechniqueCard, Trial, TrialRun, Verdict, key

FOLDER = Path(__file__).parent / "measured"
# Bookkeeping of one database, meaningless in another.
_LOCAL_RUN = {"id", "rev", "curve", "pace"}
_LOCAL_TRIAL = {"id", "study_id", "rev"}
_LOCAL_VERDICT = {"id", "study_id", "rev", "run_ids"}


def export_measured(store: Path, study: str, to: Path) -> int:
    """Write a study with its settled trials, their runs and curves as JSON lines; returns how many trials."""
    engine = open_writer(store)
    with reporting(store), Session(engine) as session:
        row = session.exec(select(Study).where(Study.name == study)).one()
        lines: list[dict[str, Any]] = [{"study": {"name": row.name, "spec": row.spec, "created_at": row.created_at}}]
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
        lines += [v for v in _verdict_lines(session, row) if all(written.issuperset(ns) for ns in v["trials"].values())]
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
    line["config"] = session.get_one(Config, trial.fingerprint).config
    run = session.exec(select(Run).join(TrialRun).where(TrialRun.trial_id == trial.id)).first()
    if run is not None:
        line["run"] = run.model_dump(exclude=_LOCAL_RUN)
        line["curve"] = base64.b64encode(run.curve or b"").decode()
        if run.pace:
            line["pace"] = base64.b64encode(run.pace).decode()
        if artifact := session.get(Artifact, run.id):
            line["artifact"] = {"sha256": artifact.sha256, "weights_bytes": artifact.weights_bytes}
    return line


def _verdict_lines(session: Session, study: Study) -> Iterator[dict[str, Any]]:
    """Each question's last verdict, its runs as the numbers of their trials: a run's own means nothing elsewhere."""
    rows = session.exec(
        select(TrialRun.run_id, Trial.number).join(Trial).where(Trial.study_id == study.id).order_by(col(Trial.number))
    )
    number_of = dict(rows.all())
    asked = select(Verdict).where(Verdict.study_id == study.id).order_by(col(Verdict.id))
    last = {verdict.question: verdict for verdict in session.exec(asked)}
    for verdict in last.values():
        if all(run_id in number_of for runs in verdict.run_ids.values() for run_id in runs):
            trials = {arm: [number_of[run_id] for run_id in runs] for arm, runs in verdict.run_ids.items()}
            yield {"verdict": verdict.model_dump(exclude=_LOCAL_VERDICT), "trials": trials}


def import_measured(store: Path, source: Path, shipped: bool) -> None:
    """Bring a file's study into a store; trials and runs that are there already stay as they are."""
    engine = open_writer(store)
    with reporting(store), Session(engine) as session, session.begin():
        rev = session.connection().execute(text("UPDATE clock SET rev = rev + 1 RETURNING rev")).scalar_one()
        study: Study | None = None
        for line in _lines(source):
            if "study" in line:
                study = _study_row(session, line["study"], shipped, rev)
            elif study is None:
                raise StoreError(f"{source.name} does not begin with a study", "restore the file from the project")
            elif "verdict" in line:
                _verdict_row(session, study, line, rev)
            elif "card" in line:
                _card_row(session, study, line["card"])
            else:
                _trial_row(session, study, line, rev)
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


def _card_row(session: Session, study: Study, card: dict[str, Any]) -> None:
    same = (TechniqueCard.study_id == study.id, TechniqueCard.slot == card["slot"], TechniqueCard.name == card["name"])
    if session.exec(select(TechniqueCard).where(*same)).first() is None:
        session.add(TechniqueCard(study_id=key(study), slot=card["slot"], name=card["name"], card=card))


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


def _verdict_row(session: Session, study: Study, line: dict[str, Any], rev: int) -> None:
    rows = session.exec(select(Trial.number, TrialRun.run_id).join(TrialRun).where(Trial.study_id == study.id))
    run_of = dict(rows.all())
    run_ids = {arm: [run_of[number] for number in numbers] for arm, numbers in line["trials"].items()}
    same = select(Verdict).where(Verdict.study_id == study.id, Verdict.question == line["verdict"]["question"])
    if not any(found.run_ids == run_ids for found in session.exec(same)):
        session.add(Verdict(study_id=key(study), **line["verdict"], run_ids=run_ids, rev=rev))


def _run_row(session: Session, line: dict[str, Any], rev: int) -> Run:
    plain = line["run"]
    same = (getattr(Run, name) == plain[name] for name in RUN_KEY)
    found = session.exec(select(Run).where(*same)).first()
    if found is not None:
        return found
    pace = base64.b64decode(line["pace"]) if "pace" in line else None
    run = Run(**plain, curve=base64.b64decode(line["curve"]) or None, pace=pace, rev=rev)
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
