"""Follows a store from one thread: polls, keeps cursors, gives out one frozen delta at a time. Knows no widget."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arena_tui.ranking import Boards
from arena_tui.sources import Source, find_source
from bench.errors import ArenaError, StoreError
from bench.records import Point, Sizes, State
from studies.views import BeltView, EventView, PhaseView, StudyView, TrialView, VerdictView

if TYPE_CHECKING:
    from studies.reading import Reader

# The first wait after a change and the longest while nothing changes; an unfocused terminal always gets the latter.
QUICK_SECONDS = 0.25
SLOW_SECONDS = 1.0
# A screen that does not take a delta within this long is asked again rather than waited for.
TAKEN_SECONDS = 5.0
EVENTS_AT_FIRST = 200
# A larger study is shown by its best and its latest first, and then read piece by piece: the screen goes on meanwhile.
PIECE, FOREMOST = 1_000, 50


@dataclass(frozen=True, kw_only=True)
class CurvePart:
    """Points of one run; `whole` ones replace what was known. One that has ended brings its sizes, if it has any."""

    run_id: int
    points: tuple[Point, ...]
    whole: bool
    sizes: Sizes | None = None


@dataclass(frozen=True, kw_only=True)
class Delta:
    """What changed since the one before. None in `boards` means unchanged."""

    at: float
    source: Source | None = None
    fresh: bool = False  # another source was opened: what was known belongs to the old one
    studies: tuple[StudyView, ...] = ()
    alive: frozenset[str] = frozenset()  # studies with a living coordinator
    trials: tuple[TrialView, ...] = ()
    curves: tuple[CurvePart, ...] = ()
    boards: Boards | None = None
    events: tuple[EventView, ...] = ()
    # whole each time, for they are few; None means unread this time
    phases: tuple[PhaseView, ...] | None = None
    verdicts: dict[str, list[VerdictView]] | None = None
    belts: tuple[BeltView, ...] | None = None
    problem: ArenaError | None = None
    more: bool = False  # another delta follows at once


class Feed:
    """One pass at a time, in the thread that calls `run`; the other methods may be called from any thread."""

    def __init__(
        self, store: str | None, post: Callable[[Delta], object], clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._post = post
        self._clock = clock
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._taken = threading.Event()
        self.idle = False  # the last pass found nothing new, and every curve asked for is read
        self._paused = False
        self._slow = False
        self._chosen: str | None = None
        self._wanted: frozenset[int] = frozenset()
        self._reader: Reader | None = None
        self._source: Source | None = None
        self._inode = 0
        self._searched = False
        self._said: tuple[str, str] | None = None
        self._forget()

    def _forget(self) -> None:
        self._version: int | None = None
        self._rev: dict[str, int] = {}
        self._pieces: dict[str, tuple[int, int]] = {}  # of a study that is partly read: the clock then, the last number
        self._counts: dict[str, dict[State, int]] = {}
        self._alive: frozenset[str] = frozenset()
        self._studies: tuple[StudyView, ...] = ()
        self._running: dict[int, tuple[float | None, int]] = {}  # run -> (its start, last row id read)
        self._loaded: set[int] = set()
        self._event = 0
        self._stale_boards = True
        self._behind = False

    # from the screen's thread

    def choose(self, study: str | None) -> None:
        """Read this study first."""
        self._chosen = study

    def want(self, runs: frozenset[int]) -> None:
        """The ended runs whose curves are shown; each is read once."""
        if not runs <= self._wanted:
            self.idle = False
            self._wanted = runs
            self._wake.set()
        self._wanted = runs

    def taken(self) -> None:
        """The last delta has been shown: the next may come."""
        self._taken.set()

    def pause(self, paused: bool) -> None:
        self._paused = paused
        self._wake.set()

    def slow_down(self, slow: bool) -> None:
        self._slow = slow
        self._wake.set()

    def poll_now(self) -> None:
        """Read again without waiting, whether or not the store says that it changed."""
        self._version = None
        self._wake.set()

    def close(self) -> None:
        self._closing.set()
        self._wake.set()
        self._taken.set()

    # from the feed's own thread

    def run(self) -> None:
        """Poll until closed."""
        quiet = 0
        while not self._closing.is_set():
            delta = None if self._paused else self.poll()
            self.idle = delta is None and not self._unread()
            if delta is not None:
                self._taken.clear()
                self._post(delta)
                # whoever closes sets the event too, but perhaps before it was cleared here
                if not self._closing.is_set():
                    self._taken.wait(TAKEN_SECONDS)
                quiet = 0
                if delta.more:
                    continue
            else:
                quiet += 1
            # two quick passes more, then half as often each time
            wait = SLOW_SECONDS if self._slow else min(SLOW_SECONDS, QUICK_SECONDS * 2 ** max(0, quiet - 2))
            self._wake.wait(wait)
            self._wake.clear()
        self._detach()

    def poll(self) -> Delta | None:
        """One pass; None when there is nothing to say."""
        try:
            delta = self._read()
        except ArenaError as wrong:
            return self._trouble(wrong)
        except (ValueError, KeyError, TypeError) as wrong:
            # a row that another program wrote: the screen must say so and go on
            where = self._source.path if self._source else "the store"
            problem = StoreError(
                f"{where} holds a row that can't be read: {wrong!r}", "`autoresearch doctor` says more"
            )
            return self._trouble(problem)
        if delta is None and self._said is not None:
            delta = Delta(at=self._clock(), source=self._source, studies=self._studies, alive=self._alive)
        self._said = None
        return delta

    def _trouble(self, problem: ArenaError) -> Delta | None:
        # rows read before the trouble are lost, and the file may be replaced or repaired: begin anew next time
        self._detach()
        said = (problem.problem, problem.hint)
        if said == self._said:
            return None
        self._said = said
        return Delta(at=self._clock(), source=self._source, studies=self._studies, alive=self._alive, problem=problem)

    def _read(self) -> Delta | None:
        opened = self._attach()
        if self._reader is None:
            return Delta(at=self._clock(), fresh=True) if opened else None
        reader = self._reader
        version = reader.data_version()
        if version == self._version and not self._unread() and not self._behind:
            alive = self._living()
            if alive == self._alive:
                return None
            self._alive = alive
            return Delta(at=self._clock(), source=self._source, studies=self._studies, alive=alive)
        self._version = version
        self._studies = tuple(reader.studies())
        self._alive = self._living()
        trials = self._changed_trials(reader)
        if any(trial.state is State.COMPLETE for trial in trials):
            self._stale_boards = True
        curves = self._curve_parts(reader, trials)
        boards = None
        if self._stale_boards and not self._behind:
            boards, self._stale_boards = Boards.of(reader.entries()), False
        events = tuple(reader.events(self._event, limit=EVENTS_AT_FIRST))
        if events:
            self._event = events[-1].id
        return Delta(
            at=self._clock(),
            source=self._source,
            fresh=opened,
            studies=self._studies,
            alive=self._alive,
            trials=trials,
            curves=curves,
            boards=boards,
            events=events,
            phases=tuple(reader.phases()),
            belts=tuple(reader.belts()),
            verdicts={study.name: reader.verdicts(study.name) for study in self._studies},
            more=self._behind,
        )

    def _unread(self) -> set[int]:
        """Ended runs whose curves are wanted and not read yet."""
        return set(self._wanted - self._loaded - self._running.keys())

    def _attach(self) -> bool:
        """Open the source if none is open, or if it is not the same file any more; True when it is another one now."""
        if self._reader is not None and self._source is not None and not self._replaced(self._source):
            return False
        source = find_source(self._store)
        if source is None and self._searched:
            return False
        self._searched = True
        from studies.reading import Reader

        self._detach()
        self._source = source
        if source is not None:
            self._reader = Reader(source.path)
            self._inode = source.path.stat().st_ino
        return True

    def _replaced(self, source: Source) -> bool:
        if source.shipped:
            from studies.database import default_path

            return os.path.exists(default_path())
        try:
            return source.path.stat().st_ino != self._inode
        except OSError:
            return True

    def _detach(self) -> None:
        if self._reader is not None:
            with suppress(StoreError):
                self._reader.close()
        self._reader = None
        self._forget()

    def _living(self) -> frozenset[str]:
        from studies.ownership import living_owner

        return frozenset(study.name for study in self._studies if study.owner_pid is not None and living_owner(study))

    def _changed_trials(self, reader: "Reader") -> tuple[TrialView, ...]:
        """Trials that changed, of the chosen study first; with several studies unread, of one study a pass."""
        rev = reader.rev()
        order = sorted(self._studies, key=lambda study: (study.name != self._chosen, study.name not in self._alive))
        unread = [study.name for study in order if study.name not in self._rev]
        found: list[TrialView] = []
        for study in order:
            name = study.name
            known = name in self._rev
            # without an owner and with the same counts nothing of a study can have changed
            if known and study.owner_pid is None and self._counts.get(name) == study.n_by_state:
                continue
            if not known and name != unread[0]:
                continue
            if not known and sum(study.n_by_state.values()) > 2 * PIECE:
                found += self._next_piece(reader, name, rev)
            else:
                found += reader.trials(name, self._rev.get(name, -1))
                self._rev[name], self._counts[name] = rev, study.n_by_state
        self._behind = len(unread) > 1 or bool(self._pieces)
        return tuple(found)

    def _next_piece(self, reader: "Reader", name: str, rev: int) -> list[TrialView]:
        """What is to be seen first, then all by number; what changes meanwhile is read once the last piece is."""
        if name not in self._pieces:
            self._pieces[name] = rev, -1
            return reader.foremost(name, FOREMOST)
        began, after = self._pieces[name]
        found = reader.piece(name, after, PIECE)
        if len(found) == PIECE:
            self._pieces[name] = began, found[-1].number
        else:
            del self._pieces[name]
            self._rev[name] = began
        return found

    def _curve_parts(self, reader: "Reader", trials: tuple[TrialView, ...]) -> tuple[CurvePart, ...]:
        ended: set[int] = set()
        for trial in trials:
            if (run := trial.run) is None:
                continue
            if run.state is State.RUNNING:
                self._loaded.discard(run.id)
                if self._running.get(run.id, (None, 0))[0] != run.started_at or run.id not in self._running:
                    self._running[run.id] = (run.started_at, 0)
            elif run.id in self._running:
                # the last points went into the packed curve, perhaps unseen
                del self._running[run.id]
                ended.add(run.id)
        parts = [part for run_id in list(self._running) if (part := self._new_points(reader, run_id))]
        for run_id in ended | self._unread():
            points, sizes = tuple(reader.curve(run_id)), reader.sizes(run_id)
            parts.append(CurvePart(run_id=run_id, points=points, whole=True, sizes=sizes))
            self._loaded.add(run_id)
        return tuple(parts)

    def _new_points(self, reader: "Reader", run_id: int) -> CurvePart | None:
        # one cursor per run: SQLite gives out the ids of deleted points again, but none below those that a run has
        started, after = self._running[run_id]
        rows = reader.points([run_id], after)
        if not rows:
            return None
        self._running[run_id] = (started, rows[-1][0])
        return CurvePart(run_id=run_id, points=tuple(point for _, _, point in rows), whole=after == 0)
