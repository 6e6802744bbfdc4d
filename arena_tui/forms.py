"""What can be asked of `autoresearch` from the screen: each a form of plain fields that becomes a command line."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.divisions import DIVISIONS
from bench.tracks import CONTESTS, FEATHERWEIGHT, GOLF_ON

Wrong = Callable[[str], str | None]
# As `autoresearch.requests` knows them, which a screen may not import; a test holds the two together.
POLICIES = ("researcher", "tpe", "random", "openings", "claims")


def _whole(text: str) -> str | None:
    return None if text.isdecimal() and int(text) >= 1 else "is a whole number from 1 on"


def _length_of_time(text: str) -> str | None:
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)[smh]?", text)
    return None if found and float(found[1]) > 0 else "is a length of time: 90s, 30m or 2h"


def _new_folder(text: str) -> str | None:
    return "names something that is there already" if os.path.exists(os.path.expanduser(text)) else None


def _file(text: str) -> str | None:
    return None if os.path.isfile(os.path.expanduser(text)) else "names no file"


@dataclass(frozen=True)
class Field:
    """One line of a form: its label, what stands in it at first, and what it becomes on the command line.

    An `option` of "" is an argument by its place. A field left empty is left out, which only `needed` ones may not be.
    """

    label: str
    option: str
    told: str
    default: str = ""
    choices: tuple[str, ...] = ()
    wrong: Wrong | None = None
    needed: bool = False
    many: bool = False  # several values parted by spaces, each with the option before it
    path: bool = False  # ~ is the user's home
    flag: bool = False  # "yes" is the option alone

    def objection(self, value: str) -> str | None:
        """Why this can't be asked for, as a sentence."""
        if not value:
            return f"{self.label} is empty, and it must be given" if self.needed else None
        if self.choices and value not in self.choices:
            return f"{self.label} is one of {', '.join(self.choices)}"
        said = self.wrong(value) if self.wrong else None
        return f"{self.label} {said}: {value}" if said else None

    def words(self, value: str) -> list[str]:
        if not value:
            return []
        if self.path:
            value = os.path.expanduser(value)
        if self.flag:
            return [self.option]
        values = value.split() if self.many else [value]
        return [word for each in values for word in ([self.option, each] if self.option else [each])]


@dataclass(frozen=True)
class Form:
    """A verb of the command line with its fields; `checked` when the command itself can say what it would do."""

    verb: str
    title: str
    command: tuple[str, ...]  # before the fields
    fields: tuple[Field, ...]
    told: str
    checked: bool = False
    detached: str = ""  # what goes on without this screen, for the last line

    def objections(self, values: Mapping[str, str]) -> list[str]:
        return [said for field in self.fields if (said := field.objection(values[field.label]))]

    def words(self, values: Mapping[str, str], store: Sequence[str]) -> list[str]:
        """The arguments of `autoresearch`; an option left at what the command takes by itself is still named."""
        asked = [word for field in self.fields for word in field.words(values[field.label])]
        return [*self.command, *asked, *store]


_JOBS = Field("jobs", "--jobs", "runs at a time; empty: one per core", wrong=_whole)
_TIMEOUT = Field("timeout", "--timeout", "begin no trial after 90s, 30m, 2h", wrong=_length_of_time)


def launch(division: str, track: str = FEATHERWEIGHT.name, budget: str = "cpu") -> Form:
    steps = "500" if track == FEATHERWEIGHT.name else ""
    return Form(
        "launch",
        "Launch a study",
        (),
        (
            Field("division", "--division", "what may differ", division, tuple(d.name for d in DIVISIONS)),
            Field("trials", "--trials", "in all", "50", wrong=_whole, needed=True),
            Field("steps", "--steps", "500, 800: belts; empty: the track's", steps, wrong=_whole),
            Field("policy", "--policy", "who proposes", POLICIES[0], POLICIES),
            Field("track", "--track", "the contest", track, tuple(t.name for t in (FEATHERWEIGHT, *CONTESTS))),
            Field("budget", "--budget", "the machine: cpu, 1xgpu, 8xh100", budget, tuple(GOLF_ON)),
            Field("study", "--study", "its name; empty: made from the rest"),
            Field("data", "--data", "auto, a name, a folder, TRAIN,VALID", "auto", needed=True),
            Field("seed", "--seed", "1001, 1002, ...", "1001", wrong=_whole, needed=True),
            _JOBS,
            _TIMEOUT,
            Field("set", "--set", "slot.knob=value slot=a,b", many=True),
            Field("from", "--from", "a fighter.toml, a mixer of your own", wrong=_file, path=True),
        ),
        "It runs as a process of its own and goes on without this screen.",
        checked=True,
    )


def resume(study: str, trials: int) -> Form:
    return Form(
        "resume",
        f"Resume study {study}",
        ("resume", study),
        (
            Field("trials", "--trials", "in all; more make it longer", str(trials), wrong=_whole, needed=True),
            Field("data", "--data", "where its corpus is; empty: the same", path=True),
            _JOBS,
            _TIMEOUT,
        ),
        "What was cut short is run again under its old number, then the rest; it goes on without this screen.",
    )


def stop(study: str) -> Form:
    return Form(
        "stop",
        f"Stop study {study}",
        ("stop", study),
        (),
        "Trials under way are cut short; nothing is lost, and resuming runs them again.",
    )


def grade() -> Form:
    return Form(
        "grade",
        "Grade a fighter",
        ("grade",),
        (
            Field("fighter", "", "a fighter.toml, or a shipped name", needed=True, path=True),
            Field("seeds", "--seeds", "published seeds, the track's first", "3", wrong=_whole, needed=True),
            Field("steps", "--steps", "empty: the fighter's own", wrong=_whole),
            Field("audit", "--audit", "text that no search has seen", wrong=_file, path=True),
            Field("study", "--study", "its name; empty: made from the rest"),
            Field("data", "--data", "auto, a name, a folder, TRAIN,VALID", "auto", needed=True),
            _JOBS,
            _TIMEOUT,
        ),
        "Trains it from scratch on published seeds; by the verdict its division's belt moves.",
    )


def export(study: str, trial: int | None, trials: Sequence[int], golf: bool = False) -> Form:
    known = {str(number) for number in trials}

    def no_trial(text: str) -> str | None:
        return None if text in known else "is no trial that has ended"

    name = re.sub(r"[^\w.-]+", "-", study).strip(".-") or "study"
    to = name if trial is None else f"{name}-{trial}"
    return Form(
        "export",
        f"Export from study {study}",
        ("export", study),
        (
            Field("trial", "--trial", "empty: the best", "" if trial is None else str(trial), wrong=no_trial),
            Field("to", "--to", "a folder that is not there yet", to, wrong=_new_folder, needed=True, path=True),
            Field("data", "--data", "where its corpus is; empty: the same", path=True),
            *([Field("packed", "--packed", "yes: a script of two lines", choices=("yes",), flag=True)] if golf else []),
        ),
        "A submission folder: script, packed model, log a seed, card."
        if golf
        else "A submission folder: fighter, packed model, card, curve. A failed trial is a negative result.",
    )
