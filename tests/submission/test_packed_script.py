"""A script in two lines: it runs as the one that it holds, and what it holds is told without running it."""

import base64
import lzma
import subprocess
import sys
import zlib

import pytest

from autoresearch.submission import script_checks
from autoresearch.submission.packed_script import MAX_BYTES, is_packed, packed, unpacked

CODE = '''"""What torchrun starts."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Said:
    quote: str = "\\"it's\\" \\\\ \u00fc"


if __name__ == "__main__":
    print(Said(), Path(__file__).name, Path(__file__).stat().st_size, sys.argv[1:])
    if sys.argv[1:] == ["fail"]:
        raise ValueError("here")
'''


def started(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-P", "train_gpt.py", *arguments], cwd=folder, capture_output=True, text=True
    )


def test_it_runs_as_what_it_holds(tmp_path):
    small = packed(CODE)
    (tmp_path / "train_gpt.py").write_text(small)
    done = started(tmp_path, "a")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Said(quote='\"it\\'s\" \\\\ ü') train_gpt.py {len(small.encode())} ['a']\n"


def test_a_traceback_names_the_line_of_what_it_holds(tmp_path):
    (tmp_path / "train_gpt.py").write_text(packed(CODE))
    line = 1 + CODE.splitlines().index('        raise ValueError("here")')
    assert f'train_gpt.py", line {line}, in <module>' in started(tmp_path, "fail").stderr


def test_what_it_holds_is_told_letter_for_letter():
    tree = script_checks.parsed(packed(CODE).encode())
    assert is_packed(tree)
    assert unpacked(tree) == CODE
    assert unpacked(script_checks.parsed(CODE.encode())) is None


@pytest.mark.parametrize(
    "text",
    [
        base64.b85encode(lzma.compress(CODE.encode())),
        base64.b64encode(zlib.compress(CODE.encode())),
        base64.b85encode(lzma.compress(CODE.encode(), lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2}])),
    ],
    ids=["lzma in base 85", "zlib in base 64", "raw lzma"],
)
def test_what_others_pack_is_told_by_data_alone(text):
    assert unpacked(script_checks.parsed(f"import everything\nexec(everything({text!r}))\n".encode())) == CODE


@pytest.mark.parametrize("content", [b"def broken(", b"\xff\xfe"])
def test_what_is_no_script_stays_packed(content):
    text = base64.b85encode(lzma.compress(content))
    tree = script_checks.parsed(f"exec(unpack({text!r}))\n".encode())
    assert unpacked(tree) is None
    assert is_packed(tree)


def test_one_that_grows_without_end_is_cut():
    text = base64.b85encode(lzma.compress(b"#" * 4_000_000))
    held = unpacked(script_checks.parsed(f"exec(unpack({text!r}))\n".encode()))
    assert held is not None
    assert len(held) == MAX_BYTES
