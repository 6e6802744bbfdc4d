"""The fighter that a study begins with: read from its file, checked against the request, examined in a worker."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from autoresearch.executor import Ended, Examination, Limits, LocalExecutor, Sound
from autoresearch.space import Space
from autoresearch.submission.fighter import Fighter, from_toml
from bench.brought_text import MAX_BYTES
from bench.catalog import full_pick, realise, refusals
from bench.config import BROUGHT, RunConfig
from bench.data.corpus import Corpus
from bench.data.tokens import TokenCorpus
from bench.divisions import BASE, COMMUNITY, differences
from bench.errors import BreachError, ConfigError
from bench.estimate import over_caps
from bench.records import Failure
from bench.tracks import FIRST_SEARCH_SEED
from studies.definitions import StudySpec

# A second on a free core, for a mixer of products; whoever needs more than this could not train 500 steps either.
EXAMINATION = Limits(seconds=120.0)
MAX_TOML_BYTES = 10_000
# The fighters that ship, one file each.
FIGHTERS = Path(__file__).parent / "shipped_fighters"
SHIPPED = tuple(sorted(file.stem for file in FIGHTERS.glob("*.toml")))


def read_fighter(path: Path) -> Fighter:
    """The fighter of a TOML file, ours by its name alone; or of a Python file, the baseline with the mixer in it.

    Nothing is run.
    """
    if not os.path.exists(path) and path.name in SHIPPED:
        path = FIGHTERS / f"{path.name}.toml"
    if path.suffix == ".py":
        mixer = full_pick("mixer", BROUGHT, {"code": _text(path, MAX_BYTES)})
        return Fighter(
            name=str(mixer.knobs["title"]),
            division=COMMUNITY.name,
            seed=FIRST_SEARCH_SEED,
            config=BASE.replaced("mixer", [mixer]),
        )
    return from_toml(_text(path, MAX_TOML_BYTES), lambda name: _text(path.parent / name, MAX_BYTES))


def _text(path: Path, most: int) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(most + 1)
    except OSError as wrong:
        raise ConfigError(
            f"{path} can't be read: {wrong.strerror or wrong}",
            f"name a fighter.toml, the Python file of a mixer, or one of ours: {', '.join(SHIPPED)}",
        ) from wrong
    if len(raw) > most:
        raise ConfigError(f"{path} has more than {most:,} bytes", "name the file of one fighter")
    try:
        return raw.decode()
    except UnicodeDecodeError as wrong:
        raise ConfigError(f"{path} is no UTF-8 text", "name a fighter.toml, or the Python file of a mixer") from wrong


def begun_with(spec: StudySpec, path: Path, steps: int | None) -> StudySpec:
    """The study with a fighter to begin with; what the request leaves open is as the fighter has it."""
    fighter = read_fighter(path)
    budget = fighter.config.budget if steps is None else replace(fighter.config.budget, steps=steps)
    return replace(
        spec,
        division_name=spec.division_name or fighter.division,
        budget=budget,
        start=replace(fighter.config, budget=budget),
        start_file=path.name,
    )


def check_start(spec: StudySpec, corpus: Corpus | TokenCorpus, say: Callable[[str], None]) -> None:
    """Everything that can be held against a study's first fighter before a trial is paid for; raises ArenaError."""
    start = spec.start
    assert start is not None, "only asked of a study that has one"
    check_rules(spec, start)
    if start.brings_code:
        say(f"examining {start.pick('mixer').label} in a process of its own")
        examine_start(start, corpus)


def check_rules(spec: StudySpec, start: RunConfig) -> None:
    """What can be said without running anything of it."""
    if start.track != spec.track_name:
        raise ConfigError(f"{spec.start_file} is of the {start.track} track", f"use --track {start.track}")
    for what, value, most in (
        ("batch", start.budget.batch, spec.track.budget.batch),
        ("seq_len", start.budget.seq_len, spec.track.budget.seq_len),
    ):
        # where a clock is the budget, longer sequences and larger batches pay for themselves
        if value > most and spec.track.budget.seconds is None:
            raise ConfigError(f"{spec.start_file}: {what} is {value}, and {most} is the most", f"give {what} as {most}")
    realise(start)
    if cannot := refusals(start):
        raise ConfigError(f"{spec.start_file}: {'; '.join(cannot)}", "change the fighter")
    if breaches := spec.division.breaches(start):
        raise BreachError(f"{spec.start_file}: {'; '.join(breaches)}", "enter `open`, or change the fighter")
    if not start.brings_code and (over := over_caps(start, spec.track)):
        raise BreachError(f"{spec.start_file}: {'; '.join(over)}", "make it smaller")
    space = Space(spec)
    first = space.walk(lambda name, values: space.given[name])
    if other := [text for _, text in differences(start, first)]:
        raise ConfigError(
            f"{spec.start_file} has {' '.join(other)}, and --set says otherwise",
            "drop that --set, or change the fighter",
        )


def examine_start(config: RunConfig, corpus: Corpus | TokenCorpus, limits: Limits = EXAMINATION) -> None:
    """Look at a fighter that brings code, in a process of its own; ConfigError with what is wrong with it."""
    executor = LocalExecutor(corpus, 1, 1, limits)
    try:
        executor.submit(Examination(config=config))
        while True:
            for said in executor.poll(1.0):
                match said:
                    case Sound():
                        return
                    case Ended(outcome=Failure(message=message)):
                        raise ConfigError(message, "nothing was recorded; docs/bring-your-own-fighter.md has the rules")
    finally:
        executor.close()
