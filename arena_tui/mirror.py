"""What the screens know of the store: deltas applied to plain data, and the questions that screens ask of it."""

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from arena_tui.feed import Delta
from arena_tui.ranking import Baselines
from arena_tui.sources import Source
from bench.errors import ArenaError
from bench.records import Identity, Point, State
from bench.standings import Entry, Standing, standings
from studies.views import EventView, StudyView, TrialView

EVENTS_KEPT = 500

Floats = NDArray[np.float64]


class Curve:
    """A run's points, as arrays when asked for."""

    def __init__(self) -> None:
        self._points: list[Point] = []
        self._drawn: dict[str, tuple[Floats, Floats]] = {}

    def add(self, points: tuple[Point, ...], whole: bool) -> None:
        if whole:
            self._points = list(points)
        else:
            last = self._points[-1].step if self._points else -1
            self._points += [point for point in points if point.step > last]
        self._drawn.clear()

    def __len__(self) -> int:
        return len(self._points)

    @property
    def last(self) -> Point | None:
        return self._points[-1] if self._points else None

    def xy(self, metric: str) -> tuple[Floats, Floats]:
        """Steps and losses of `train_loss` or `probe_loss`; the latter is measured at few of the steps."""
        if metric not in self._drawn:
            pairs = [(p.step, value) for p in self._points if (value := getattr(p, metric)) is not None]
            both = np.array(pairs, dtype=np.float64).reshape(-1, 2)
            self._drawn[metric] = (np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1]))
        return self._drawn[metric]


class Mirror:
    """Everything read so far. `revision` grows with each change, so that a screen can tell whether it is behind."""

    def __init__(self) -> None:
        self.revision = 0
        self.loaded = False
        self._empty()
        self.problem: ArenaError | None = None

    def _empty(self) -> None:
        self.source: Source | None = None
        self.studies: dict[str, StudyView] = {}
        self.alive: frozenset[str] = frozenset()
        self.trials: dict[str, dict[int, TrialView]] = {}
        self.curves: dict[int, Curve] = {}
        self.entries: tuple[Entry, ...] = ()
        self.standings: list[Standing] = []
        self.events: deque[EventView] = deque(maxlen=EVENTS_KEPT)
        self.baselines = Baselines(())
        self.changed_at = 0.0

    def apply(self, delta: Delta) -> None:
        if delta.fresh:
            self._empty()
        self.revision += 1
        self.loaded = True
        self.problem = delta.problem
        self.source = delta.source or self.source
        self.changed_at = delta.at
        if delta.problem is None or delta.studies:
            self.studies = {study.name: study for study in delta.studies}
            self.alive = delta.alive
        for trial in delta.trials:
            self.trials.setdefault(trial.study, {})[trial.number] = trial
        for part in delta.curves:
            self.curves.setdefault(part.run_id, Curve()).add(part.points, part.whole)
        if delta.entries is not None:
            self.entries = delta.entries
            self.standings = standings(delta.entries)
            self.baselines = Baselines(delta.entries)
        self.events.extend(delta.events)

    def default_study(self) -> str | None:
        """The newest study that is being run, else the user's newest; of shipped ones the one with most to see."""
        running = (name for name in self.studies if name in self.alive)
        own = (study.name for study in self.studies.values() if not study.shipped)
        largest = max(self.studies.values(), key=lambda study: sum(study.n_by_state.values()), default=None)
        return next(running, next(own, largest.name if largest else None))

    def trials_of(self, study: str | None) -> list[TrialView]:
        """In order of their number."""
        known = self.trials.get(study or "", {})
        return [known[number] for number in sorted(known)]

    def trial(self, study: str, number: int) -> TrialView | None:
        return self.trials.get(study, {}).get(number)

    def last_point(self, trial: TrialView) -> Point | None:
        curve = self.curves.get(trial.run.id) if trial.run else None
        return curve.last if curve else None

    def corpus_name(self, digest: str) -> str:
        for study in self.studies.values():
            if study.spec.corpus_digest == digest:
                return study.spec.corpus_name
        return "corpus"

    def running(self) -> Iterator[TrialView]:
        """Trials under way, of every study."""
        for known in self.trials.values():
            yield from (trial for trial in known.values() if trial.state is State.RUNNING)

    def identities(self) -> list[Identity]:
        """The boards there are, the one with the newest result first."""
        newest: dict[Identity, float] = {}
        for known in self.trials.values():
            for trial in known.values():
                if trial.run and trial.state is State.COMPLETE:
                    at = trial.run.ended_at or 0.0
                    newest[trial.run.identity] = max(newest.get(trial.run.identity, 0.0), at)
        boards = {row.identity for row in self.standings}
        return sorted(boards, key=lambda identity: (-newest.get(identity, 0.0), identity))
