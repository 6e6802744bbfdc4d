"""What the commands answer to a request they can't honour, word for word, and to --help."""

import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from ledger_rows import SPEC
from reported_ledgers import small_ledger

from autoresearch import cli
from autoresearch.reporting.write import check_own
from autoresearch.requests import duration, foretold
from autoresearch.stopping import stop_study
from bench.errors import ArenaError, StoreError
from studies.ownership import Owner
from studies.store import Store


def answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command run in this process."""
    monkeypatch.setattr(sys, "argv", ["autoresearch", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, said = capsys.readouterr()
    code = ended.value.code
    assert isinstance(code, int)
    return code, out, said


OPT = ("--division", "optimizer")
ENDLESS = "n" * 300
REQUESTS = {
    "no division": ((), "no division is named"),
    "unknown option": (("--bogus",), "No such option: --bogus"),
    "unknown command": (("bogus",), "No such command 'bogus'"),
    "unknown division": (("--division", "fencing"), "there is no division named fencing"),
    "unknown track": ((*OPT, "--track", "chess"), "there is no track named chess"),
    "golf without its GPUs": (
        ("--division", "open", "--track", "golf", "--budget", "8xh100"),
        "this track needs 8 CUDA devices; this machine has",
    ),
    "golf without its shards": (
        ("--division", "open", "--track", "golf"),
        "the FineWeb shards are not on this machine",
    ),
    "a division of another track": (
        ("--division", "optimizer", "--track", "golf"),
        "there is no division named optimizer",
    ),
    "no trials": ((*OPT, "--trials", "0"), "--trials is 0"),
    "more steps than any contest": ((*OPT, "--steps", "9" * 30), f"--steps is {'9' * 30}"),
    "a seed that no generator takes": ((*OPT, "--seed", "-1"), "--seed is -1"),
    "a policy with a command of its own": ((*OPT, "--policy", "grade"), "there is no policy named grade"),
    "a slot narrowed to nothing": ((*OPT, "--set", "optimizer=,"), "--set optimizer=, names no technique"),
    "no jobs, checked": ((*OPT, "--jobs", "0", "--check"), "--jobs is 0"),
    "a report over a file, checked": ((*OPT, "--report", __file__, "--check"), f"{__file__} exists and is no folder"),
    "an option before another command": (("--store", "x.db", "list"), "--store stands before list"),
    "no shards": (("data", "get", "fineweb", "--shards", "0"), "Invalid value for '--shards'"),
    "a store with an endless name": (("list", "--store", ENDLESS), f"there is no store at {ENDLESS}"),
    "a store in a home that is nobody's": (
        ("list", "--store", "~nobody-here/x"),
        "there is no store at ~nobody",
    ),
    "a corpus with an endless name": ((*OPT, "--data", ENDLESS), f"'{ENDLESS}' is neither a corpus nor a path"),
    "two texts with endless names": ((*OPT, "--data", f"{ENDLESS},{ENDLESS}"), f"can't read {ENDLESS}"),
    "a text in a home that is nobody's": (
        ("data", "look", "~nobody-here"),
        "'~nobody-here' is neither",
    ),
    "a text that never ends": ((*OPT, "--data", "/dev/zero,/dev/zero"), "/dev/zero is no plain file"),
    "a fighter that never ends": (("--from", "/dev/zero"), "/dev/zero has more than 10,000 bytes"),
    "a fighter with an endless name": (("grade", ENDLESS), f"{ENDLESS} can't be read: File name too long"),
    "a language model that never ends": ((*OPT, "--llm", "/dev/zero"), "--llm /dev/zero has more than 10,000 bytes"),
    "a tokenizer with an endless name": (
        ("data", "build", "--text", "a.txt", "--tokenizer", ENDLESS, "--to", "golf"),
        f"there is no file {ENDLESS}",
    ),
    "trials in words": ((*OPT, "--trials", "ten"), "Invalid value for '--trials'"),
    "no steps": ((*OPT, "--steps", "0"), "--steps is 0"),
    "published seed": ((*OPT, "--seed", "1337"), "--seed 1337 is a published seed, kept for grading"),
    "unknown policy": ((*OPT, "--policy", "luck"), "there is no policy named luck"),
    "rungs of another policy": ((*OPT, "--policy", "tpe", "--rungs"), "--rungs is for the policy researcher, not tpe"),
    "alone under another policy": (
        (*OPT, "--policy", "tpe", "--alone"),
        "--alone is for the policy researcher: tpe knows nothing",
    ),
    "rungs of few steps": (
        (*OPT, "--policy", "researcher", "--rungs", "--steps", "100"),
        "--rungs needs runs of 450 steps or more, and these have 100",
    ),
    "language model without the policy": (
        (*OPT, "--policy", "tpe", "--llm", "/nowhere.toml"),
        "--llm goes with --policy researcher, and the policy is tpe",
    ),
    "language model that is not there": (
        (*OPT, "--policy", "researcher", "--llm", "/nowhere.toml"),
        "--llm /nowhere.toml can't be read: No such file or directory",
    ),
    "unknown budget": ((*OPT, "--budget", "toaster"), "there is no budget named toaster"),
    "a GPU for a track of the CPU": (
        (*OPT, "--budget", "8xh100"),
        "the featherweight track runs on the CPU alone, not on 8xh100",
    ),
    "timeout in words": ((*OPT, "--timeout", "soon"), "--timeout soon is no length of time"),
    "setting without value": ((*OPT, "--set", "optimizer"), "--set optimizer is no setting"),
    "unknown slot": ((*OPT, "--set", "wings=2"), "there is no slot named wings"),
    "unknown technique": ((*OPT, "--set", "optimizer=adam"), "slot optimizer has no technique named adam"),
    "idea": (("--division", "open", "--set", "addons=distillation"), "distillation is an idea, not built"),
    "unknown knob": ((*OPT, "--set", "optimizer.speed=2"), "slot optimizer has no knob speed"),
    "value out of range": ((*OPT, "--set", "optimizer.lr=9"), "optimizer.lr = 9 is outside 0.0005 to 0.02 (adamw)"),
    "value in words": ((*OPT, "--set", "optimizer.lr=big"), "optimizer.lr = big is not a finite number (adamw)"),
    "technique of a fixed slot": (
        (*OPT, "--set", "mixer_modifiers=xsa"),
        "mixer_modifiers is xsa, but optimizer fixes it at nothing",
    ),
    "knob of a fixed slot": ((*OPT, "--set", "ffn.mult=3"), "ffn.mult is 3, but optimizer fixes it at 4"),
    "corpus that is not there": ((*OPT, "--data", "/nowhere"), "'/nowhere' is neither a corpus nor a path that exists"),
    "fighter that is not there": (
        ("--from", "/nowhere.toml"),
        "/nowhere.toml can't be read: No such file or directory",
    ),
    "study that is not there": (("show", "lab"), "there is no store at"),
    "no entrant": (
        ("--division", "attention", "--trials", "1", "--set", "mixer=mamba,softmax"),
        "mixer is mamba, but attention takes softmax, sliding_window, gqa, sparse, differential",
    ),
    "unknown corpus to get": (("data", "get", "novels"), "`data get novels` is not known"),
    "build without a text": (("data", "build"), "`data build` needs a text, a tokenizer and a folder"),
    "tokenizer that is not there": (
        ("data", "build", "--text", "a.txt", "--tokenizer", "/nowhere.model", "--to", "golf"),
        "there is no file /nowhere.model",
    ),
    "submission that is not there": (("verify", "/nowhere"), "/nowhere"),
}


@pytest.mark.parametrize(("arguments", "problem"), REQUESTS.values(), ids=REQUESTS)
def test_a_request_that_can_not_be_honoured(arguments, problem, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("ARENA_STORE", str(tmp_path / "arena.db"))
    code, out, said = answer(capsys, monkeypatch, *arguments)
    assert code == 2
    assert out == ""
    lines = said.splitlines()
    assert len(lines) == 2, said
    assert lines[0].startswith(f"error: {problem}")
    assert lines[1].startswith("hint: ")
    assert not (tmp_path / "arena.db").exists(), "a refused request leaves no ledger behind"


@pytest.mark.parametrize("arguments", [("show",), (*OPT, "--study")])
def test_a_study_named_in_bytes_is_refused(arguments, tmp_path):
    command = [sys.executable, "-m", "autoresearch.cli", *arguments, b"a\xff", "--store", small_ledger(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert re.fullmatch(r"error: .*a\\udcff.*\nhint: .*\n", done.stderr)


def test_a_run_of_a_number_beyond_the_ledgers_is_not_there(tmp_path, capsys, monkeypatch):
    code, _, said = answer(capsys, monkeypatch, "replay", "9" * 30, "--store", str(small_ledger(tmp_path)))
    assert code == 2
    assert said.startswith(f"error: there is no run {'9' * 30}\nhint: runs go from 1 to ")


def test_the_hint_on_a_reports_place_names_the_option_it_came_with(tmp_path):
    for option in ("--to", "--report"):
        with pytest.raises(ArenaError) as wrong:
            check_own(Path(__file__), option)
        assert wrong.value.hint.endswith(f"with {option}")


def test_a_check_says_what_would_begin_and_leaves_no_ledger(capsys, monkeypatch, tmp_path):
    text = tmp_path / "text"
    text.mkdir()
    for name in ("train.txt", "valid.txt"):
        (text / name).write_text(f"A story in {name}. " * 9000)
    monkeypatch.setenv("ARENA_STORE", str(tmp_path / "arena.db"))
    asked = (*OPT, "--trials", "3", "--study", "mine", "--data", str(text), "--check")
    code, out, said = answer(capsys, monkeypatch, *asked)
    assert (code, said) == (0, "")
    assert re.fullmatch(r"would begin study mine: 3 trials of 500 steps on \S+ [0-9a-f]{8}\n", out)
    assert not (tmp_path / "arena.db").exists()


def test_a_check_tells_a_study_to_go_on_with_from_one_that_stands_against_it(tmp_path):
    path = small_ledger(tmp_path)
    assert foretold(path, SPEC).startswith(f"would go on with study {SPEC.name}, 9 of ")
    with pytest.raises(StoreError, match="exists with another definition: seed 7, not 1001"):
        foretold(path, replace(SPEC, seed=7))
    store = Store(path)
    store.begin(SPEC, [], Owner(os.getppid(), psutil.Process(os.getppid()).create_time(), socket.gethostname()))
    store.close()
    with pytest.raises(StoreError, match=f"is being run by process {os.getppid()}"):
        foretold(path, SPEC)


def test_an_unknown_division_lists_the_known_ones(capsys, monkeypatch):
    _, _, said = answer(capsys, monkeypatch, "--division", "fencing")
    assert "precision, optimizer, attention, state-space, community, open" in said


def test_a_knob_is_set_only_where_the_slot_is_narrowed_to(tmp_path):
    from autoresearch.settings import parse_settings
    from bench.divisions import OPTIMIZER

    settings = parse_settings(("optimizer=muon", "optimizer.lr=0.05"), OPTIMIZER)
    assert settings.knobs == {("optimizer", "muon"): {"lr": 0.05}}


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("2h", 7200), ("0.5h", 1800)])
def test_a_length_of_time(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1h", "nan", "infh", "h"])
def test_no_length_of_time(text):
    with pytest.raises(ArenaError):
        duration(text)


@pytest.mark.parametrize("command", ["autoresearch.cli", "arena_tui.cli"])
def test_help_answers_at_once(command):
    times = []
    for _ in range(3):
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", command, "--help"], capture_output=True, text=True, check=True)
        times.append(time.perf_counter() - started)
    assert "usage" in done.stdout.lower()
    # 0.3 s on a free core; other work on a small machine must not fail the build
    assert min(times) < 1.0


SCREEN_SIDE = ["arena_tui.cli", "studies.store", "studies.shipped", "bench.standings", "bench.divisions"]


@pytest.mark.parametrize("module", SCREEN_SIDE)
def test_screen_store_and_rules_load_neither_torch_nor_optuna(module):
    code = f"import sys, {module}; print([m for m in ('torch', 'optuna') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_study_without_a_language_model_loads_nothing_that_could_reach_one():
    code = "import sys, autoresearch.session, bench.data.choose, bench.run; print('httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_command_has_help_and_stands_in_the_docs():
    reference = Path(__file__).parents[2].joinpath("docs", "commands.md").read_text()
    for command in cli.app.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        assert command.callback is not None
        assert command.callback.__doc__, f"{name} has no help"
        assert re.search(rf"^### `autoresearch {name}\b", reference, re.M), f"{name} is not in docs/commands.md"


def test_a_name_with_spaces_is_shown_as_a_shell_takes_it(tmp_path):
    store = Store(tmp_path / "arena.db")
    store.begin(replace(SPEC, name="a [b]"), [], Owner(1, 0.0, socket.gethostname()))
    store.close()
    with pytest.raises(StoreError) as wrong:
        stop_study(tmp_path / "arena.db", "a [b]")
    assert wrong.value.hint == "`autoresearch resume 'a [b]'` goes on with it"


@pytest.mark.parametrize("module", ["autoresearch.cli", "arena_tui.cli"])
@pytest.mark.parametrize(
    ("redirected", "code", "said"),
    [
        (
            ">/dev/full",
            2,
            ["error: stdout can't be written: No space left on device", "hint: free some space, or print elsewhere"],
        ),
        (">&-", 0, []),
        ("<&- >/dev/null", 0, []),
        (">/dev/null 2>&-", 0, []),
    ],
)
def test_a_stream_that_is_full_or_closed(module, redirected, code, said, tmp_path):
    command = {"autoresearch.cli": "list", "arena_tui.cli": "standings"}[module]
    line = f"{sys.executable} -m {module} {command} --store {small_ledger(tmp_path)} {redirected}"
    done = subprocess.run(line, shell=True, capture_output=True, text=True)
    assert (done.returncode, done.stderr.splitlines()) == (code, said)


def test_a_name_that_the_terminals_encoding_lacks_is_written_in_escapes(tmp_path):
    store = Store(tmp_path / "arena.db")
    store.begin(replace(SPEC, name="\u5bbd"), [], Owner(1, 0.0, socket.gethostname()))
    store.close()
    command = [sys.executable, "-m", "autoresearch.cli", "list", "--store", str(tmp_path / "arena.db")]
    narrow = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, env=narrow)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u5bbd" in done.stdout
