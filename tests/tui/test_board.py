"""What is printed where there is no terminal, word for word, and what cannot be honoured."""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from arena_tui import cli
from bench.errors import ArenaError

BOARD = """\
featherweight v1  tinystories 9f3c1a2b  500 steps x 32 x 96 bytes  cpu

optimizer: Which update rule learns most in 500 steps?
  #  fighter  val_loss  vs base  seeds          weights  params  seconds  trial
  1  muon       1.2958  -0.1463  1 unconfirmed  3.19 MB    861k      200  optimizer-1/5
  2  lion       1.3984  -0.0437  1 unconfirmed  3.19 MB    861k      200  optimizer-1/2
  3  adamw      1.4421   0.0000  1 unconfirmed  3.19 MB    861k      200  optimizer-1/0
  3 of 9 trials without a score: diverged 1, out of time 1, refused 1

featherweight v1  toystories 70750001  500 steps x 32 x 96 bytes  cpu

optimizer: Which update rule learns most in 500 steps?
  #  fighter  val_loss  vs base  seeds          weights  params  seconds  trial
  1  muon       1.3127  -0.1294  1 unconfirmed  3.19 MB    861k      200  toy-1/1
  2  adamw      1.4421   0.0000  1 unconfirmed  3.19 MB    861k      200  toy-1/0

"""
PUBLISHED = (
    "1.4352 at 500 steps  1.3745 at 800 steps: published, unknown split: reference only, never ranked with ours\n"
)


def said(*arguments: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert cli.run([*arguments]) == 0
    return out.getvalue()


def refused(*arguments: str) -> ArenaError:
    with pytest.raises(ArenaError) as wrong:
        cli.run([*arguments])
    return wrong.value


def test_without_a_terminal_arena_prints_the_board(store: Path) -> None:
    text = said()
    assert text.startswith(BOARD)
    assert text.endswith(PUBLISHED)


def test_standings_are_the_same_board(store: Path) -> None:
    assert said("standings") == said()


def test_a_study_limits_the_board(store: Path) -> None:
    text = said("--study", "toy-1")
    assert "toy-1/1" in text
    assert "optimizer-1" not in text


def test_standings_as_json_are_a_list_of_objects(store: Path) -> None:
    rows = json.loads(said("standings", "--json", "--division", "optimizer"))
    assert len(rows) == 5
    best = next(row for row in rows if row["rank"] == 1 and row["corpus_name"] == "tinystories")
    assert (best["label"], best["val_loss"], best["n_seeds"], best["unconfirmed"]) == ("muon", 1.2958, 1, True)
    assert best["identity"]["steps"] == 500
    assert best["exhibition"] is False


def test_a_division_nobody_fought_in_says_so(store: Path) -> None:
    assert said("standings", "--division", "community").startswith("no complete run yet in community\n")


def test_a_track_that_nobody_played_has_no_standings(store: Path) -> None:
    assert json.loads(said("standings", "--track", "golf", "--json")) == []


def test_an_unknown_option_is_two_lines_too() -> None:
    wrong = refused("--studio=x")
    assert (wrong.problem, wrong.hint) == (
        "unrecognized arguments: --studio=x",
        "`arena --help` lists what it takes",
    )


def test_a_store_may_be_named_before_the_command_or_after_it(store: Path, no_store: Path) -> None:
    assert said("--store", str(store), "standings") == said("standings", "--store", str(store))


def test_a_reader_that_has_seen_enough_is_no_error(store: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -c 'from arena_tui.cli import main; main()' | true",
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""


def test_without_any_store_it_says_what_to_type(no_store: Path) -> None:
    line = "no studies yet: type  autoresearch --division optimizer --trials 5 --steps 100\n"
    assert said() == line
    assert said("standings") == line
    assert json.loads(said("standings", "--json")) == []


def test_shipped_measurements_are_labelled(store: Path, no_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    connection = sqlite3.connect(store)
    connection.execute("UPDATE study SET shipped = 1")
    connection.commit()
    connection.close()
    monkeypatch.setattr("arena_tui.sources.shipped_path", lambda: store)
    assert "measured by the project; the sample itself is not shipped" in said()


@pytest.mark.parametrize(
    ("arguments", "problem", "hint"),
    [
        (
            ("standings", "--division", "heavy"),
            "there is no division named heavy",
            "the divisions are precision, optimizer, attention, state-space, community, open",
        ),
        (
            ("standings", "--track", "chess"),
            "there is no track named chess",
            "the tracks are featherweight, golf, golf-1xgpu, golf-cpu, golf-sp4096, golf-1xgpu-sp4096, "
            "golf-cpu-sp4096, golf-sp8192, golf-1xgpu-sp8192, golf-cpu-sp8192, golf-caseops8192, "
            "golf-1xgpu-caseops8192, golf-cpu-caseops8192",
        ),
        (
            ("--store", "postgres://host/db"),
            "postgres://host/db is no SQLite store",
            "give a path or sqlite:///PATH; other databases are not served yet",
        ),
    ],
)
def test_bad_input(store: Path, arguments: tuple[str, ...], problem: str, hint: str) -> None:
    wrong = refused(*arguments)
    assert (wrong.problem, wrong.hint) == (problem, hint)


def test_an_unknown_study(store: Path) -> None:
    wrong = refused("--study", "nope")
    assert wrong.problem == f"there is no study named nope in {store}"
    assert wrong.hint == "the studies are optimizer-1, toy-1"


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    wrong = refused("--store", str(tmp_path / "none.db"))
    assert wrong.problem == f"there is no store at {tmp_path / 'none.db'}"


def test_a_store_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are notes and no database")
    wrong = refused("standings", "--store", str(path))
    assert wrong.problem == f"the store {path} can't be used: it is not a database"


def test_a_store_of_a_newer_version(store: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(store)
    connection.execute("INSERT INTO migration VALUES ('m999_later', 0)")
    connection.commit()
    connection.close()
    wrong = refused()
    assert wrong.problem == f"the store {store} was written by a newer version: it has m999_later"


def run(*arguments: str, code: str = "from arena_tui.cli import main; main()") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60)


def test_what_cannot_be_honoured_is_two_lines_on_stderr_and_exit_2(store: Path) -> None:
    done = run("standings", "--division", "heavy")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "error: there is no division named heavy",
        "hint: the divisions are precision, optimizer, attention, state-space, community, open",
    ]


def test_the_whole_screen_never_loads_torch_or_optuna() -> None:
    code = """
import sys
import arena_tui.app, arena_tui.board, arena_tui.palette, arena_tui.feed, studies.reading, studies.shipped
import arena_tui.screens.live, arena_tui.screens.standings, arena_tui.screens.trials
import arena_tui.screens.studies, arena_tui.screens.detail, arena_tui.screens.help, arena_tui.asking
import arena_tui.screens.research, arena_tui.screens.claims, arena_tui.screens.leaderboard
network = "httpx" in sys.modules
import arena_tui.leaderboard_fetch
print(sorted({"torch", "optuna", "bench.catalog", "autoresearch"} & set(sys.modules)), network)
"""
    assert run(code=code).stdout == "[] False\n"


def test_the_frame_needs_no_numpy_and_no_database() -> None:
    code = """
import sys
import arena_tui.app
print(sorted({"numpy", "sqlalchemy", "pydantic", "httpx"} & set(sys.modules)))
"""
    assert run(code=code).stdout == "[]\n"


def test_help_needs_no_textual() -> None:
    code = """
import sys
from arena_tui.cli import main
try:
    main()
except SystemExit:
    print(sorted({"textual", "numpy", "sqlalchemy"} & set(sys.modules)), file=sys.stderr)
"""
    done = run("--help", code=code)
    assert done.stderr == "[]\n"
    assert "Watch studies" in done.stdout
