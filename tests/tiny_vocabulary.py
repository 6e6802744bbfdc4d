"""A SentencePiece BPE model of a few hundred pieces, written field by field, and documents for it."""

import random
import struct

WORDS = ("the", "and", "was", "to", "a", "said", "little", "dog", "her", "with", "you", "day")

rng = random.Random(7)
TRAIN = [" ".join(rng.choices(WORDS, k=60)) + "." for _ in range(1_200)]
VALID = [" ".join(rng.choices(WORDS, k=60)) + "!" for _ in range(320)]


def field(number: int, value: bytes | int | float) -> bytes:
    match value:
        case bytes():
            return varint(number << 3 | 2) + varint(len(value)) + value
        case float():
            return varint(number << 3 | 5) + struct.pack("<f", value)
        case _:
            return varint(number << 3) + varint(value)


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def piece(text: str, score: float = 0.0, kind: int = 1) -> bytes:
    return field(1, field(1, text.encode()) + field(2, score) + field(3, kind))


def cased(text: str, rng: random.Random) -> str:
    """The text with words in every form that capitals have, their marks as icons, and characters of many bytes."""
    forms = (str, str, str.title, str.upper, lambda word: word[:-1] + word[-1:].upper(), lambda word: f"M{word}D")
    words = [rng.choice(forms)(word) for word in text.split(" ")]
    return " ".join([*words, rng.choice(("end", "\ue001A", "\u00c9T\u00c9", "\U0001f600Dog", "\u4e2dX"))])


def model(
    extra: tuple[str, ...] = (), without: str = "", adds_prefix: int = 0, model_type: int = 2, symbols: str = ""
) -> bytes:
    """Four control pieces, `symbols` of the user, 256 bytes, merges from short to long; `extra` pieces come last."""
    special = [piece("<pad>", kind=3), piece("<s>", kind=3), piece("</s>", kind=3), piece("<unk>", kind=2)]
    special += [piece(symbol, kind=4) for symbol in symbols]
    raw = [piece(f"<0x{byte:02X}>", kind=6) for byte in range(256)]
    merged: list[str] = []
    for word in WORDS:
        for start in ("\u2581", ""):
            whole = start + word
            merged += [whole[:n] for n in range(2, len(whole) + 1) if whole[:n] not in merged]
    letters = ["\u2581", *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,!?'\"\u00e9"]
    texts = [text for text in (*merged, *letters, *extra) if text != without]
    normal = [piece(text, -float(rank)) for rank, text in enumerate(texts)]
    trainer = field(2, field(3, model_type) + field(41, 1))
    return b"".join([*special, *raw, *normal]) + trainer + field(3, field(3, adds_prefix))
