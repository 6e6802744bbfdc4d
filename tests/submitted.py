"""How tests look at a submission folder."""

from pathlib import Path

from autoresearch.submission.checks import Check
from autoresearch.submission.verify import verify_submission

# Scoring again costs most of a check, so tests that are not about it name no corpus.
NOWHERE = "/nowhere/at/all"


def looked_at(folder: Path, data: Path | str = NOWHERE) -> dict[str, Check]:
    return {check.item: check for check in verify_submission(folder, str(data))}


def verdicts(folder: Path, data: Path | str = NOWHERE) -> dict[str, str]:
    return {item: check.verdict for item, check in looked_at(folder, data).items()}


def failing(folder: Path, data: Path | str = NOWHERE) -> set[str]:
    return {item for item, verdict in verdicts(folder, data).items() if verdict == "fail"}
