"""FineWeb's shards from the network, with resume, checked by size and header; no run needs what this imports."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from bench.data.fineweb import Export, cache_folder
from bench.data.shards import shard_tokens
from bench.data.tokens import TOKENIZER_FILE, TokenCorpus, load, write_list
from bench.errors import DataError

# a cut connection is taken up again this often before the command gives up; what came stays either way
ATTEMPTS = 3
AGAIN = "check the network and repeat the command: what has come is kept"


def fetch_fineweb(export: Export, n_shards: int, report: Callable[[str], None]) -> TokenCorpus:
    """Fetches the vocabulary, the whole validation split and the first train shards; files that are there stay.

    Raises DataError when the network or a file's size or header is not as it should be.
    """
    folder, source = cache_folder(export), export.source
    folder.mkdir(parents=True, exist_ok=True)
    with httpx.Client(follow_redirects=True, timeout=30.0) as client:
        tokenizer = export.tokenizer
        counts = _published(client, f"{source}/manifest.json", tokenizer.dataset)
        if not 1 <= n_shards <= counts["train"]:
            raise DataError(
                f"--shards is {n_shards}", f"{counts['train']} train shards are published; ask for 1 or more"
            )
        # a shorter wish than an earlier one drops no file, and the list names what there is
        fetch(client, f"{source}/tokenizers/{tokenizer.model_file}", folder / TOKENIZER_FILE, report)
        counted = counts["val"] if tokenizer.capitals_apart else 0
        for side, n_files in (("val", counts["val"]), ("val_bytes", counted), ("train", n_shards)):
            for number in range(n_files):
                name = f"fineweb_{side}_{number:06d}.bin"
                fetch(client, f"{source}/datasets/{tokenizer.dataset}/{name}", folder / name, report)
                shard_tokens(folder / name)
    report("taking the digest of every shard")
    write_list(folder, export.name, None)
    return load(folder)


def _published(client: httpx.Client, url: str, wanted: str) -> dict[str, int]:
    """How many train and validation shards the export has."""
    try:
        listed: dict[str, Any] = client.get(url).raise_for_status().json()
        (stats,) = [entry["stats"] for entry in listed["datasets"] if entry["name"] == wanted]
        return {"train": int(stats["files_train"]), "val": int(stats["files_val"])}
    except httpx.HTTPError as error:
        raise DataError(f"can't reach {url}: {error or type(error).__name__}", AGAIN) from error
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{url} is no list of shards: {error!r}", "the export has changed its form") from error


def fetch(client: httpx.Client, url: str, to: Path, report: Callable[[str], None]) -> None:
    """One file, begun where an earlier attempt stopped; it stands under its name only when its size is right."""
    if to.is_file():
        return
    part = to.with_name(f"{to.name}.part")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            expected = _append(client, url, part, report)
            break
        except httpx.HTTPStatusError as error:
            raise DataError(f"{url}: the server says {error.response.status_code}", AGAIN) from error
        except httpx.HTTPError as error:
            have = part.stat().st_size if part.is_file() else 0
            if attempt == ATTEMPTS:
                raise DataError(
                    f"{url} was cut off after {have:,} bytes: {error or type(error).__name__}", AGAIN
                ) from error
            report(f"{to.name}: cut off after {have:,} bytes, going on")
    if (size := part.stat().st_size) != expected:
        part.unlink()
        raise DataError(f"{url} gave {size:,} bytes, announced were {expected:,}", "repeat the command")
    part.replace(to)


def _append(client: httpx.Client, url: str, part: Path, report: Callable[[str], None]) -> int:
    """Fetches what is missing of a file onto its part; the size that the server announces for the whole."""
    have = part.stat().st_size if part.is_file() else 0
    # the bytes as they are: an encoding on the way would make the announced size another one
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", url, headers=headers) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            # nothing is missing, or the file has changed; the total tells which
            return int(answer.headers["Content-Range"].rpartition("/")[2])
        answer.raise_for_status()
        goes_on = answer.status_code == httpx.codes.PARTIAL_CONTENT
        have = have if goes_on else 0
        total = have + int(answer.headers["Content-Length"])
        told = -1
        with part.open("ab" if goes_on else "wb") as file:
            # as they arrive: what has come is on disk when the connection is cut
            for chunk in answer.iter_raw():
                file.write(chunk)
                have += len(chunk)
                if (tenth := 10 * have // max(1, total)) > told:
                    told = tenth
                    report(f"{part.stem}: {have / 1e6:.1f} of {total / 1e6:.1f} MB")
        return total
