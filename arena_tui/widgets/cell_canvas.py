"""Cells of a terminal as a surface: braille dots or letters, one colour per cell, the later drawing on top."""

from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from arena_tui.widgets.curves import Floats

Glyphs = Literal["braille", "ascii"]

BRAILLE = 0x2800
# bits of the first 0, 1, .. dots from the top, for each column of dots in a cell
DOTS_ABOVE = {
    "braille": np.array([[0x00, 0x01, 0x03, 0x07, 0x47], [0x00, 0x08, 0x18, 0x38, 0xB8]], dtype=np.uint8),
    "ascii": np.array([[0, 1]], dtype=np.uint8),
}
BLANK = ord(" ")


class CellCanvas:
    """`columns` x `rows` cells; a dot is an eighth of a cell in braille and a whole one in ascii."""

    def __init__(self, columns: int, rows: int, glyphs: Glyphs, base: Style) -> None:
        self.columns, self.rows, self.glyphs = columns, rows, glyphs
        self.dots_across, self.dots_down = (2, 4) if glyphs == "braille" else (1, 1)
        self._styles: list[Style] = [base]
        self._dots = np.zeros((rows, columns), dtype=np.uint8)
        self._level = np.zeros((rows, columns), dtype=np.uint8)
        self._owner = np.zeros((rows, columns), dtype=np.int16)
        self._text = np.zeros((rows, columns), dtype=np.uint32)
        # a dot row less a cell's top, looked up with the clipping to the cell's own dots already done
        offsets = np.clip(np.arange(-rows * self.dots_down, rows * self.dots_down + 1), 0, self.dots_down)
        self._dots_above = DOTS_ABOVE[glyphs][:, offsets]
        self._cell_tops = (rows - np.arange(rows)[:, None]) * self.dots_down

    def draw(self, top: Floats, bottom: Floats, style: Style, letter: str, level: int) -> None:
        """One vertical bar of dots per dot column, from top to bottom counted in dots; NaN draws nothing.

        What lies beyond an edge is left out, never pulled onto it. A higher level wipes the cells it enters,
        an equal one shares the cell's dots and takes its colour.
        """
        height = self.rows * self.dots_down
        # NaN compares false, so absent columns fall out here
        shown = (bottom >= -0.5) & (top <= height - 0.5)
        first = np.where(shown, np.clip(np.rint(np.where(shown, top, 0)), 0, height - 1), height).astype(np.int64)
        after = np.where(shown, np.clip(np.rint(np.where(shown, bottom, 0)), 0, height - 1) + 1, 0).astype(np.int64)
        self._place(first, after, style, letter, level)

    def dashes(self, dot_row: float, n_dots: int, style: Style) -> None:
        """A broken horizontal line over the first `n_dots` dot columns, under everything drawn later."""
        dash = 3 if self.glyphs == "braille" else 1
        row = np.where(np.arange(n_dots) // dash % 2 == 0, dot_row, np.nan)
        self.draw(row, row, style, "-", level=1)

    def _place(
        self, first: npt.NDArray[np.int64], after: npt.NDArray[np.int64], style: Style, letter: str, level: int
    ) -> None:
        n_cells = len(first) // self.dots_across
        bits = np.zeros((self.rows, n_cells), dtype=np.uint8)
        for across, above in enumerate(self._dots_above):
            # the dots of a cell above the bar's end without those above its start
            start = above[first[across :: self.dots_across] + self._cell_tops]
            bits |= above[after[across :: self.dots_across] + self._cell_tops] & ~start
        touched = bits > 0
        at = (slice(None), slice(0, n_cells))
        self._dots[at][touched & (self._level[at] < level)] = 0
        self._dots[at] |= bits
        self._level[at][touched] = level
        self._owner[at][touched] = self._index(style)
        if self.glyphs == "ascii":
            self._text[at][touched] = ord(letter)

    def _index(self, style: Style) -> int:
        self._styles.append(style)
        return len(self._styles) - 1

    def write(self, row: int, column: int, text: str, style: Style) -> None:
        """Characters over whatever is there; what does not fit is left out, what is not one cell wide is a `?`."""
        text = text[: max(0, self.columns - column)]
        self._text[row, column : column + len(text)] = [ord(char if cell_len(char) == 1 else "?") for char in text]
        self._owner[row, column : column + len(text)] = self._index(style)

    def strips(self) -> list[Strip]:
        """One strip a row, a segment for each run of cells in one style."""
        dots = np.where(self._dots > 0, BRAILLE + self._dots.astype(np.uint32), BLANK)
        chars = np.where(self._text > 0, self._text, dots).astype("<u4")
        # a blank shows no colour, so it goes on with its left neighbour's run: fewer segments to write out
        source = np.where(chars == BLANK, 0, np.arange(self.columns))
        owner = np.take_along_axis(self._owner, np.maximum.accumulate(source, axis=1), axis=1)
        strips = []
        for text_codes, owners in zip(chars, owner, strict=True):
            text = text_codes.tobytes().decode("utf-32-le")
            cuts = [0, *(np.flatnonzero(np.diff(owners)) + 1).tolist(), self.columns]
            segments = [Segment(text[a:b], self._styles[owners[a]]) for a, b in pairwise(cuts)]
            strips.append(Strip(segments, self.columns))
        return strips
