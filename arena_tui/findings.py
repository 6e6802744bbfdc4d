"""The published findings with our verdicts: what `autoresearch claims --json` tells, as rows."""

import json
from dataclasses import dataclass

from arena_tui.commands import UnknownFormatError


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A published finding, how it is tested here, and what came of it; effects are new minus old, nats per byte."""

    name: str
    text: str
    source: str
    published: str
    tested: str  # the statistic, or why there is none
    note: str
    verdict: str
    why: str
    effect: float | None
    low: float | None
    high: float | None
    p: float | None
    n: int
    runs_left: int
    untuned: float | None  # the effect before any tuning
    artefact: bool  # held untuned, refuted when every arm is tuned alike
    cross_budget: bool


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All of them, on which text and machine, and what is left to run."""

    corpus: str
    device_class: str
    runs_left: int
    hours_left: float  # of one core
    rows: tuple[Finding, ...]


def findings_of(text: str) -> Findings:
    """Raises UnknownFormatError when it is not what the command tells."""
    try:
        plain = json.loads(text)
        rows = []
        for claim in plain["claims"]:
            result = claim["result"] or {"why": "", "effect": None, "low": None, "high": None, "p": None, "n": 0}
            rows.append(
                Finding(
                    name=claim["name"],
                    text=claim["text"],
                    source=claim["source"],
                    published=claim["published"],
                    tested=claim["untestable"] or claim["statistic"],
                    note=claim["note"],
                    verdict=claim["verdict"],
                    why=result["why"],
                    effect=result["effect"],
                    low=result["low"],
                    high=result["high"],
                    p=result["p"],
                    n=result["n"],
                    runs_left=claim["runs_left"],
                    untuned=claim["untuned_effect"],
                    artefact=claim["artefact_of_tuning"],
                    cross_budget=claim["cross_budget"],
                )
            )
        return Findings(
            corpus=plain["corpus"],
            device_class=plain["device_class"] or "",
            runs_left=plain["runs_left"],
            hours_left=plain["core_hours_left"],
            rows=tuple(rows),
        )
    except (ValueError, KeyError, TypeError) as wrong:
        raise UnknownFormatError(f"the claims can't be read: {wrong!r}") from wrong
