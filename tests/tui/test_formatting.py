"""Numbers and times as they are spelled, and badges that stay."""

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from arena_tui import formatting
from arena_tui.badges import Badges
from arena_tui.summary import labelled
from arena_tui.themes import CONTRAST, N_COLOURS, SAFE, run_colours
from bench.records import State


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (1.40204, "1.4020"), (float("nan"), "-"), (float("inf"), "inf"), (94100.0, "9.41e+04")],
)
def test_loss(value: float | None, text: str) -> None:
    assert formatting.loss(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.02431, "+0.0243"), (-0.5, "-0.5000"), (-0.00001, " 0.0000")]
)
def test_delta_is_never_minus_zero(value: float | None, text: str) -> None:
    assert formatting.delta(value) == text


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (None, "-"),
        (999, "999 B"),
        (3191, "3 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (610_160_000, "610 MB"),
        (2_000_000_000, "2.00 GB"),
    ],
)
def test_size(n: int | None, text: str) -> None:
    assert formatting.size(n) == text


@pytest.mark.parametrize(
    ("n", "text"), [(950, "950"), (861_440, "861k"), (1_210_000, "1.21M"), (7.9e12, "7.9T"), (3e16, "3.0e+16")]
)
def test_amount(n: float, text: str) -> None:
    assert formatting.amount(n) == text


@pytest.mark.parametrize(("s", "text"), [(41, "41s"), (192, "3m12s"), (7500, "2h05m"), (276_000, "3d04h"), (-5, "0s")])
def test_duration(s: float, text: str) -> None:
    assert formatting.duration(s) == text


@pytest.mark.parametrize(("s", "text"), [(71, "1m"), (59.9, "59s"), (7300, "2h"), (200_000, "2d")])
def test_age_has_one_unit(s: float, text: str) -> None:
    assert formatting.age(s) == text


@pytest.mark.parametrize(
    ("recipe", "text"),
    [
        ("baseline", "baseline"),
        ("muon(lr=0.03 momentum=0.95) normuon", "muon+normuon  lr=0.03 momentum=0.95"),
        ("differential linear(warmup=0.1)", "differential+linear  warmup=0.1"),
        ("brought:windowed_mean(window=6)", "brought:windowed_mean  window=6"),
    ],
)
def test_a_recipe_that_may_be_cut_says_first_what_was_chosen(recipe: str, text: str) -> None:
    assert formatting.names_first(recipe) == text


def test_counts_leave_out_what_is_not_there() -> None:
    assert formatting.counts({State.COMPLETE: 12, State.RUNNING: 1, State.FAILED: 0}) == "running 1  ok 12"
    assert formatting.counts({}) == "no trials yet"


def test_text_of_others_cannot_move_the_cursor() -> None:
    assert formatting.one_line("a\x1b[2Jb\nc\td") == "a [2Jb c d"
    assert formatting.printable("a\x07b\nc") == "a b\nc"


def test_badges_stay_while_shown() -> None:
    badges = Badges()
    first = badges.hold(["s/1", "s/2"])
    assert badges.hold(["s/3", "s/2", "s/1"])["s/1"] == first["s/1"]


def test_badges_of_runs_on_screen_all_differ() -> None:
    badges = Badges()
    for start in range(0, 60, 7):
        held = badges.hold(f"s/{number}" for number in range(start, start + 8))
        assert len({badge.letter for badge in held.values()}) == 8
        assert len({badge.colour for badge in held.values()}) == 8


def test_badges_are_the_same_in_another_session() -> None:
    assert Badges().hold(["s/4"]) == Badges().hold(["s/4"])


def test_every_theme_draws_each_run_in_a_colour_that_its_background_shows() -> None:
    for theme in (BUILTIN_THEMES["textual-dark"], BUILTIN_THEMES["textual-light"], SAFE, CONTRAST):
        colours = run_colours(theme)
        assert len(set(colours)) == N_COLOURS
        behind = Color.parse(theme.background or ("#121212" if theme.dark else "#e0e0e0"))
        # WCAG 2.2, 1.4.11: what carries meaning stands out by 3 to 1
        assert min(contrast_ratio(Color.parse(colour), behind) for colour in colours) >= 3


def contrast_ratio(a: Color, b: Color) -> float:
    """WCAG 2.2's, from 1 to 21."""

    def luminance(colour: Color) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
        return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_a_long_name_keeps_its_distance_from_the_value() -> None:
    said = labelled([("ffn", "relu2(mult=2)"), ("optimizer_modifiers", "normuon(beta2=0.95)")], 60).plain
    assert said == " ffn                 relu2(mult=2)\n optimizer_modifiers normuon(beta2=0.95)\n"
