"""Published findings on screen: what the command tells, a row each, and what is known of the one under the cursor."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from on_screen import words

from arena_tui.app import ArenaApp
from arena_tui.commands import Answer, UnknownFormatError
from arena_tui.findings import findings_of
from arena_tui.screens.claims import ClaimsScreen, columns_for
from arena_tui.widgets.table import VirtualTable, column_widths
from studies.claims import CLAIMS

Settled = Callable[[Any], Awaitable[None]]


def claim(name: str, verdict: str, **more: Any) -> dict[str, Any]:
    plain = {
        "name": name,
        "text": f"[b]{name}[/] by 6 %",
        "source": "a page",
        "published": "6 %",
        "statistic": "one-sided Welch of gain above 0 nats/byte",
        "untestable": "",
        "note": "",
        "verdict": verdict,
        "result": None,
        "runs_left": 0,
        "untuned_effect": None,
        "artefact_of_tuning": False,
        "cross_budget": False,
    }
    return plain | more


RESULT = {"why": "p 0.4 is not below 0.01", "effect": 0.02, "low": -0.01, "high": 0.05, "p": 0.4, "n": 3}
TOLD = {
    "study": "measured-claims",
    "corpus": "tinystories 9f3c1a2b",
    "device_class": None,
    "runs_left": 22,
    "core_hours_left": 1.25,
    "claims": [
        claim("lion", "refuted", result=RESULT, untuned_effect=-0.2, artefact_of_tuning=True),
        claim("gqa", "not measured yet", runs_left=22),
        claim("mixer", "not testable as published", untestable="it is not disclosed"),
    ],
}


async def test_findings_are_listed_with_verdict_effect_and_test(
    store: Path, alive: None, settled: Settled, now: Callable[[], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def ask(words: list[str], begun: object) -> Answer:
        asked.append(words)
        return Answer(0, json.dumps(TOLD))

    monkeypatch.setattr("arena_tui.screens.told.ask", ask)
    app = ArenaApp(clock=now)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("7")
        for _ in range(200):
            await pilot.pause(0.02)
            if isinstance(app.screen, ClaimsScreen) and app.screen.findings():
                break
        await pilot.pause()
        assert asked == [["claims", "--json", "--store", str(store)]]
        rows = app.screen.query_one(VirtualTable)._rows
        assert [str(cell) for cell in rows[0].cells] == ["[b]lion[/] by 6 %", "refuted", "+0.0200"]
        assert [str(row.cells[1]) for row in rows[1:]] == ["not measured", "not testable"]
        assert words(app, "#summary") == "refuted 1  not measured 1  not testable 1; 22 runs left, 1.2 core hours"
        assert words(app, "#where") == "after 9 ended trials on tinystories 9f3c1a2b"
        about = words(app, "#about-text")
        assert "an artefact of tuning: untuned arms said what tuned ones refute" in about
        assert "-0.0100 to +0.0500 nats/byte  p 0.4  n 3" in about
        assert "p 0.4 is not below 0.01" in about
        await pilot.press("G")
        await pilot.pause()
        assert "it is not disclosed" in words(app, "#about-text")


@pytest.mark.parametrize("width", [60, 80, 99, 100, 149, 150, 160, 199, 200, 240])
def test_the_finding_has_the_widest_column(width: int) -> None:
    columns = columns_for(width)
    widths = dict(zip((column.key for column in columns), column_widths(columns, width - 2), strict=True))
    assert widths["claim"] > max(cells for key, cells in widths.items() if key != "claim")
    assert sum(widths.values()) + len(widths) - 1 == width - 2
    # all but a few of the published findings are whole
    whole = sum(len(known.text) <= widths["claim"] for known in CLAIMS)
    assert whole >= (len(CLAIMS) if width >= 160 else len(CLAIMS) - 3 if width >= 80 else 9)


@pytest.mark.parametrize("text", ["", "[]", '{"claims": [{}]}', '{"claims": []}'])
def test_what_tells_of_no_claims_is_said(text: str) -> None:
    with pytest.raises(UnknownFormatError, match="the claims can't be read"):
        findings_of(text)


def test_the_command_tells_what_the_screen_reads() -> None:
    from autoresearch.claims.listing import ClaimRow, Found, report_json
    from studies.views import VerdictView

    verdict = VerdictView(question="q", verdict="refuted", run_ids={}, **RESULT)
    rows = [ClaimRow(claim=known, verdict=verdict, n_left=0, untuned=0.1, artefact=False) for known in CLAIMS]
    told = report_json(Found(study="s", steps=500, corpus="c", device_class=None, rows=rows, arms=[]))
    found = findings_of(json.dumps(told))
    assert [row.text for row in found.rows] == [known.text for known in CLAIMS]
    assert {row.why for row in found.rows} == {RESULT["why"]}
