"""The picture of curves as text, cell by cell: no app, no widget."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from arena_tui.widgets.curve_picture import draw, x_range
from arena_tui.widgets.curve_words import header
from arena_tui.widgets.curves import Range, ema
from arena_tui.widgets.plot_axes import x_ticks
from arena_tui.widgets.series import Palette, Series, View

PLAIN = Style()
PALETTE = Palette(PLAIN, PLAIN, PLAIN, lambda colour: Style(color=colour), lambda _: Style(dim=True))


def curve(y, letter="a", *, x=None, bad=None, colour="#e69f00") -> Series:
    y = np.asarray(y, dtype=np.float64)
    x = np.arange(1, len(y) + 1, dtype=np.float64) if x is None else np.asarray(x, dtype=np.float64)
    return Series(f"run {letter}", letter, colour, x, y, bad)


@pytest.mark.parametrize(("low", "high"), [(0, 3), (3, 4), (1, 12), (0, 500), (498, 502)])
def test_steps_and_trials_are_counted_in_whole_numbers(low, high):
    labels = [label for _, _, label in x_ticks(Range(low, high), 70)]
    assert labels
    assert all(label.isdecimal() for label in labels)


def test_less_than_a_step_still_has_its_fractions():
    assert next(label for _, _, label in x_ticks(Range(3.0, 3.5), 70)) == "3.0"


def test_a_single_point_stands_at_the_end_of_what_led_to_it():
    assert x_range([curve([1.2], x=[3])], View()) == Range(0, 3)


def drawn(size, series, references=(), **view):
    """The picture under a header row, in a widget of `size` cells with a legend row below."""
    state = View(**view)
    smooth = [ema(s.y, state.smoothing) if state.smoothing else s.y for s in series]
    return state, draw(series, smooth, references, state, (size[0], size[1] - 2), PALETTE)


def picture(size, series, references=(), **view) -> list[str]:
    state, made = drawn(size, series, references, **view)
    return [header("val_loss", "step", state, made, size[0]), *(strip.text for strip in made.strips)]


def test_a_straight_line_in_ascii_is_drawn_cell_by_cell():
    rows = picture((30, 12), [curve([0, 1, 2, 3, 4], x=[0, 1, 2, 3, 4])], glyphs="ascii", tail=False)
    body = [row[2:28] for row in rows[1:9]]
    # rising: each row's letters start further left than those of the row above end
    starts = [row.index("a") for row in body if "a" in row]
    assert starts == sorted(starts, reverse=True)
    assert sum(row.count("a") for row in body) >= 26
    assert rows[9].startswith(" ++")
    assert rows[10].split() == ["0", "2", "4"]


def test_a_constant_series_is_one_level_line_in_the_middle():
    rows = picture((40, 15), [curve(np.full(100, 2.0))], glyphs="ascii")
    level = [y for y, row in enumerate(rows[1:11]) if "aaaa" in row]
    assert len(level) == 1
    assert 3 <= level[0] <= 6


def test_a_one_step_spike_among_100k_points_reaches_the_top():
    y = np.ones(100_000)
    y[60_000] = 5.0
    rows = picture((80, 24), [curve(y)], glyphs="ascii")
    columns = [row.index("a") for row in rows[2:10]]
    assert len(set(columns)) == 1


def test_a_nan_leaves_a_gap():
    y = np.ones(100)
    y[40:60] = np.nan
    rows = picture((60, 15), [curve(y)], glyphs="ascii")
    row = next(row for row in rows[1:] if "aaaa" in row)
    assert "a        " in row[row.index("a") : row.rindex("a")]


def dots_by_colour(made) -> dict[str, int]:
    """How many cells of braille each colour has; raw points behind a curve are dim."""
    cells: dict[str, int] = {}
    for segment in (segment for strip in made.strips for segment in strip):
        name = "raw" if segment.style.dim else segment.style.color.name if segment.style.color else ""
        n_dots = sum(0x2800 < ord(char) <= 0x28FF for char in segment.text)
        cells[name] = cells.get(name, 0) + n_dots
    return {name: n for name, n in cells.items() if n}


def test_the_later_series_owns_a_shared_cell():
    _, made = drawn((40, 12), [curve(np.ones(50), "a", colour="red"), curve(np.ones(50), "b", colour="blue")])
    assert dots_by_colour(made).keys() == {"blue"}


def test_smoothing_draws_a_thin_curve_over_faint_raw_points():
    noisy = curve(2 + np.random.default_rng(0).normal(0, 0.3, 4_000), colour="red")
    raw_alone = dots_by_colour(drawn((80, 24), [noisy])[1])
    both = dots_by_colour(drawn((80, 24), [noisy], smoothing=0.98)[1])
    assert both["raw"] > 3 * both["red"]
    assert raw_alone["red"] > 3 * both["red"]
    assert "raw" not in dots_by_colour(drawn((80, 24), [noisy], smoothing=0.98, raw=False)[1])


def test_a_window_shows_only_its_part_of_the_curve():
    rows = picture((60, 16), [curve(np.linspace(3, 2, 500))], window=(250.0, 500.0))
    assert rows[14].split()[0] == "250"
    assert "zoom" in rows[0]
    assert not any("3.0" in row for row in rows[1:])


def test_letters_that_end_together_do_not_cover_each_other():
    rows = picture((60, 20), [curve(np.ones(50), letter) for letter in "abcd"])
    ends = "".join(row[-4:] for row in rows[1:16])
    assert {"a", "b", "c", "d"} <= set(ends)


def test_a_bad_end_is_marked_at_the_first_non_finite_step():
    y = np.append(np.ones(50), np.full(50, np.nan))
    rows = picture((60, 16), [curve(y, "d", bad=51.0)], x_end=100)
    row = next(row for row in rows[1:] if "x" in row)
    assert row[row.index("x") + 1] == "d"
    assert 28 <= row.index("x") <= 32


def test_points_clipped_at_the_top_draw_no_line_along_the_edge():
    y = np.append(np.full(50, 7.0), np.linspace(2.0, 1.9, 300))
    rows = picture((80, 20), [curve(y)], x_end=350, glyphs="ascii")
    assert rows[1].count("a") <= 2


def test_log_y_drops_what_is_not_positive_and_says_how_many():
    rows = picture((100, 20), [curve([10.0, 0.0, 1.0, -3.0, 0.1])], log_y=True, tail=False)
    assert "y=log" in rows[0]
    assert "2 not above 0 dropped" in rows[0]
    assert any(row.strip().startswith("10┤") for row in rows)


def test_log_y_is_refused_when_no_value_is_positive():
    rows = picture((100, 20), [curve([-1.0, -2.0, -3.0])], log_y=True)
    assert "log y refused: no value is above 0" in rows[0]
    assert any("-2" in row for row in rows[1:])


def test_a_narrow_header_keeps_the_clipping_and_drops_the_rest():
    y = np.append(np.full(10, 7.0), np.linspace(1.9, 2.0, 90))
    said = picture((40, 12), [curve(y)], x_end=100)[0]
    assert "val_loss" in said
    assert "^10 clipped, max 7.0000" in said
    assert "x=step" not in said


def test_a_header_with_no_room_for_the_sentence_still_gives_the_count():
    y = np.append(np.full(10, 7.0), np.full(90, 2.0))
    assert picture((20, 12), [curve(y)], x_end=100)[0] == "val_loss  ^10"


def test_a_reference_is_dashed_and_labelled_and_named_when_out_of_range():
    references = [("belt 1.95", 1.95), ("baseline", 40.0)]
    rows = picture((80, 20), [curve(np.linspace(2.1, 1.9, 50))], references, glyphs="ascii")
    assert any("belt 1.95- - -" in row or "belt 1.95 - -" in row for row in rows)
    assert "^baseline" in rows[0]


def test_the_budget_fixes_the_right_end():
    rows = picture((60, 16), [curve(np.linspace(3, 2, 50))], x_end=500)
    assert rows[14].split()[-1] == "500"


@given(
    st.lists(st.lists(st.floats(width=32), max_size=40), max_size=3),
    st.tuples(st.integers(0, 100), st.integers(0, 30)),
    st.builds(
        dict,
        log_y=st.booleans(),
        smoothing=st.sampled_from([0.0, 0.9]),
        tail=st.booleans(),
        window=st.none() | st.tuples(st.floats(-5, 20), st.floats(21, 60)),
        x_end=st.none() | st.just(500.0),
        glyphs=st.sampled_from(["braille", "ascii"]),
    ),
)
def test_any_curves_in_any_view_fill_exactly_the_cells_they_are_given(values, size, view):
    series = [curve(y, letter) for y, letter in zip(values, "abc", strict=False)]
    _, made = drawn(size, series, [("belt", 1.0)], **view)
    if made is not None:
        assert [strip.cell_length for strip in made.strips] == [size[0]] * (size[1] - 2)
        assert all(len(strip.text) == size[0] for strip in made.strips)


def test_a_logarithmic_x_axis_has_its_decades_and_no_place_for_zero():
    y = np.linspace(5.0, 1.0, 1001)
    state, made = drawn((60, 16), [curve(y, x=np.arange(1001.0))], log_x=True, tail=False)
    assert made.x.low == 0.0
    assert made.x.high == 3.0
    assert made.strips[-1].text.split() == ["1", "10", "100", "1000"]
    assert abs(made.x_at(made.column_of(100.0)) - 100.0) < 8
    assert made.column_of(0.0) == -1
    assert "x=step log" in header("val_loss", "step", state, made, 60)


def test_rungs_are_upright_lines_with_a_name():
    rows = picture((40, 16), [curve(np.linspace(2, 1, 100))], glyphs="ascii", rungs=(50.0, 900.0))
    column = rows[1].index(":")
    assert rows[1][column : column + 5] == ":rung"
    assert sum(row[column] == ":" for row in rows[1:12]) >= 3
    assert sum(row.count(":") for row in rows[2:13]) <= 6


def test_a_band_is_drawn_behind_its_mean():
    x, mean = np.arange(1.0, 101.0), np.full(100, 2.0)
    banded = Series("run a", "a", "#e69f00", x, mean, None, (mean - 0.5, mean + 0.5))
    rows = picture((40, 18), [banded], glyphs="ascii", tail=False)
    body = [row[4:36] for row in rows[1:14]]
    assert sum("aaaa" in row for row in body) == 1
    assert sum("...." in row for row in body) >= 8


def test_the_first_value_that_is_not_finite_is_marked():
    y = np.linspace(3, 2, 100)
    y[60:] = np.nan
    rows = picture((60, 16), [curve(y)], glyphs="ascii")
    marked = [row.index("x") for row in rows[1:13] if "x" in row]
    assert len(marked) == 1
    assert 30 <= marked[0] <= 60


def test_letters_along_the_curve_tell_it_apart_without_colours():
    flat = [curve(np.full(200, 1.0), "a"), curve(np.full(200, 2.0), "b")]
    plain = "".join(picture((80, 16), flat)[1:])
    told = "".join(picture((80, 16), flat, letters_along=True)[1:])
    assert plain.count("a") == plain.count("b") == 1
    assert min(told.count("a"), told.count("b")) >= 4
