"""A mixer that a user brings: read without running it, shown without its text, examined before it counts."""

import sys

import pytest
from brought_files import GOOD, MEAN, after_mean, changed

from autoresearch.submission.fighter import Fighter, from_toml, mixer_text, to_toml
from bench.brought import declared
from bench.brought_text import MAX_BYTES
from bench.catalog import full_pick, realise, refusals
from bench.config import Budget, Pick, fingerprint, from_json, to_json
from bench.divisions import COMMUNITY, OPEN, OPTIMIZER, baseline, differences, recipe
from bench.errors import BreachError, ConfigError
from bench.examine import examine
from bench.tracks import FEATHERWEIGHT

BUDGET = Budget(steps=1, batch=2, seq_len=24)


def entered(code, **knobs):
    """The baseline with a brought mixer in it."""
    return baseline(BUDGET).replaced("mixer", [full_pick("mixer", "brought", {"code": code, **knobs})])


def objection(code, **knobs):
    """What the examination says."""
    with pytest.raises((ConfigError, BreachError)) as wrong:
        examine(entered(code, **knobs), FEATHERWEIGHT)
    return wrong.value.problem


# read, not run


def test_a_text_is_read_without_running_a_line_of_it():
    ran = "import sys\nsys.modules['it_ran'] = sys\n"
    config = entered(ran + GOOD)
    assert realise(config).mixer.window == 4
    assert refusals(config) == []
    assert COMMUNITY.breaches(config) == []
    assert "it_ran" not in sys.modules


def test_the_name_and_the_knobs_come_from_the_text():
    pick = full_pick("mixer", "brought", {"code": GOOD, "window": 7})
    assert dict(pick.knobs) == {"title": "recent_mean", "code": GOOD, "window": 7}


def test_a_knob_outside_its_range_is_refused():
    with pytest.raises(ConfigError, match=r"mixer.window = 99 is outside 2 to 32 \(brought\)"):
        entered(GOOD, window=99)


UNREADABLE = {
    "syntax error": (GOOD + "\ndef (:\n", "the brought mixer, line 46: a syntax error: invalid syntax"),
    "null byte": (GOOD + "\x00", "the brought mixer: "),
    "too large": (GOOD + "#" * MAX_BYTES, f"the brought mixer: it has {len(GOOD) + MAX_BYTES:,} bytes, and 65,536 is"),
    "empty": ("", 'the brought mixer: it has no class with `slot: ClassVar = "mixer"`'),
    "two mixers": (
        GOOD + GOOD[GOOD.index("@dataclass") :],
        "the brought mixer, line 46: RecentMean is a second mixer, after RecentMean",
    ),
    "no name": (
        changed(('    name: ClassVar = "recent_mean"\n', "")),
        'the brought mixer, line 14: RecentMean has no `name: ClassVar = "my_mixer"`',
    ),
    "name of two words": (
        changed(('"recent_mean"', '"Recent Mean"')),
        "the brought mixer, line 14: name is 'Recent Mean', and is one word of up to 40 of a-z, 0-9 and _",
    ),
    "no points": (
        changed(("    points: ClassVar = frozenset()\n", "")),
        "the brought mixer, line 14: RecentMean has no `points: ClassVar = frozenset()`",
    ),
    "no docstring": (
        changed(('    """Each byte gets the mean of the last few."""\n', "")),
        "the brought mixer, line 14: RecentMean has no docstring",
    ),
    "no flops": (changed(("def flops", "def flop")), "the brought mixer, line 14: RecentMean has no method flops"),
    "field without range": (
        changed(('knob(4, Span(2, 32), "bytes that are averaged")', "4")),
        "the brought mixer, line 22: window is no knob",
    ),
    "computed range": (
        changed(("Span(2, 32)", "Span(2, 2**5)")),
        "the brought mixer, line 22: window is not written in plain values, and the file is not run to read it",
    ),
    "default outside": (
        changed(("knob(4,", "knob(1,")),
        "the brought mixer, line 22: window = 1 is outside 2 to 32",
    ),
    "reserved knob": (changed(("window: int", "code: int")), "the brought mixer, line 22: no knob can be called code"),
}


@pytest.mark.parametrize(("code", "problem"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_text_that_is_no_mixer_says_so_with_its_line(code, problem):
    with pytest.raises(ConfigError) as wrong:
        declared(code)
    assert wrong.value.problem.startswith(problem)


def test_a_pick_without_a_text_is_refused():
    with pytest.raises(ConfigError, match="it has no class"):
        realise(baseline(BUDGET).replaced("mixer", [Pick("brought", {"window": 4})]))


# shown without its text


def test_the_text_is_part_of_the_fingerprint():
    assert fingerprint(entered(GOOD)) != fingerprint(entered(GOOD + "\n"))


def test_no_line_for_people_holds_the_text():
    config = entered(GOOD, window=7)
    assert recipe(config) == "brought:recent_mean(window=7)"
    assert list(differences(config)) == [("mixer", "brought:recent_mean(window=7)")]
    assert COMMUNITY.label(config) == OPEN.label(config) == "brought:recent_mean"
    assert OPTIMIZER.breaches(config) == ["mixer is brought:recent_mean(window=7), but optimizer fixes it at softmax"]


def test_a_brought_mixer_survives_json():
    assert from_json(to_json(entered(GOOD))) == entered(GOOD)


def test_a_fighter_and_its_mixers_file_survive_their_trip_through_text():
    fighter = Fighter(name="mine", division="community", seed=7, config=entered(GOOD, window=7))
    text = to_toml(fighter)
    assert '[picks.mixer.brought]\nfile = "mixer.py"\nwindow = 7\n' in text
    assert "class" not in text
    assert from_toml(text, {"mixer.py": mixer_text(fighter.config)}.__getitem__) == fighter


def test_a_fighter_whose_mixer_is_not_there_says_so():
    fighter = Fighter(name="mine", division="community", seed=7, config=entered(GOOD))
    with pytest.raises(ConfigError, match=r"the fighter names a file, mixer.py, and came without one"):
        from_toml(to_toml(fighter))


# examined


def test_a_sound_mixer_passes():
    examine(entered(GOOD), FEATHERWEIGHT)


LATER = "mean_BTD = mean_BTD + F.pad(mean_BTD[:, 3:], (0, 0, 0, min(3, mean_BTD.size(1))))[:, : mean_BTD.size(1)]"
UNSOUND = {
    "peeks": (
        after_mean(LATER),
        "brought:recent_mean looks ahead: bytes that come later move what it says of earlier ones",
    ),
    "peeks when not training": (
        after_mean(f"{LATER} if not self.training else mean_BTD"),
        "brought:recent_mean looks ahead: bytes that come later",
    ),
    "peeks while training": (
        after_mean(f"{LATER} if context.progress < 1 else mean_BTD"),
        "brought:recent_mean looks ahead: bytes that come later",
    ),
    "mixes rows": (
        after_mean("mean_BTD = mean_BTD + mean_BTD.mean(0, keepdim=True)"),
        "brought:recent_mean mixes the rows of a batch: each must be answered as if it stood alone",
    ),
    "half the FLOPs": (
        changed(("return 4 *", "return 2 *")),
        "brought:recent_mean makes a model of 1,376,256 FLOPs per byte, as torch counts them, and declares 1,245,184",
    ),
    "fewer parameters": (
        changed(("return 2 * site.width**2", "return site.width**2")),
        "brought:recent_mean makes a model of 720,896 parameters and declares 655,360",
    ),
    "parameters in halves": (
        changed(("return 2 * site.width**2", "return site.width / 7")),
        "brought:recent_mean: parameters(site) gives 18.285714285714285, and is a whole number from 0 up",
    ),
    "no gradient": (
        changed(("        self.window = window\n", "        self.window = window\n        self.idle = Linear(1, 5)\n"),
                ("return 2 * site.width**2", "return 2 * site.width**2 + 5")),
        "brought:recent_mean has a parameter that gets no gradient, or none that is finite: blocks.0.mixer.idle.weight",
    ),
    "no role": (
        changed(("self.value = Linear(width, width)", "self.value = nn.Linear(width, width, bias=False)")),
        "the brought mixer: TypeError: blocks.0.mixer.value.weight has shape (128, 128) and no role",
    ),
    "wrong shape": (
        after_mean("mean_BTD = mean_BTD.mean(1, keepdim=True)"),
        "brought:recent_mean makes (2, 1, 128) of numbers in the shape (2, 24, 128): it must keep",
    ),
    "draws numbers": (
        after_mean("mean_BTD = F.dropout(mean_BTD, 0.5)"),
        "brought:recent_mean answers twice the same bytes with two different results",
    ),
    "one length only": (
        after_mean("assert mean_BTD.size(1) == 24, 'not this length'"),
        "the brought mixer, line 44: AssertionError: not this length",
    ),
    "raises": (after_mean("mean_BTD = mean_BTD @ mean_BTD"), "the brought mixer, line 44: RuntimeError: "),
    "leaves": (after_mean("raise SystemExit(0)"), "the brought mixer, line 44: SystemExit: 0"),
    "leaves at once": ("import sys\nsys.exit('bye')\n" + GOOD, "the brought mixer, line 2: SystemExit: bye"),
    "imports what is not here": (
        "import no_such_thing\n" + GOOD,
        "the brought mixer, line 1: it can't be imported: No module named 'no_such_thing'",
    ),
    "other knobs once it runs": (
        changed(("from bench.layers", "knob = lambda default, ends, why: default\nfrom bench.layers")),
        "the brought mixer, line 15: RecentMean has other knobs once it runs than it is written with",
    ),
    "not frozen": (
        changed(("(frozen=True, kw_only=True)", "(kw_only=True)")),
        "the brought mixer, line 14: RecentMean is no frozen dataclass",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("code", "problem"), UNSOUND.values(), ids=UNSOUND)
def test_an_unsound_mixer_is_found_out_in_one_sentence(code, problem):
    said = objection(code)
    assert said.startswith(problem)
    assert "\n" not in said


def test_a_mixer_over_a_cap_breaches_it():
    wide = changed(("(width, width)", "(width, 4 * width)"), ("(width, width, Role", "(4 * width, width, Role"),
                   ("return 4 *", "return 16 *"), ("return 2 *", "return 8 *"))  # fmt: skip
    with pytest.raises(BreachError, match=r"brought:recent_mean has 1,114,112 parameters") as wrong:
        examine(entered(wide), FEATHERWEIGHT)
    assert "FLOPs" in wrong.value.problem


def test_what_it_prints_while_it_is_imported_goes_to_stderr(capsys):
    examine(entered("print('hello')\n" + GOOD), FEATHERWEIGHT)
    out, said = capsys.readouterr()
    assert (out, said) == ("", "hello\n")


def test_a_number_kept_outside_the_weights_is_found_out():
    code = changed(
        ("        self.window = window\n", "        self.window, self.seen = window, 0\n"),
        (MEAN, f"{MEAN}        self.seen += 1\n        mean_BTD = mean_BTD * (1 + self.seen)\n"),
    )
    assert "it may neither draw numbers nor remember" in objection(code)
