"""What a study is, as data."""

import json
import shlex
from dataclasses import asdict, dataclass, replace
from typing import Any

from bench.config import Budget, RunConfig, canonical, fingerprint
from bench.config import from_json as config_from_json
from bench.config import to_json as config_to_json
from bench.divisions import Division, division_named
from bench.tracks import FIRST_SEARCH_SEED, Track, track_named

# The policy that has no sampler: each technique alone, and done, however many trials it was allowed.
OPENINGS = "openings"
# Why a study is over for good; every other reason leaves something to resume.
ALL_DONE = "all trials are done"
NO_OPENING = "every opening is done"
OVER = (ALL_DONE, NO_OPENING)


def is_text(name: str) -> bool:
    """False for what a shell passes on of bytes that are no UTF-8, which SQLite does not take."""
    return not any("\ud800" <= sign <= "\udfff" for sign in name)


@dataclass(frozen=True, kw_only=True)
class StudySpec:
    """A study's definition: fixed once the study has begun, but for `n_trials` and where the corpus lies."""

    name: str
    track_name: str
    division_name: str
    n_trials: int
    budget: Budget
    corpus_name: str
    corpus_digest: str
    data: str = "auto"  # where the corpus was found, as --data takes it
    seed: int = FIRST_SEARCH_SEED  # of every run, and of the proposals
    policy: str = "tpe"
    rungs: tuple[int, ...] = ()  # one part in so many of the steps, the shortest first; without any every run is whole
    alone: bool = False  # the researcher knows nothing of earlier studies
    settings: tuple[str, ...] = ()  # `slot.knob=value` and `slot=a,b`, as given with --set
    start: RunConfig | None = None  # the fighter to begin with, as given with --from
    start_file: str = ""  # its file's name, and what was left out of it

    @property
    def word(self) -> str:
        """The name as a shell takes it, for the commands that are shown to be typed."""
        return shlex.quote(self.name)

    @property
    def track(self) -> Track:
        return track_named(self.track_name)

    @property
    def division(self) -> Division:
        return division_named(self.division_name, self.track_name)

    def to_json(self) -> dict[str, Any]:
        """As data. A study without a start or rungs, and one that is not alone, is written as it was before those."""
        plain = asdict(replace(self, start=None)) | {"settings": list(self.settings), "budget": self.budget.to_json()}
        del plain["start"], plain["start_file"], plain["rungs"], plain["alone"]
        if self.rungs:
            plain["rungs"] = list(self.rungs)
        if self.alone:
            plain["alone"] = True
        if self.start is None:
            return plain
        return plain | {"start": config_to_json(self.start), "start_file": self.start_file}

    @staticmethod
    def from_json(plain: dict[str, Any]) -> "StudySpec":
        start = plain.get("start")
        typed = {
            "budget": Budget(**plain["budget"]),
            "settings": tuple(plain["settings"]),
            "rungs": tuple(plain.get("rungs", ())),
        }
        return StudySpec(**plain | typed | {"start": config_from_json(start) if start else None})

    def differs_from(self, other: "StudySpec") -> list[str]:
        """The fields in which two definitions differ, as `seed 1001, not 7`."""
        mine, theirs = self._telling(), other._telling()
        return [
            f"{name} {json.dumps(theirs[name])}, not {json.dumps(mine[name])}"
            for name in mine
            if canonical(mine[name]) != canonical(theirs[name])
        ]

    def _telling(self) -> dict[str, Any]:
        """What makes a study another one; a start by its fingerprint, which is enough and can be shown."""
        plain = asdict(replace(self, start=None)) | {"start": fingerprint(self.start)[:12] if self.start else None}
        return {name: value for name, value in plain.items() if name not in ("n_trials", "data", "start_file")}
