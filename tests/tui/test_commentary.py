"""The report's JSON as lines: nothing computed, nothing lost, nothing wider than the screen."""

import json

import pytest
from rich.cells import cell_len

from arena_tui.commands import UnknownFormatError
from arena_tui.commentary import Section as Told
from arena_tui.commentary import fitted_columns, fitted_widths, interval, lines_of, sections_of
from autoresearch.reporting.report import (
    DELTA,
    FORMAT,
    LOSS,
    Column,
    Forest,
    Report,
    Row,
    Section,
    Sentence,
    table,
    to_json,
)

HOSTILE = "[red]x[/] \x1b[31m\n| <b>"
EFFECTS = table(
    (Column("technique"), Column("effect, nats/byte", DELTA), Column("from", DELTA), Column("to", DELTA)),
    [Row(("muon", -0.2, -0.3, -0.1), (5, 1)), Row((HOSTILE + " and much more" * 9, 0.1, 0.0, 0.2), (3,))],
)
REPORT = Report(
    study="s",
    as_of=0.0,
    sections=(
        Section("At a glance", (Sentence("Best: " + "word " * 30, (5,)), Sentence("No more."))),
        Section("Effect per technique", (EFFECTS, Forest(alt="muon helps", effects=()))),
        Section("Best stacks", (table((Column("n", "d"), Column("val_loss", LOSS)), [Row((1, None)), Row((2, 1.5))]),)),
    ),
)


def lines(at: int, width: int = 78):
    return lines_of(sections_of(to_json(REPORT))[at], width)


def test_every_section_of_the_report_is_there():
    assert [s.title for s in sections_of(to_json(REPORT))] == ["At a glance", "Effect per technique", "Best stacks"]


@pytest.mark.parametrize("width", [40, 78, 128])
def test_sentences_are_wrapped_whole_and_know_their_trials(width):
    found = lines(0, width)
    told = [line for line in found if line.trials == (5,)]
    assert " ".join(line.text.plain for line in told) == ("Best: " + "word " * 30).strip()
    assert max(cell_len(line.text.plain) for line in found) <= width


def test_a_tables_numbers_are_whole_and_its_words_give_way():
    head, muon, other = lines(1)[:3]
    assert head.text.plain.split() == ["technique", "effect", "from", "to"]
    assert muon.text.plain.split() == ["muon", "-0.2000", "-0.3000", "-0.1000"]
    assert "+0.1000  +0.0000  +0.2000" in other.text.plain
    assert cell_len(other.text.plain) <= 78
    assert dict(other.about)["technique"].startswith(HOSTILE)
    assert other.text.plain.isprintable()
    assert (muon.trials, muon.key != other.key) == ((5, 1), True)


def test_a_table_leaves_out_its_last_numbers_before_it_cuts_its_words_short() -> None:
    recipes = ["muon(lr=0.03 momentum=0.95) normuon", "muon(lr=0.03 momentum=0.95) muoneq_r"]
    head = ["rank", "recipe", "val_loss", "seeds", "status", "weights_bytes", "train_seconds"]
    more = ["1.0635", "1", "unconfirmed: 1 seed", "3,073,710", "551"]
    rows = [head, *([str(rank), name, *more] for rank, name in enumerate(recipes))]
    right = [True, False, True, True, False, True, True]
    kept, widths = fitted_columns(rows, right, 78)
    assert [head[i] for i in kept] == ["rank", "recipe", "val_loss", "seeds", "status"]
    assert dict(zip(kept, widths, strict=True))[1] >= 26
    # all of it where there is room
    assert fitted_columns(rows, right, 120)[0] == list(range(7))


def test_recipes_that_begin_alike_are_told_apart_where_they_are_cut() -> None:
    columns = [
        {"name": "recipe, from the baseline", "form": ""},
        {"name": "val_loss", "form": ".4f"},
        {"name": "status", "form": ""},
    ]
    long = "muon(lr=0.03 momentum=0.95 rest_lr=0.004)"
    told = [[f"{long} {more}", 1.0, "unconfirmed: 1 seed"] for more in ("normuon", "muoneq_r")]
    part = {"kind": "table", "columns": columns, "rows": [{"cells": cells, "trials": [0]} for cells in told]}
    _, *lines = lines_of(Told("Best stacks", (part,)), 60)
    assert [line.text.plain.split()[0] for line in lines] == ["muon+normuon", "muon+muoneq_r"]
    assert lines[0].about[0] == ("recipe, from the baseline", f"{long} normuon")


def test_a_wide_screen_draws_the_intervals_around_zero():
    head, muon, _ = lines(1, 128)[:3]
    drawn = muon.text.plain[-31:]
    assert drawn == interval(-0.3, -0.2, -0.1, -0.3, 0.2, 31)
    assert drawn.index("o") < drawn.index("|")
    assert head.text.plain.rstrip().endswith("0.2")
    assert "|" not in lines(1, 78)[1].text.plain


def test_an_interval_marks_its_middle_over_zero_and_draws_nothing_for_an_absent_end():
    assert interval(-1.0, 0.0, 1.0, -1.0, 1.0, 5) == "--o--"
    assert interval(1.0, 1.5, 2.0, 0.0, 4.0, 5) == "|-o  "
    assert interval(None, 1.0, 2.0, 0.0, 4.0, 5) == "     "
    assert interval(1.0, 1.0, 1.0, 1.0, 1.0, 5) == "     "


def test_an_absent_cell_is_a_dash_and_is_not_told_below():
    _, first, second = lines(2)
    assert first.text.plain.split() == ["1", "-"]
    assert first.about == (("n", "1"),)
    assert second.about == (("n", "2"), ("val_loss", "1.5000"))


def test_the_widest_words_give_way_first_and_numbers_never():
    rows = [["x" * 60, "y" * 20, "1.2345"]]
    assert fitted_widths(rows, [False, False, True], 60) == [30, 20, 6]
    assert fitted_widths(rows, [False, False, True], 40) == [15, 15, 6]
    assert fitted_widths(rows, [False, False, True], 5) == [14, 14, 6]


@pytest.mark.parametrize(
    "text", ["", "no json", "[]", json.dumps({"format": FORMAT, "sections": [{}]}), json.dumps({"format": 99})]
)
def test_what_is_no_report_is_said_and_not_shown(text):
    with pytest.raises(UnknownFormatError):
        sections_of(text)
