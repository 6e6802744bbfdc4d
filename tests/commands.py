"""`autoresearch` as a user types it in a folder, without the interpreter that the shell would start for it."""

import contextlib
import io
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from autoresearch.cli import main


def command(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """What it prints and how it ends; worker processes are started as ever."""
    out, said = io.StringIO(), io.StringIO()
    told = ["autoresearch", *arguments]
    with (
        contextlib.chdir(folder),
        mock.patch.object(sys, "argv", told),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(said),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    code = ended.value.code
    assert isinstance(code, int)
    return subprocess.CompletedProcess(told, code, out.getvalue(), said.getvalue())
