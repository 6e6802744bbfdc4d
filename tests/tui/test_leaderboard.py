"""Parameter Golf's leaderboard: what ships, what a fetch makes of good and bad answers, and the screen over both."""

import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from on_screen import words

from arena_tui import leaderboard_fetch
from arena_tui.app import ArenaApp
from arena_tui.leaderboard import DIVISIONS, Status, merged, ordered, ranks, shipped
from arena_tui.leaderboard_fetch import kept, official_of, pulls_of, refresh
from arena_tui.screens.leaderboard import LeaderboardScreen
from arena_tui.widgets.table import VirtualTable
from bench.errors import DataError

README = """# Golf
| Not | a board |
|---|---|
| 1.0 | x |

## Leaderboard
| Run | Score | Author | Summary | Date | Info |
|-----|------:|--------|---------|------|------|
| Faster [bold] than \\| light | 1.0500 | ada | said | 2026-05-03 | [info](https://github.com/openai/parameter-golf/pull/9001) |
| Naive Baseline | 1.2244 | Baseline | said | 2026-03-18 | [info](records/x/README.md) |
| BOS-Fixed SmearGate + LQER + SparseAttnGate + 9-Hparam Stack | 1.0611 | codemath3000 | said | 2026-04-27 | [info](records/y) |
| broken row | 1.1 |
| no score | n/a | x | x | 2026-03-18 | x |

#### Non-record Submissions
| Run | Score | Author | Summary | Date | Info |
|--|--|--|--|--|--|
| Slow one | 1.1 | eve | said | soon | none |
"""  # noqa: E501
PULLS = [
    {"title": "Record: 1.0432 BPB [x]", "number": 9100, "user": {"login": "bob"}, "created_at": "2026-05-04T10:00:00Z"},
    {"title": "Fix a typo", "number": 9101, "user": {"login": "bob"}, "created_at": "2026-05-04T10:00:00Z"},
    {"title": "Non-record: val_bpb=1.2", "number": 9102, "user": {"login": "x"}, "created_at": "2026-05-04T10:00:00Z"},
    {"title": "val only 1.01490", "number": 64, "user": {"login": "x"}, "created_at": "2026-05-04T10:00:00Z"},
]
LIMITS = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "57", "x-ratelimit-reset": "1760000000"}


@dataclass
class GitHub:
    """A server on this machine that answers as it is told to, and remembers what it was asked."""

    address: str
    status: int = 200
    readme: str = README
    pulls: str = json.dumps(PULLS)
    wait: float = 0.0
    asked: list[tuple[str, int]] = field(default_factory=list)


@pytest.fixture
def github() -> Iterator[GitHub]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = hub.readme if self.path.endswith("/readme") else hub.pulls
            etag = f'"{hash(body)}"'
            status = 304 if hub.status == 200 and self.headers.get("If-None-Match") == etag else hub.status
            hub.asked.append((self.path.partition("?")[0].rpartition("/")[2], status))
            self.send_response(status)
            limits = LIMITS if status != 403 else LIMITS | {"x-ratelimit-remaining": "0"}
            for name, value in ({"ETag": etag} | limits).items():
                self.send_header(name, value)
            raw = b"" if status == 304 else body.encode()
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            for at in range(0, len(raw), 200):
                time.sleep(hub.wait)
                try:
                    self.wfile.write(raw[at : at + 200])
                    self.wfile.flush()
                except OSError:
                    return

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub = GitHub(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield hub
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena_tui.leaderboard_fetch.cache_file", lambda: tmp_path / "cache" / "golf.json")


def test_what_ships_are_facts_with_status_and_date():
    places = shipped()
    assert {place.status for place in places} == set(Status)
    assert {place.division for place in places} == set(DIVISIONS)
    assert len({place.key for place in places}) == len(places)
    assert all(place.as_of and place.source and place.address and 0.9 < place.val_bpb < 1.6 for place in places)
    best = ordered((p for p in places if p.division == "open"), "status")[0]
    assert (best.val_bpb, best.author, best.pr, best.date) == (1.0611, "codemath3000", 1855, "2026-04-27")


def test_only_official_entries_are_ranked():
    places = [place for place in shipped() if place.division == "open"]
    given = ranks(places)
    assert sorted(given.values()) == list(range(1, 45))
    assert {place.status for place in places if place.key in given} == {Status.OFFICIAL}


def test_a_readme_gives_its_rows_by_division_and_leaves_out_what_is_no_row():
    rows = list(official_of(README, "2026-05-05"))
    assert [(r.division, r.val_bpb, r.author, r.pr, r.date) for r in rows] == [
        ("open", 1.05, "ada", 9001, "2026-05-03"),
        ("open", 1.2244, "Baseline", None, "2026-03-18"),
        ("open", 1.0611, "codemath3000", None, "2026-04-27"),
        ("non-record", 1.1, "eve", None, ""),
    ]
    assert rows[0].name == "Faster [bold] than \\| light"


def test_pull_requests_without_a_score_in_their_title_are_left_out():
    assert [(p.pr, p.val_bpb, p.status) for p in pulls_of(json.dumps(PULLS), "2026-05-05")] == [
        (9100, 1.0432, Status.UNVALIDATED),
        (64, 1.0149, Status.UNVALIDATED),
    ]


def test_what_is_fetched_replaces_the_table_and_keeps_what_organisers_said():
    known = shipped()
    found = merged(known, list(official_of(README, "d")), pulls_of(json.dumps(PULLS), "d"))
    by_pr = {place.pr: place for place in found if place.pr}
    # the README has no number for it: the shipped table does
    assert by_pr[1855].fetched
    assert len([p for p in found if p.status is Status.OFFICIAL]) == 4
    assert by_pr[64].status is Status.RULED_OUT
    assert by_pr[9100].status is Status.UNVALIDATED
    accepted = [replace(by_pr[9100], status=Status.OFFICIAL)]
    assert [p.status for p in merged(known, accepted, [by_pr[9100]]) if p.pr == 9100] == [Status.OFFICIAL]


def test_a_refresh_is_kept_and_the_next_costs_nothing(github: GitHub):
    found, limit = refresh(github.address, lambda: 1_760_000_000.0)
    assert limit is not None
    assert (limit.left, limit.of) == (57, 60)
    assert kept().board() == found.board()
    assert {p.as_of for p in found.board() if p.fetched} == {"2025-10-09"}
    refresh(github.address)
    assert github.asked == [("readme", 200), ("pulls", 200), ("readme", 304), ("pulls", 304)]
    assert kept().board() == found.board()


def test_a_changed_page_is_read_anew(github: GitHub):
    refresh(github.address)
    github.pulls = json.dumps([PULLS[0] | {"number": 9200}])
    found, _ = refresh(github.address)
    assert {9200, 9100} & {p.pr for p in found.board()} == {9200}
    assert [status for _, status in github.asked] == [200, 200, 304, 200]


BAD = {
    "rate limited": ({"status": 403}, "GitHub allows 60 requests an hour without an account, and they are used up"),
    "broken server": ({"status": 500}, "GitHub answered 500 for /repos/openai/parameter-golf/readme"),
    "gone": ({"status": 404}, "GitHub answered 404"),
    "no table": ({"readme": "# nothing"}, "the README of openai/parameter-golf holds no leaderboard"),
    "binary": ({"readme": "\x00\ufffd|" * 99}, "the README of openai/parameter-golf holds no leaderboard"),
    "no list": ({"pulls": "<html>"}, "GitHub's list of pull requests can't be read"),
    "another list": ({"pulls": '[{"x": 1}]'}, "GitHub's list of pull requests can't be read"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_said_and_what_was_known_stays(name: str, github: GitHub):
    refresh(github.address)
    before = kept()
    changes, said = BAD[name]
    for what, value in changes.items():
        setattr(github, what, value)
    with pytest.raises(DataError, match=said.replace("(", r"\(")) as wrong:
        refresh(github.address)
    assert "stays" in wrong.value.hint
    assert kept() == before


def test_a_server_that_drips_is_given_up(github: GitHub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(leaderboard_fetch, "WHOLE_SECONDS", 0.15)
    github.wait = 0.05
    with pytest.raises(DataError, match="did not answer in time"):
        refresh(github.address)


def test_a_server_that_is_silent_is_given_up(github: GitHub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(leaderboard_fetch, "STEP_SECONDS", 0.1)
    github.wait = 0.4
    with pytest.raises(DataError, match="did not answer in time"):
        refresh(github.address)


def test_without_a_network_it_says_so():
    with pytest.raises(DataError, match=r"GitHub can't be reached: .*refused"):
        refresh("http://127.0.0.1:9")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1, "pages": {"a": {"rows": [{}]}}, "at": 1}'])
def test_a_spoilt_cache_is_as_none(text: str):
    leaderboard_fetch.cache_file().parent.mkdir()
    leaderboard_fetch.cache_file().write_text(text)
    assert kept().at is None
    assert kept().board() == shipped()


# the screen

Settled = Callable[[Any], Awaitable[None]]


async def fetched(pilot: Any) -> None:
    for _ in range(300):
        await pilot.pause(0.02)
        if not pilot.app.screen._asking:
            return
    raise AssertionError("it never answered")


async def test_the_board_is_shown_without_any_network_and_narrowed(
    no_store: Path, settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaderboard_fetch, "API", "http://127.0.0.1:9")
    app = ArenaApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("8")
        await pilot.pause()
        assert isinstance(app.screen, LeaderboardScreen)
        assert "76 of 76 entries  order: status" in words(app, "#where")
        assert "official: on the official leaderboard (as of 2026-05-02)" in words(app, "#about-text")
        await pilot.press("l")
        await pilot.pause()
        assert "15 of 15" in words(app, "#where")
        await pilot.press("h", "slash", *"status:ruled", "enter")
        await pilot.pause()
        table = app.screen.query_one(VirtualTable)
        assert [row.cells[1] for row in table._rows] == ["1.0149", "1.1111"]
        assert "ruled out: a pull request that the rules do not allow" in words(app, "#about-text")
        await pilot.press("F")
        await fetched(pilot)
        await pilot.pause()
        assert "GitHub can't be reached" in words(app, "#said")
        assert "what was known before stays; F tries again" in words(app, "#said")
        assert len(table._rows) == 2


async def test_f_alone_asks_and_the_answer_is_shown_as_text(
    no_store: Path, settled: Settled, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaderboard_fetch, "API", github.address)
    app = ArenaApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("8", "j", "ctrl+r", "s", "c")
        await pilot.pause()
        assert github.asked == []
        await pilot.press("F")
        await fetched(pilot)
        await pilot.pause()
        assert "GitHub allows 57 more of 60 requests until 08:53:20" in words(app, "#said")
        names = [str(row.cells[2]) for row in app.screen.query_one(VirtualTable)._rows]
        assert names[0] == "Val-only training, mixed int8/int6, sliding window stride=64, seq4096, Muon, 10 layers"
        assert names[1:3] == ["Record: 1.0432 BPB [x]", "Faster [bold] than \\| light"]
