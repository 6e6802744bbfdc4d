"""Text to tokens as SentencePiece's BPE does it: normalise, write blanks as U+2581, merge by score (arXiv:1808.06226).

Held against the real package in the tests: the tokens it gave for a real text are kept there.
"""

import re
import struct
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from bench.data.vocabulary import SPACE, Kind, Vocabulary
from bench.errors import DataError

# No rule of a normaliser begins with these but where a mark that combines follows; tested on the official one.
PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*(?=[\x00-\x7f]|\Z)")


class Segmenter:
    """Encodes texts with one vocabulary, and counts what normalising changes on the way."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Raises DataError when a piece holds a blank beyond its start: words could not be merged one by one."""
        self.vocabulary = vocabulary
        texts = {p.text: number for number, p in enumerate(vocabulary.pieces) if p.kind is Kind.NORMAL}
        if crossing := next((text for text in texts if SPACE in text[1:]), None):
            raise DataError(f"the piece {crossing!r} reaches across words", "use a vocabulary that splits at blanks")
        self.ids = texts
        self.scores = {text: vocabulary.pieces[number].score for text, number in texts.items()}
        self.of_byte = {int(p.text[3:5], 16): n for n, p in enumerate(vocabulary.pieces) if p.kind is Kind.BYTE}
        self.unknown = next((n for n, p in enumerate(vocabulary.pieces) if p.kind is Kind.UNKNOWN), None)
        self.rules = _Rules(vocabulary.charsmap)
        self.word = lru_cache(maxsize=200_000)(self._word)

    def encode(self, text: str) -> npt.NDArray[np.uint16]:
        """The tokens of one document, without a boundary token."""
        return self.segmented(self.normalised(text)[0])

    def segmented(self, written: str) -> npt.NDArray[np.uint16]:
        """The tokens of a normalised text."""
        words = re.findall(f"{SPACE}?[^{SPACE}]+|{SPACE}", written)
        return np.array([token for word in words for token in self.word(word)], np.uint16)

    def normalised(self, text: str) -> tuple[str, int]:
        """The text as it is segmented, blanks as U+2581, and how many of its UTF-8 bytes that replaced or dropped."""
        out: list[str] = []
        changed = 0
        after_blank = self.vocabulary.joins_blanks  # so that blanks at the start go
        at = 0
        while at < len(text):
            if plain := PLAIN.match(text, at):
                given = made = plain.group()
            else:
                given, made = self.rules.longest(text, at)
            at += len(given)
            kept = made.lstrip(" ") if after_blank else made
            if kept != given:
                changed += len(given.encode())
            if kept:
                out.append(kept)
                after_blank = self.vocabulary.joins_blanks and kept.endswith(" ")
        written = "".join(out)
        if self.vocabulary.joins_blanks:
            changed += len(written) - len(written.rstrip(" "))
            written = written.rstrip(" ")
        if self.vocabulary.adds_prefix and written:
            written = " " + written
        return written.replace(" ", SPACE), changed

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
