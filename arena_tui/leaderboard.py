"""Parameter Golf's leaderboard as facts: what ships with this program, and what was fetched since.

Scores are val_bpb, bits per byte on FineWeb, as their authors or the organisers state them: references, never ranked
with ours. `parameter_golf.csv` is made from the tables of https://github.com/openai/parameter-golf (README at commit
4908dc46f, 2026-05-02) and from the lists of open pull requests of 2026-03-19 and 2026-03-21; `as_of` says which.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any

from arena_tui.filters import Facts

REPOSITORY = "openai/parameter-golf"
ADDRESS = f"https://github.com/{REPOSITORY}"
DIVISIONS = ("open", "non-record")
FIELDS = ("name", "author", "status", "division")
SHIPPED_COMMIT = "4908dc46f"


class Status(StrEnum):
    """What the organisers have said of an entry."""

    OFFICIAL = "official"
    VALIDATED = "validated"
    UNVALIDATED = "unvalidated"
    RULED_OUT = "ruled out"


MEANING = {
    Status.OFFICIAL: "on the official leaderboard",
    Status.VALIDATED: "a pull request that meets the rule for seeds and margin, not on the official leaderboard",
    Status.UNVALIDATED: "a pull request whose score nobody has validated",
    Status.RULED_OUT: "a pull request that the rules do not allow",
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """An entry. `date` is that of the entry, `as_of` that of the list which states its status; both ISO, or empty."""

    division: str
    val_bpb: float
    name: str
    author: str
    pr: int | None
    date: str
    seeds: int | None
    status: Status
    as_of: str
    fetched: bool = False

    @property
    def key(self) -> str:
        return f"{self.division}/{self.pr}/{self.author}/{self.name}"

    @property
    def address(self) -> str:
        return ADDRESS if self.pr is None else f"{ADDRESS}/pull/{self.pr}"

    @property
    def source(self) -> str:
        if self.status is Status.OFFICIAL:
            return f"README of {REPOSITORY}" + ("" if self.fetched else f" at {SHIPPED_COMMIT}")
        return f"open pull requests of {REPOSITORY}"


def shipped() -> list[Place]:
    """The entries that come with this program."""
    text = files("arena_tui").joinpath("parameter_golf.csv").read_text(encoding="utf-8")
    return [
        Place(
            division=row["track"],
            val_bpb=float(row["val_bpb"]),
            name=row["name"],
            author=row["author"],
            pr=int(row["pr"]) if row["pr"] else None,
            date=row["date"],
            seeds=int(row["seeds"]) if row["seeds"] else None,
            status=Status(row["status"]),
            as_of=row["as_of"],
        )
        for row in csv.DictReader(text.splitlines())
    ]


def merged(known: Sequence[Place], official: Sequence[Place], pulls: Sequence[Place]) -> list[Place]:
    """What is known with what was fetched: a fetched official table replaces the old one, pull requests are added.

    A table in the README has no number for most entries; it is taken from the same entry in what is known. A pull
    request keeps the status that the organisers gave it, and is left out once it is official.
    """
    numbers = {_name(place): place.pr for place in known if place.status is Status.OFFICIAL}
    table = [place if place.pr is not None else _numbered(place, numbers.get(_name(place))) for place in official] or [
        place for place in known if place.status is Status.OFFICIAL
    ]
    listed = {place.pr for place in table if place.pr is not None}
    others = {place.pr: place for place in known if place.status is not Status.OFFICIAL}
    for place in pulls:
        if place.pr not in others or others[place.pr].status is Status.UNVALIDATED:
            others[place.pr] = place
    return [*table, *(place for pr, place in others.items() if pr not in listed)]


def _name(place: Place) -> tuple[str, str, float]:
    return place.name, place.author, place.val_bpb


def _numbered(place: Place, pr: int | None) -> Place:
    from dataclasses import replace

    return replace(place, pr=pr)


ORDERS = ("status", "val_bpb", "date")


def ordered(places: Iterable[Place], order: str) -> list[Place]:
    """By score, by the newest, or by standing; the score decides among equals."""
    by_score = sorted(places, key=lambda place: place.val_bpb)
    if order == "date":
        return sorted(by_score, key=lambda place: place.date or place.as_of, reverse=True)
    if order == "status":
        return sorted(by_score, key=lambda place: list(Status).index(place.status))
    return by_score


def ranks(places: Iterable[Place]) -> dict[str, int]:
    """The official entries' ranks by key; nothing else has one."""
    official = [place for place in ordered(places, "val_bpb") if place.status is Status.OFFICIAL]
    return {place.key: rank for rank, place in enumerate(official, start=1)}


def place_facts(place: Place) -> Facts:
    """What a filter may ask."""
    fields = {name: str(getattr(place, name)).lower() for name in FIELDS}
    numbers: dict[str, float] = {"val_bpb": place.val_bpb}
    if place.pr is not None:
        numbers["pr"] = place.pr
    if place.seeds is not None:
        numbers["seeds"] = place.seeds
    return Facts(f"#{place.pr} {place.date} {' '.join(fields.values())}", fields, numbers)


def to_json(place: Place) -> dict[str, Any]:
    return {name: getattr(place, name) for name in Place.__dataclass_fields__}


def from_json(plain: dict[str, Any]) -> Place:
    """Raises ValueError, KeyError or TypeError for what `to_json` did not write."""
    place = Place(**{**plain, "status": Status(plain["status"]), "val_bpb": float(plain["val_bpb"])})
    if not isinstance(place.pr, int | None) or not all(
        isinstance(text, str) for text in (place.name, place.author, place.date, place.as_of)
    ):
        raise TypeError(f"not an entry: {plain}")
    return place
