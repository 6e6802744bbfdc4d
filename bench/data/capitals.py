"""Capitals apart from letters, and back: lossless, for documents before they become tokens (Parameter Golf #1729).

Each longest run of ASCII letters is written small. Marks say what was large: FIRST stands before a run that begins with
a capital, ALL before two or more capitals and nothing else, NEXT before each other capital. A mark that the text itself
holds is written behind LITERAL. Held against the contest's own form in the tests, by what that gave for a few texts.
"""

import re

import numpy as np
import numpy.typing as npt

from bench.errors import DataError

FIRST, ALL, NEXT, LITERAL = "\ue001", "\ue002", "\ue003", "\ue004"
MARKS = FIRST + ALL + NEXT + LITERAL
RUN_OR_MARK = re.compile(f"[A-Za-z]+|[{MARKS}]")
MARKED = re.compile(f"{LITERAL}([{MARKS}])|{ALL}([a-z]+)|[{FIRST}{NEXT}]([a-z])")
# as they are met from left to right: what stands behind LITERAL is text
MARK = re.compile(f"{LITERAL}.|[{MARKS}]", re.DOTALL)


def apart(text: str) -> str:
    """The text with its ASCII capitals as marks and small letters."""
    return RUN_OR_MARK.sub(_written, text)


def together(written: str) -> str:
    """The one text that `apart` writes so; raises DataError where there is none."""
    text = MARKED.sub(_read, written)
    if apart(text) != written:
        raise DataError(f"no text is written {written[:40]!r} with its capitals apart", "decode whole documents")
    return text


def text_bytes(written: str) -> npt.NDArray[np.int64]:
    """Of each character, how many UTF-8 bytes of the text it stands for: a mark for none, a literal one for its own."""
    codes = np.frombuffer(written.encode("utf-32-le"), "<u4")
    sizes = 1 + (codes >= 0x80).astype(np.int64) + (codes >= 0x800) + (codes >= 0x1_0000)
    sizes[[found.start() for found in MARK.finditer(written)]] = 0
    return sizes


def _written(found: re.Match[str]) -> str:
    run = found.group()
    if run in MARKS:
        return LITERAL + run
    if len(run) > 1 and run.isupper():
        return ALL + run.lower()
    first = FIRST if run[0].isupper() else ""
    return first + run[0].lower() + re.sub("[A-Z]", lambda capital: NEXT + capital.group().lower(), run[1:])


def _read(found: re.Match[str]) -> str:
    literal, run, letter = found.groups()
    return literal or (run or letter).upper()
