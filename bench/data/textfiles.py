"""A corpus from the user's own text: a folder with a train and a validation file, or the two files themselves."""

import os
import re
from collections import defaultdict
from pathlib import Path

from bench.data.corpus import Corpus, make_corpus, split_stories
from bench.errors import DataError

# whole words only: `evaluation.py` and `intervals.csv` are no validation text
SIDE_WORD = re.compile(
    r"(?<![a-z])(?:(?P<train>train|training)|(?P<valid>valid|validation|val))(?![a-z])", re.IGNORECASE
)
EXPECTED = (
    "give a folder with one train and one valid file (wiki_train.txt, wiki_valid.txt), or TRAIN,VALID as two paths"
)


def load_text(path: str) -> Corpus:
    """The corpus of a folder, or of two files given as `TRAIN,VALID`; named `text:` and the train file's stem.

    Stories are cut as `split_stories` says. Raises DataError for whatever makes the text unusable.
    """
    train_path, valid_path = _two_paths(path)
    return make_corpus(_corpus_name(train_path), stories_in(train_path), stories_in(valid_path))


def _two_paths(path: str) -> tuple[Path, Path]:
    # a folder may have a comma in its name, so what exists wins
    whole = Path(os.path.expanduser(path))
    if os.path.isdir(whole):
        return _pair_in(whole)
    if os.path.isfile(whole):
        raise DataError(f"{path} is a single file, and a corpus needs a train and a validation text", EXPECTED)
    parts = [Path(os.path.expanduser(part.strip())) for part in path.split(",")]
    if len(parts) == 1:
        raise DataError(f"there is no file or folder {path}", EXPECTED)
    if len(parts) != 2 or not all(part.strip() for part in path.split(",")):
        raise DataError(f"{path} is not two paths with one comma between them", EXPECTED)
    return parts[0], parts[1]


def _pair_in(folder: Path) -> tuple[Path, Path]:
    """The one train and the one validation file of a folder; other files beside them do not matter."""
    by_prefix: dict[str, dict[str, list[Path]]] = defaultdict(lambda: {"train": [], "valid": []})
    try:
        files = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"can't read {folder}: {error.strerror or error}", EXPECTED) from error
    for file in files:
        word = SIDE_WORD.search(file.name)
        if word is not None and file.is_file() and not file.name.startswith("."):
            prefix = file.name[: word.start()].rstrip("_-. ")
            by_prefix[prefix]["train" if word["train"] else "valid"].append(file)
    trains = [file for sides in by_prefix.values() for file in sides["train"]]
    valids = [file for sides in by_prefix.values() for file in sides["valid"]]
    if not trains or not valids:
        missing = " and no ".join(side for side, files in (("train", trains), ("valid", valids)) if not files)
        raise DataError(f"the folder {folder} holds no {missing} file", EXPECTED)
    if len(trains) == len(valids) == 1:
        return trains[0], valids[0]
    whole = [sides for sides in by_prefix.values() if sides["train"] and sides["valid"]]
    if len(whole) == 1 and len(whole[0]["train"]) == len(whole[0]["valid"]) == 1:
        return whole[0]["train"][0], whole[0]["valid"][0]
    names = ", ".join(file.name for file in sorted(trains + valids))
    raise DataError(f"the folder {folder} leaves open which files are meant: {names}", "name the two as TRAIN,VALID")


def stories_in(path: Path) -> list[str]:
    """The stories of one UTF-8 file; DataError for whatever makes it unusable."""
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        # a device may go on for ever, a pipe may never begin
        raise DataError(f"{path} is no plain file", "give a file that holds text")
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}", EXPECTED) from error
    except OSError as error:
        raise DataError(
            f"can't read {path}: {error.strerror or error}", "check that it is a file and may be read"
        ) from error
    if not raw.strip():
        raise DataError(f"{path} is empty", "give a file that holds text")
    try:
        # -sig: a byte order mark, which some editors write, is no part of the first story
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 text: byte {raw[error.start]:#04x} at offset {error.start:,}",
            f"if it is text, convert it: iconv -f latin1 -t utf-8 {path.name} > converted.txt",
        ) from error
    if "\x00" in text:
        raise DataError(
            f"{path} is binary: a NUL byte at offset {raw.index(0):,}",
            "give plain text; a NUL byte marks the end of a story here",
        )
    return split_stories(text)


def _corpus_name(train_path: Path) -> str:
    """`wiki_train.txt` gives `text:wiki`; the mark keeps a user's `tinystories_train.txt` apart from the real one."""
    stem = re.sub(r"(?i)(?:^|[_\-. ])train(?:ing)?$", "", train_path.stem)
    return f"text:{stem or train_path.resolve().parent.name}"
