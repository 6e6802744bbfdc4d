"""Parameter Golf's leaderboard over the network, when asked: the README and the open pull requests, by GitHub's API.

What was fetched is kept in the user's cache folder with its ETag: an unchanged page costs GitHub no request of the 60
that it allows an hour without an account.
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import platformdirs

from arena_tui.formatting import clock_time, one_line
from arena_tui.leaderboard import REPOSITORY, Place, Status, from_json, merged, shipped, to_json
from bench.errors import DataError

API = "https://api.github.com"
FORMAT = 1  # of the cache file
# seconds: of one step of a request, and of all of them together
STEP_SECONDS, WHOLE_SECONDS = 10.0, 40.0
MOST_BYTES = 8_000_000
# newest first, 100 each: enough for what is new, and a twelfth of an hour's allowance
MOST_PAGES = 4
STAYS = "what was known before stays; F tries again"

_BPB = re.compile(r"(?<![\d.])([01]\.\d{3,5})(?!\d)")
_PULL = re.compile(r"/pull/(\d+)")
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')


@dataclass(frozen=True)
class Limit:
    """What GitHub still allows: requests left of how many, until when (seconds since 1970)."""

    left: int
    of: int
    until: float


@dataclass
class Kept:
    """The cache: what each address said when it last changed, and when it was last asked."""

    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    at: float | None = None

    def places(self) -> tuple[list[Place], list[Place]]:
        """The official ones and the pull requests."""
        rows = [from_json(row) for page in self.pages.values() for row in page["rows"]]
        official = [row for row in rows if row.status is Status.OFFICIAL]
        return official, [row for row in rows if row.status is not Status.OFFICIAL]

    def board(self) -> list[Place]:
        """What ships with this program, brought up to date with what was fetched."""
        official, pulls = self.places()
        return merged(shipped(), official, pulls)


def cache_file() -> Path:
    return Path(platformdirs.user_cache_dir("arena-autoresearch")) / "parameter_golf.json"


def kept() -> Kept:
    """What was fetched before; nothing when the file is not there or not ours, for it can be fetched again."""
    try:
        plain = json.loads(cache_file().read_text(encoding="utf-8"))
        if plain["format"] != FORMAT:
            return Kept()
        found = Kept(dict(plain["pages"]), float(plain["at"]))
        found.places()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Kept()
    return found


def refresh(api: str, now: Callable[[], float] = time.time) -> tuple[Kept, Limit | None]:
    """Ask GitHub; DataError says what went wrong, and nothing that was known is lost."""
    before = kept()
    deadline = time.monotonic() + WHOLE_SECONDS
    found = Kept({}, now())
    headers = {"User-Agent": "arena-autoresearch", "X-GitHub-Api-Version": "2022-11-28"}
    try:
        with httpx.Client(timeout=STEP_SECONDS, headers=headers, follow_redirects=True) as client:
            limit = _fetch(client, api, before, found, deadline)
    except httpx.TimeoutException as wrong:
        raise DataError("GitHub did not answer in time", STAYS) from wrong
    except httpx.HTTPError as wrong:
        reason = one_line(str(wrong)) or type(wrong).__name__
        raise DataError(f"GitHub can't be reached: {reason}", STAYS) from wrong
    _keep(found)
    return found, limit


def _fetch(client: httpx.Client, api: str, before: Kept, found: Kept, deadline: float) -> Limit | None:
    day = time.strftime("%Y-%m-%d", time.gmtime(found.at))
    readme = f"{api}/repos/{REPOSITORY}/readme"
    accept = "application/vnd.github.raw+json"
    limit, _ = _page(client, readme, accept, before, found, deadline, lambda text: list(official_of(text, day)))
    if not found.pages[readme]["rows"]:
        raise DataError(f"the README of {REPOSITORY} holds no leaderboard that can be read", STAYS)
    address: str | None = f"{api}/repos/{REPOSITORY}/pulls?state=open&per_page=100"
    for _ in range(MOST_PAGES):
        if address is None:
            break
        accept = "application/vnd.github+json"
        limit, address = _page(client, address, accept, before, found, deadline, lambda text: pulls_of(text, day))
        if address is not None and not address.startswith(api):
            break
    return limit


def _page(
    client: httpx.Client,
    address: str,
    accept: str,
    before: Kept,
    found: Kept,
    deadline: float,
    read: Callable[[str], list[Place]],
) -> tuple[Limit | None, str | None]:
    """One address into `found`; what is left to ask, and the next address when there is one."""
    headers = {"Accept": accept}
    old = before.pages.get(address)
    if old is not None and old["etag"]:
        headers["If-None-Match"] = old["etag"]
    with client.stream("GET", address, headers=headers) as response:
        limit = _limit(response.headers)
        if response.status_code == 304 and old is not None:
            found.pages[address] = old
            return limit, old["next"]
        if response.status_code in (403, 429):
            until = f" until {clock_time(limit.until)}" if limit else ""
            allowed = f" {limit.of} requests an hour" if limit else " no more requests"
            raise DataError(f"GitHub allows{allowed} without an account, and they are used up{until}", STAYS)
        if response.status_code != 200:
            raise DataError(f"GitHub answered {response.status_code} for {response.url.path}", STAYS)
        text = _text(response, deadline)
        further = _NEXT.search(response.headers.get("link", ""))
        etag = response.headers.get("etag", "")
    rows = [to_json(place) for place in read(text)]
    address_after = further[1] if further else None
    found.pages[address] = {"etag": etag, "rows": rows, "next": address_after}
    return limit, address_after


def _text(response: httpx.Response, deadline: float) -> str:
    """The body, of bounded size and by the deadline, however slowly it drips."""
    read = bytearray()
    for part in response.iter_bytes():
        read += part
        if time.monotonic() > deadline:
            raise DataError("GitHub did not answer in time", STAYS)
        if len(read) > MOST_BYTES:
            raise DataError(f"GitHub's answer has more than {MOST_BYTES:,} bytes", STAYS)
    return read.decode("utf-8", errors="replace")


def _limit(headers: httpx.Headers) -> Limit | None:
    names = ("x-ratelimit-remaining", "x-ratelimit-limit", "x-ratelimit-reset")
    values = [headers.get(name, "") for name in names]
    if not all(value.isdigit() for value in values):
        return None
    left, of, until = map(int, values)
    return Limit(left, of, float(until))


def official_of(readme: str, day: str) -> Iterator[Place]:
    """The rows of every table with a run, a score, an author and a date; the heading above says which division."""
    heading, columns = "", None
    for line in readme.splitlines():
        if line.startswith("#"):
            heading, columns = line.lower(), None
            continue
        if not line.startswith("|"):
            columns = None
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if columns is None:
            named = [cell.lower() for cell in cells]
            columns = named if {"run", "score", "author", "date"} <= set(named) else []
        elif columns and len(cells) == len(columns):
            row = dict(zip(columns, cells, strict=True))
            if (score := _score(row["score"])) is not None:
                pull = _PULL.search(row.get("info", ""))
                yield Place(
                    division="non-record" if "non-record" in heading else "open",
                    val_bpb=score,
                    name=one_line(row["run"]),
                    author=one_line(row["author"]),
                    pr=int(pull[1]) if pull else None,
                    date=row["date"] if re.fullmatch(r"\d{4}-\d\d-\d\d", row["date"]) else "",
                    seeds=None,
                    status=Status.OFFICIAL,
                    as_of=day,
                    fetched=True,
                )


def _score(text: str) -> float | None:
    """Bits per byte; None for the rule under the header and for anything that no model scores."""
    try:
        score = float(text)
    except ValueError:
        return None
    return score if 0.0 < score < 10.0 else None


def pulls_of(text: str, day: str) -> list[Place]:
    """The pull requests whose title states a score; DataError when this is no list of them."""
    try:
        return [
            Place(
                division="non-record" if "non-record" in pull["title"].lower() else "open",
                val_bpb=float(score[1]),
                name=one_line(pull["title"])[:160],
                author=one_line(pull["user"]["login"]),
                pr=int(pull["number"]),
                date=str(pull["created_at"])[:10],
                seeds=None,
                status=Status.UNVALIDATED,
                as_of=day,
                fetched=True,
            )
            for pull in json.loads(text)
            if (score := _BPB.search(pull["title"])) is not None
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise DataError("GitHub's list of pull requests can't be read", STAYS) from wrong


def _keep(found: Kept) -> None:
    plain = {"format": FORMAT, "at": found.at, "pages": found.pages}
    file = cache_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps(plain), encoding="utf-8")
        os.replace(part, file)
    except OSError as wrong:
        raise DataError(f"what was fetched can't be kept in {file}: {wrong.strerror}", STAYS) from wrong
