"""Text to tokens as SentencePiece's BPE does it: normalise, write blanks as U+2581, merge by score (arXiv:1808.06226).

Held against the real package in the tests: the tokens it gave for a real text are kept there.
"""

import re
import struct
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from bench.data.capitals import MARKS, apart, text_bytes
from bench.data.vocabulary import SPACE, Kind, Vocabulary, is_mark
from bench.errors import DataError

# No rule of a normaliser begins with these but where a mark that combines follows; tested on the official one.
PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*(?=[\x00-\x7f]|\Z)")


class Segmenter:
    """Encodes texts with one vocabulary, and counts what normalising changes on the way.

    Where the vocabulary has marks for capitals, a text is first written with these apart.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Raises DataError when a piece holds a blank beyond its start: words could not be merged one by one."""
        self.vocabulary = vocabulary
        texts = {p.text: number for number, p in enumerate(vocabulary.pieces) if p.kind is Kind.NORMAL or is_mark(p)}
        if crossing := next((text for text in texts if SPACE in text[1:]), None):
            raise DataError(f"the piece {crossing!r} reaches across words", "use a vocabulary that splits at blanks")
        self.ids = texts
        self.scores = {text: vocabulary.pieces[number].score for text, number in texts.items()}
        self.of_byte = {int(p.text[3:5], 16): n for n, p in enumerate(vocabulary.pieces) if p.kind is Kind.BYTE}
        self.unknown = next((n for n, p in enumerate(vocabulary.pieces) if p.kind is Kind.UNKNOWN), None)
        # nothing is merged with a mark
        marks = MARKS if vocabulary.capitals_apart else ""
        self.words = re.compile(f"{SPACE}?[^{SPACE}{marks}]+|[{SPACE}{marks}]")
        self.lengths = np.array([1 if p.kind is Kind.BYTE else len(p.text.encode()) for p in vocabulary.pieces])
        self.rules = _Rules(vocabulary.charsmap)
        self.word = lru_cache(maxsize=200_000)(self._word)

    def encode(self, text: str) -> npt.NDArray[np.uint16]:
        """The tokens of one document, without a boundary token."""
        return self.segmented(self.normalised(text)[0])

    def segmented(self, written: str) -> npt.NDArray[np.uint16]:
        """The tokens of a normalised text."""
        words = self.words.findall(written)
        return np.array([token for word in words for token in self.word(word)], np.uint16)

    def byte_counts(self, text: str) -> npt.NDArray[np.uint16]:
        """Of each token of a text, the bytes of the text that it stands for, as SentencePiece aligns them.

        What normalising drops belongs to the character before it, save blanks at either end, which belong to none. Of
        a character in bytes, or of two that became one, the last token has all. Raises DataError for a vocabulary
        without bytes, or a token of more than 65,535 bytes.
        """
        if not self.of_byte:
            raise DataError("a vocabulary without bytes leaves open what a token stands for", "use one with bytes")
        source, (written, _) = self.prepared(text), self.normalised(text)
        before = np.concatenate([[0], np.cumsum(text_bytes(source))])[self._origins(source, written)]
        starts = np.concatenate([[0], np.cumsum([len(character.encode()) for character in written])])
        ends = np.concatenate([[0], np.cumsum(self.lengths[self.segmented(written)])])
        counts = np.diff(before[np.searchsorted(starts, ends, "right") - 1])
        if (most := counts.max(initial=0)) > np.iinfo(np.uint16).max:
            raise DataError(f"a token stands for {most:,} bytes", "take the long run of blanks out of the text")
        return counts.astype(np.uint16)

    def prepared(self, text: str) -> str:
        """The text as it is normalised."""
        return apart(text) if self.vocabulary.capitals_apart else text

    def normalised(self, text: str) -> tuple[str, int]:
        """The text as it is segmented, blanks as U+2581, and how many of its UTF-8 bytes that replaced or dropped."""
        out: list[str] = []
        changed = 0
        for given, kept in self._stretches(self.prepared(text)):
            if kept != given:
                changed += len(given.encode())
            out.append(kept)
        written = "".join(out)
        if self.vocabulary.joins_blanks:
            changed += len(written) - len(written.rstrip(" "))
            written = written.rstrip(" ")
        if self.vocabulary.adds_prefix and written:
            written = " " + written
        return written.replace(" ", SPACE), changed

    def _stretches(self, text: str) -> Iterator[tuple[str, str]]:
        """The text, a stretch at a time, each with what normalising leaves of it; blanks at the end stay."""
        after_blank = self.vocabulary.joins_blanks  # so that blanks at the start go
        at = 0
        while at < len(text):
            if plain := PLAIN.match(text, at):
                given = made = plain.group()
            else:
                given, made = self.rules.longest(text, at)
            at += len(given)
            kept = made.lstrip(" ") if after_blank else made
            yield given, kept
            if kept:
                after_blank = self.vocabulary.joins_blanks and kept.endswith(" ")

    def _origins(self, text: str, written: str) -> list[int]:
        """Of each character that normalising wrote, and of their end, where in the text it begins."""
        found: list[int] = []
        at = 0
        for given, kept in self._stretches(text):
            found += range(at, at + len(kept)) if kept == given else [at] * len(kept)
            at += len(given)
        found.append(at)
        prefix = int(self.vocabulary.adds_prefix and bool(written))
        return found[:prefix] + found[: len(written) - prefix + 1]

    def _word(self, word: str) -> tuple[int, ...]:
        """Tokens of one word: its characters, the neighbours of highest score joined until none can be."""
        parts = list(word)
        while len(parts) > 1:
            joined = [self.scores.get(a + b, float("-inf")) for a, b in pairwise(parts)]
            best = max(joined)
            if best == float("-inf"):
                break
            first = joined.index(best)
            parts[first : first + 2] = [parts[first] + parts[first + 1]]
        return tuple(token for part in parts for token in self._tokens(part))

    def _tokens(self, part: str) -> list[int]:
        """A piece's own token, or the bytes of a character that has none."""
        if part in self.ids:
            return [self.ids[part]]
        if self.of_byte:
            return [self.of_byte[byte] for byte in part.encode()]
        if self.unknown is None:
            raise DataError(f"the vocabulary has neither {part!r} nor bytes to write it with", "use one with bytes")
        return [self.unknown]


class _Rules:
    """The normaliser's table: a double-array trie over UTF-8 (Aoe 1989, as darts-clone lays it out), then its texts."""

    def __init__(self, charsmap: bytes) -> None:
        self.units: tuple[int, ...] = ()
        self.texts = b""
        if charsmap:
            (size,) = struct.unpack_from("<I", charsmap)
            self.units = struct.unpack_from(f"<{size // 4}I", charsmap, 4)
            self.texts = charsmap[4 + size :]

    def longest(self, text: str, at: int) -> tuple[str, str]:
        """The longest stretch from `at` that a rule knows, and what it becomes; else one character as it is."""
        if not self.units:
            return text[at], text[at]
        # no rule of Unicode's normal forms is anywhere near as long
        raw = text[at : at + 32].encode()
        node = _offset(self.units[0])
        length, value = 0, -1
        for n_read, byte in enumerate(raw, 1):
            node ^= byte
            if node >= len(self.units) or self.units[node] & 0x8000_00FF != byte:
                break
            unit = self.units[node]
            node ^= _offset(unit)
            if unit >> 8 & 1:
                length, value = n_read, self.units[node] & 0x7FFF_FFFF
        if not length:
            return text[at], text[at]
        return raw[:length].decode(), self.texts[value : self.texts.index(b"\0", value)].decode()


def _offset(unit: int) -> int:
    return (unit >> 10) << ((unit & 0x200) >> 6)
