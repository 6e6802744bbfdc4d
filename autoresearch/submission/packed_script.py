"""A script packed into two lines, as records from #1394 on ship or count theirs, and what such a script holds.

The cap counts code as it lies in the folder, so packing leaves more of it to the weights.
"""

import ast
import base64
import binascii
import lzma
import zlib
from collections.abc import Iterator

# more than a script can have that somebody is to read
MAX_BYTES = 2_000_000


def packed(code: str) -> str:
    """Two lines that unpack and run `code`: LZMA in base 85, which needs no escape in a Python string."""
    text = base64.b85encode(lzma.compress(code.encode(), preset=9 | lzma.PRESET_EXTREME)).decode()
    # under its own file's name, so that __file__ and a traceback name what was run
    return f'import base64, lzma\nexec(compile(lzma.decompress(base64.b85decode("{text}")), __file__, "exec"))\n'


def is_packed(tree: ast.Module) -> bool:
    """Whether it executes text that is not there to read."""
    return any(isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "exec" for n in ast.walk(tree))


def unpacked(tree: ast.Module) -> str | None:
    """What a script unpacks and executes, where that can be told by data alone; else None. Runs none of it."""
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str | bytes)]
    if not is_packed(tree) or not texts:
        return None
    longest = max(texts, key=len)
    for raw in _opened(longest.encode() if isinstance(longest, str) else longest):
        try:
            text = raw.decode()
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        return text
    return None


def _opened(text: bytes) -> Iterator[bytes]:
    """The content under base 85 or 64 and LZMA or DEFLATE, bounded whatever it claims."""
    for decode in (base64.b85decode, base64.b64decode):
        try:
            content = decode(text)
        except (ValueError, binascii.Error):
            continue
        for made in (
            lambda: lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=200_000_000),
            lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2}]),
            zlib.decompressobj,
        ):
            try:
                yield made().decompress(content, MAX_BYTES)
            except (lzma.LZMAError, zlib.error, EOFError, ValueError):
                continue
