"""From a ledger to a folder with report.md and report.html."""

import os
import re
from pathlib import Path

from autoresearch.objections import objections, size
from autoresearch.reporting.commentary import commentary
from autoresearch.reporting.facts import gather
from autoresearch.reporting.markdown import MARK, to_markdown
from autoresearch.reporting.page import to_html
from autoresearch.reporting.report import Report
from bench.config import RunConfig, fingerprint
from bench.errors import ConfigError
from studies.definitions import StudySpec
from studies.reading import Reader

MARKDOWN, PAGE = "report.md", "report.html"


def report_of(store: Path, name: str) -> Report:
    """The report on a study; StoreError when the ledger has none of that name."""
    reader = Reader(store)
    allowed: dict[str, bool] = {}

    def allows(config: RunConfig) -> bool:
        # several sections ask of the same config, and an estimate builds its model
        print_ = fingerprint(config)
        if print_ not in allowed:
            allowed[print_] = may_run(config, spec)
        return allowed[print_]

    try:
        spec = reader.study(name).spec
        return commentary(gather(reader, name, allows, known_size))
    finally:
        reader.close()


def may_run(config: RunConfig, spec: StudySpec) -> bool:
    """Whether today's catalog builds a config that the study's division and track allow."""
    try:
        return not objections(config, spec)
    except ConfigError:
        # a technique or knob that the ledger knows and the catalog no longer has
        return False


def known_size(config: RunConfig) -> tuple[int, ...]:
    """Nothing for a technique or knob that the ledger knows and the catalog no longer has."""
    try:
        return size(config)
    except ConfigError:
        return ()


def write_report(report: Report, to: Path | None, option: str = "--to") -> Path:
    """Write both files, over an earlier report's but over nothing else; returns the folder."""
    folder = to or Path(f"{_file_name(report.study)}-report")
    check_own(folder, option)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in ((MARKDOWN, to_markdown(report)), (PAGE, to_html(report))):
            part = folder / f"{name}.part"
            part.write_text(text, encoding="utf-8", newline="\n")
            os.replace(part, folder / name)
    except OSError as wrong:
        raise ConfigError(
            f"the report can't be written to {folder}: {wrong.strerror}", f"name another place with {option}"
        ) from wrong
    return folder


def check_own(folder: Path, option: str = "--to") -> None:
    """Refuse a place that holds anything but an earlier report; `option` names it."""
    if not os.path.lexists(folder):
        return
    hint = f"name a folder that does not exist yet with {option}"
    if not folder.is_dir():
        raise ConfigError(f"{folder} exists and is no folder", hint)
    ours = {MARKDOWN, PAGE, f"{MARKDOWN}.part", f"{PAGE}.part"}
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in ours)
    if foreign:
        raise ConfigError(f"{folder} holds {foreign[0]}, which is no report", hint)
    written = folder / MARKDOWN
    if written.exists() and not written.read_text(encoding="utf-8", errors="replace").startswith(MARK):
        raise ConfigError(f"{written} was not written by this command", hint)
    if (folder / PAGE).exists() and not written.exists():
        raise ConfigError(f"{folder / PAGE} has no {MARKDOWN} beside it, so it may be another's", hint)


def _file_name(study: str) -> str:
    """A study's name as a folder's, whatever is in it."""
    return re.sub(r"[^\w.-]+", "-", study).strip(".-") or "study"
