"""Reads a submission folder, which is hostile until shown otherwise.

Only known names in the folder itself are opened, never a link, never beyond a size.
"""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from autoresearch.submission import facts
from bench.errors import ConfigError


class Broken(Exception):
    """An item is not as it should be, as a sentence."""


@dataclass(frozen=True)
class Contents:
    """What was read: bytes by known name, what is wrong with a name, and names that are no part of a submission."""

    raw: dict[str, bytes] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)


def read_folder(folder: Path) -> Contents:
    """Every known file of the folder, under its size limit."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as wrong:
        raise ConfigError(
            f"{folder} can't be read: {wrong.strerror or wrong}", "name the folder that `autoresearch export` wrote"
        ) from wrong
    if not set(names) & set(facts.MAX_BYTES):
        raise ConfigError(
            f"{folder} is no submission: it holds none of {', '.join(facts.MAX_BYTES)}",
            "name the folder that `autoresearch export` wrote",
        )
    contents = Contents(strange=[name for name in names if name not in facts.MAX_BYTES])
    for name in names:
        if name in facts.MAX_BYTES:
            try:
                contents.raw[name] = _read_file(folder / name, facts.MAX_BYTES[name])
            except OSError as wrong:
                contents.wrong[name] = f"can't be read: {wrong.strerror}"
            except Broken as wrong:
                contents.wrong[name] = str(wrong)
    return contents


# A golf folder of anyone's: no file of it is read beyond this, no more of them than this, and no deeper.
MOST_FILE_BYTES, MOST_FILES, MOST_DEPTH = 100_000_000, 200, 3
FEATHERWEIGHT_ONLY = frozenset((facts.FIGHTER, facts.CURVE, facts.PICTURE, facts.SCRIPT))


def is_golf(folder: Path) -> bool:
    """Whether a folder is one of golf's: a script, a log or a page, and nothing that only Featherweight writes."""
    try:
        names = set(os.listdir(folder))
    except OSError:
        return False
    # an export of ours is complete, or a featherweight one of which some files are missing
    if names & FEATHERWEIGHT_ONLY or (facts.MODEL in names and "train_gpt.py" not in names):
        return False
    return any(name.endswith((".py", ".log")) or name.startswith("submission") for name in names) or (
        facts.CARD in names and facts.FACTS not in names
    )


def read_tree(folder: Path) -> Contents:
    """Plain files below a golf folder by their path in it; what is a link, a pipe or too large is named and left."""
    contents = Contents()
    for where, folders, names in os.walk(folder):
        inside = Path(where).relative_to(folder)
        folders[:] = sorted(folders) if len(inside.parts) < MOST_DEPTH else []
        for name in sorted(names):
            path = str(inside / name)
            if len(contents.raw) + len(contents.wrong) >= MOST_FILES:
                contents.strange.append(path)
                continue
            try:
                contents.raw[path] = _read_file(Path(where) / name, MOST_FILE_BYTES)
            except OSError as wrong:
                contents.wrong[path] = f"can't be read: {wrong.strerror}"
            except Broken as wrong:
                contents.wrong[path] = str(wrong)
    return contents


def _read_file(path: Path, most: int) -> bytes:
    """A plain file's bytes; what has become a link or a pipe since we looked is neither followed nor waited for."""
    about = path.lstat()
    if stat.S_ISLNK(about.st_mode):
        raise Broken("is a link")
    if not stat.S_ISREG(about.st_mode):
        raise Broken("is no plain file")
    if about.st_size > most:
        raise Broken(f"has {about.st_size:,} bytes; {most:,} is the most we read")
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        return file.read(most)
