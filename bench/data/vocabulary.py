"""A SentencePiece vocabulary read from its `.model` file: pieces, byte counts as golf's rules take them, decoding.

Our own reader of the few fields needed (a protobuf: sentencepiece_model.proto of github.com/google/sentencepiece), so
that no run depends on a package that only building a corpus would use.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bench.data.capitals import MARKS
from bench.errors import DataError

SPACE = "\u2581"  # how a piece writes a blank
NOT_A_MODEL = "give a SentencePiece .model file, such as fineweb_1024_bpe.model"
BPE = 2  # the model type that is read here


class Kind(IntEnum):
    """What a piece is, under the numbers of the file format."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True)
class Piece:
    """One token: its text (`<0x0A>` for a byte), the order in which it is merged (higher is earlier), its kind."""

    text: str
    score: float
    kind: Kind


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The pieces by token id; `charsmap` is the normaliser's table as the file holds it."""

    pieces: tuple[Piece, ...]
    charsmap: bytes
    adds_prefix: bool  # a blank is put before every text
    joins_blanks: bool  # runs of blanks become one, those at both ends go
    bos: int
    digest: str  # SHA-256 of the file, hex

    def __len__(self) -> int:
        return len(self.pieces)

    @cached_property
    def bytes_of(self) -> npt.NDArray[np.int64]:
        """Bytes each token stands for, its leading blank not counted; control, unknown and unused ones stand for 0.

        So do marks of capitals, save where the text itself holds one: which that is, no table can say.
        """
        return np.array([0 if is_mark(piece) else _bytes_of(piece) for piece in self.pieces], np.int64)

    @cached_property
    def capitals_apart(self) -> bool:
        """True where text is to be written with its capitals apart: the marks for it are symbols of the vocabulary."""
        return any(is_mark(piece) for piece in self.pieces)

    @cached_property
    def leads(self) -> npt.NDArray[np.bool_]:
        """True for a token that begins with a blank."""
        return np.array([p.kind in _TEXTS and p.text.startswith(SPACE) for p in self.pieces])

    @cached_property
    def bounds(self) -> npt.NDArray[np.bool_]:
        """True for a token after which a leading blank is no text: the boundaries of documents and their kin."""
        return np.array([p.kind in (Kind.CONTROL, Kind.UNKNOWN, Kind.UNUSED) for p in self.pieces])

    def byte_count(self, tokens: npt.NDArray[np.uint8 | np.uint16]) -> int:
        """Bytes of text that all tokens but the first stand for, given those before them (techniques.md 1.8)."""
        before, targets = tokens[:-1], tokens[1:]
        return int(self.bytes_of[targets].sum()) + int((self.leads[targets] & ~self.bounds[before]).sum())

    def decode(self, tokens: Iterable[int]) -> bytes:
        """The text of tokens, as UTF-8 unless byte tokens say otherwise; control tokens are left out."""
        return b"".join(_text_of(self.pieces[token]) for token in tokens)


_TEXTS = (Kind.NORMAL, Kind.USER_DEFINED)


def is_mark(piece: Piece) -> bool:
    """Whether a piece is a mark of capitals: a user's symbol, for a learnt one is of texts that draw icons with it."""
    return piece.kind is Kind.USER_DEFINED and piece.text in tuple(MARKS)


def _bytes_of(piece: Piece) -> int:
    match piece.kind:
        case Kind.BYTE:
            return 1
        case Kind.NORMAL | Kind.USER_DEFINED:
            return len(piece.text.removeprefix(SPACE).encode())
        case _:
            return 0


def _text_of(piece: Piece) -> bytes:
    match piece.kind:
        case Kind.BYTE:
            return bytes([int(piece.text[3:5], 16)])
        case Kind.NORMAL | Kind.USER_DEFINED:
            return piece.text.replace(SPACE, " ").encode()
        case _:
            return b""


def read_vocabulary(raw: bytes, name: str) -> Vocabulary:
    """The vocabulary in the bytes of a `.model` file; `name` is for messages.

    Raises DataError when it is none, is no BPE, has no blank piece to count by (a rule of the metric), or leaves open
    whether it wants capitals apart.
    """
    pieces: list[Piece] = []
    charsmap, adds_prefix, joins_blanks, model_type, bos = b"", True, True, 1, 1
    try:
        for field, value in _fields(raw):
            match field:
                case 1:
                    pieces.append(_piece(dict(_fields(_bytes(value)))))
                case 2:
                    trained = dict(_fields(_bytes(value)))
                    model_type, bos = int(trained.get(3, 1)), int(trained.get(41, 1))
                case 3:
                    normalised = dict(_fields(_bytes(value)))
                    charsmap = _bytes(normalised.get(2, b""))
                    adds_prefix, joins_blanks = bool(normalised.get(3, 1)), bool(normalised.get(4, 1))
    except (IndexError, struct.error, TypeError, ValueError) as broken:
        raise DataError(f"{name} is no SentencePiece model: {broken}", NOT_A_MODEL) from broken
    if not pieces:
        raise DataError(f"{name} is no SentencePiece model: it holds no piece", NOT_A_MODEL)
    if model_type != BPE:
        raise DataError(f"{name} is a SentencePiece model of type {model_type}, only BPE (2) is read", NOT_A_MODEL)
    if len(pieces) > 65_536:
        raise DataError(f"{name} has {len(pieces):,} pieces, and a shard's tokens have 16 bits", NOT_A_MODEL)
    if all(piece.text != SPACE for piece in pieces):
        raise DataError(
            f"{name} has no piece for a blank alone: the bytes of a leading blank can't be counted by it", NOT_A_MODEL
        )
    marks = [piece.text for piece in pieces if is_mark(piece)]
    within = [p.text for p in pieces if p.kind in _TEXTS and len(p.text) > 1 and any(mark in p.text for mark in MARKS)]
    if within or (marks and sorted(marks) != sorted(MARKS)):
        raise DataError(
            f"{name} has {len(marks)} of the {len(MARKS)} marks of capitals as symbols of their own, and "
            f"{len(within)} pieces that hold one among other characters",
            "use a vocabulary with U+E001 to U+E004 as user-defined symbols, or one without them",
        )
    return Vocabulary(tuple(pieces), charsmap, adds_prefix, joins_blanks, bos, hashlib.sha256(raw).hexdigest())


def _piece(fields: dict[int, int | float | bytes]) -> Piece:
    return Piece(_bytes(fields[1]).decode(), float(fields.get(2, 0.0)), Kind(int(fields.get(3, 1))))


def _bytes(value: int | float | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("a number where a text belongs")
    return value


def _fields(raw: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """Field numbers and values of one protobuf message: whole numbers, single-precision floats, byte strings."""
    at = 0
    while at < len(raw):
        key, at = _varint(raw, at)
        match key & 7:
            case 0:
                number, at = _varint(raw, at)
                yield key >> 3, number
            case 2:
                length, at = _varint(raw, at)
                if at + length > len(raw):
                    raise ValueError(f"a field of {length} bytes runs past the end")
                yield key >> 3, raw[at : at + length]
                at += length
            case 5:
                yield key >> 3, struct.unpack_from("<f", raw, at)[0]
                at += 4
            case 1:
                yield key >> 3, struct.unpack_from("<d", raw, at)[0]
                at += 8
            case kind:
                raise ValueError(f"a field of kind {kind}")


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """A whole number of seven bits a byte, lowest first, and where it ends."""
    number = shift = 0
    while True:
        byte = raw[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at
