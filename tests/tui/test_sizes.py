"""Where the bytes of a packed model went, on the trial's page."""

from pathlib import Path
from typing import Any

import pytest
from sample_store import SIZES
from textual.containers import VerticalScroll

from arena_tui.sizes import by_kind, size_lines
from arena_tui.widgets.lines import Lines
from bench.divisions import BASE, BASES
from bench.records import Sizes, TensorSize
from studies.reading import Reader
from studies.views import RunView


@pytest.fixture
def run(store: Path) -> RunView:
    reader = Reader(store)
    found, _ = reader.run(4)
    reader.close()
    return found


def test_tensors_that_differ_in_their_layer_alone_share_a_line() -> None:
    lines = by_kind(SIZES.tensors)
    assert [(line.name, line.shape, line.n_bytes) for line in lines][:4] == [
        ("blocks.0-3.ffn.up", "4 of 512x128", 1_048_576),
        ("blocks.0-3.ffn.down", "4 of 128x512", 1_048_576),
        ("blocks.0-3.mixer.query", "4 of 128x128", 262_144),
        ("blocks.0-3.mixer.key", "4 of 128x128", 262_144),
    ]
    assert sum(line.n_bytes for line in lines) == SIZES.n_bytes - SIZES.header_bytes


def test_a_layer_in_another_number_format_has_a_line_of_its_own() -> None:
    keys = [TensorSize(f"blocks.{i}.mixer.key.weight", "matrix", (8, 8), 128 if i == 2 else 64) for i in range(5)]
    assert [(line.name, line.shape) for line in by_kind(keys)] == [
        ("blocks.0-1,3-4.mixer.key", "4 of 8x8"),
        ("blocks.2.mixer.key", "8x8"),
    ]


def test_bits_and_shares_are_of_what_the_codec_is_given(run: RunView) -> None:
    page = size_lines(run, BASE, {run.id: SIZES}, 74).plain
    assert "3,191,404 bytes, 93.6% of 3,410,568 before the codec" in page
    assert "blocks.0-3.ffn.up" in page
    (line,) = [line for line in page.splitlines() if "ffn.up" in line]
    assert line.split()[-3:] == ["32", "1,048,576", "30.7%"]
    assert " header" in page
    assert max(map(len, page.splitlines())) <= 74


def test_what_is_beyond_the_longest_list_is_added_up(run: RunView) -> None:
    many = tuple(TensorSize(f"part{i}", "vector", (4,), 16) for i in range(40))
    sizes = Sizes(tensors=many, correction_bytes=300, header_bytes=60, code_bytes=0)
    lines = size_lines(run, BASE, {run.id: sizes}, 74).plain.splitlines()
    assert lines[-3].split() == ["26", "smaller", "32", "416", "41.6%"]
    assert lines[-2].split() == ["corrections", "300", "30.0%"]
    assert lines[-1].split() == ["header:", "config", "and", "names", "60", "6.0%"]


def test_under_a_cap_the_code_is_counted_and_what_is_left_said(run: RunView) -> None:
    sizes = Sizes(tensors=(), correction_bytes=0, header_bytes=4_000_000, code_bytes=90_000)
    page = size_lines(run, BASES["golf"], {run.id: sizes}, 74).plain
    assert "16,000,000 less 90,000 for code: 12,718,596 bytes to spare" in page
    assert "cap" not in size_lines(run, BASE, {run.id: SIZES}, 74).plain


def test_an_older_run_says_that_it_has_none_and_an_unread_one_says_nothing(run: RunView) -> None:
    assert "by tensor: not recorded" in size_lines(run, BASE, {run.id: None}, 74).plain
    assert "by tensor" not in size_lines(run, BASE, {}, 74).plain


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_the_page_shows_them_and_scrolls_to_them(
    store: Path, alive: None, opened: Any, size: tuple[int, int]
) -> None:
    async with opened(size) as (app, pilot):
        app.open_trial("optimizer-1", 1)
        for _ in range(50):
            await pilot.pause(0.02)
            page = app.screen.query_one("#trial", Lines).shown.plain
            if "blocks.0-3.ffn.up" in page:
                break
        lines = page.splitlines()
        at = next(i for i, line in enumerate(lines) if "blocks.0-3.ffn.up" in line)
        words = app.screen.query_one("#words", VerticalScroll)
        for _ in range(100):
            if words.scroll_y <= at < words.scroll_y + words.size.height:
                break
            await pilot.press("j")
        else:
            raise AssertionError("it is never scrolled to")
        table = lines[at - 1 : at + 8]
        assert table[0].split() == ["tensors", "shape", "bits", "bytes", "share"]
        assert {len(line) for line in table} == {74}, "right columns stand under one another"
        assert words.size.width >= 74


async def test_a_run_recorded_earlier_says_so_on_its_page(store: Path, alive: None, opened: Any) -> None:
    async with opened() as (app, pilot):
        app.open_trial("toy-1", 0)
        for _ in range(50):
            await pilot.pause(0.02)
            page = app.screen.query_one("#trial", Lines).shown.plain
            if "by tensor" in page:
                break
        assert "by tensor: not recorded, the run is older than that record" in page
