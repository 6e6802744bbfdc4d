"""What the screens know of the store: deltas applied to plain data, and the questions that screens ask of it."""

from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from arena_tui.contrast import Noise, pooled_noise
from arena_tui.feed import Delta
from arena_tui.ranking import Baselines
from arena_tui.sources import Source
from arena_tui.widgets.curves import seed_band
from bench.errors import ArenaError, StoreError
from bench.records import Identity, Point, Sizes, State
from bench.standings import Standing
from studies.views import BeltView, EventView, PhaseView, StudyView, TrialView, VerdictView

EVENTS_KEPT = 500
BANDS_KEPT = 64

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

    def xy(self, metric: str, over: str = "step") -> tuple[Floats, Floats]:
        """`step` or `seconds`, and the losses of `train_loss` or `probe_loss`; the latter is measured at few steps."""
        name = f"{metric} over {over}"
        if name not in self._drawn:
            pairs = [(getattr(p, over), value) for p in self._points if (value := getattr(p, metric)) is not None]
            both = np.array(pairs, dtype=np.float64).reshape(-1, 2)
            self._drawn[name] = (np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1]))
        return self._drawn[name]


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
        self.sizes: dict[int, Sizes | None] = {}  # of the runs whose curves are read; None where it was not recorded
        self._lists: dict[str, list[TrialView]] = {}
        self._identities: list[Identity] | None = None
        self.standings: list[Standing] = []
        self.events: deque[EventView] = deque(maxlen=EVENTS_KEPT)
        self.baselines = Baselines(())
        # which trials, of any study, ran a config: its seeds
        self._by_print: dict[str, set[tuple[str, int]]] = {}
        self._noise: dict[Identity, Noise | None] = {}
        self._bands: dict[tuple[object, ...], tuple[Floats, Floats, Floats, Floats]] = {}
        self.belts: tuple[BeltView, ...] = ()
        self.phases: dict[str, list[PhaseView]] = {}
        self.verdicts: dict[str, list[VerdictView]] = {}
        self.changed_at = 0.0

    def apply(self, delta: Delta) -> None:
        if delta.fresh:
            self._empty()
        self.revision += 1
        self._identities = None
        self.loaded = True
        self.problem = delta.problem
        self.source = delta.source or self.source
        self.changed_at = delta.at
        if delta.problem is None or delta.studies:
            self.studies = {study.name: study for study in delta.studies}
            self.alive = delta.alive
        for trial in delta.trials:
            self.trials.setdefault(trial.study, {})[trial.number] = trial
            self._by_print.setdefault(trial.fingerprint, set()).add((trial.study, trial.number))
            self._lists.pop(trial.study, None)
        if delta.trials:
            self._noise.clear()
        for part in delta.curves:
            self.curves.setdefault(part.run_id, Curve()).add(part.points, part.whole)
            if part.whole:
                self.sizes[part.run_id] = part.sizes
        if delta.boards is not None:
            self.standings, self.baselines = delta.boards.standings, delta.boards.baselines
        self.events.extend(delta.events)
        if delta.phases is not None:
            self.phases = {}
            for phase in delta.phases:
                self.phases.setdefault(phase.study, []).append(phase)
        if delta.belts is not None:
            self.belts = delta.belts
        if delta.verdicts is not None:
            self.verdicts = delta.verdicts

    def miss(self, study: str | None) -> None:
        """Say that a study asked for by name is not there, where nothing worse is to be said."""
        if study and self.studies and study not in self.studies and self.problem is None:
            known = ", ".join(self.studies)
            self.problem = StoreError(f"there is no study named {study} yet", f"the studies are {known}")

    def default_study(self) -> str | None:
        """The newest study that is being run, else the user's newest; of shipped ones the one with most to see."""
        running = (name for name in self.studies if name in self.alive)
        own = (study.name for study in self.studies.values() if not study.shipped)
        largest = max(self.studies.values(), key=lambda study: sum(study.n_by_state.values()), default=None)
        return next(running, next(own, largest.name if largest else None))

    def trials_of(self, study: str | None) -> list[TrialView]:
        """In order of their number; the same list until the study changes, so nobody is to change it."""
        name = study or ""
        if name not in self._lists:
            known = self.trials.get(name, {})
            self._lists[name] = [known[number] for number in sorted(known)]
        return self._lists[name]

    def trial(self, study: str, number: int) -> TrialView | None:
        return self.trials.get(study, {}).get(number)

    def seeds_of(self, trial: TrialView) -> list[TrialView]:
        """The trials of the same config on the same board, one a run, this one first."""
        if trial.run is None:
            return [trial]
        places = sorted(self._by_print.get(trial.fingerprint, ()))
        known = (self.trials[study][number] for study, number in places)
        runs = {trial.run.id: trial}
        for other in known:
            if other.run is not None and other.run.identity == trial.run.identity:
                runs.setdefault(other.run.id, other)
        return list(runs.values())

    def scores_of(self, trial: TrialView) -> dict[int, float]:
        """val_loss by seed."""
        return {t.run.seed: t.val_loss for t in self.seeds_of(trial) if t.run is not None and t.val_loss is not None}

    def noise(self, identity: Identity) -> Noise | None:
        """How far seeds of one config lie apart on a board; None before any config has two."""
        if identity not in self._noise:
            groups = []
            for places in self._by_print.values():
                if len(places) > 1:
                    trials = (self.trials[study][number] for study, number in places)
                    mine = [t for t in trials if t.run is not None and t.run.identity == identity]
                    groups.append({t.run.seed: t.val_loss for t in mine if t.run and t.val_loss is not None})
            self._noise[identity] = pooled_noise(groups)
        return self._noise[identity]

    def band(self, runs: Sequence[int], metric: str, over: str) -> tuple[Floats, Floats, Floats, Floats]:
        """(x, mean, low, high) over runs that have points; the same arrays again while no point is added."""
        key = (tuple(runs), metric, over, tuple(len(self.curves[run]) for run in runs))
        if key not in self._bands:
            if len(self._bands) > BANDS_KEPT:
                self._bands.clear()
            self._bands[key] = seed_band([self.curves[run].xy(metric, over) for run in runs])
        return self._bands[key]

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
        if self._identities is None:
            self._identities = self._found_identities()
        return self._identities

    def _found_identities(self) -> list[Identity]:
        newest: dict[Identity, float] = {}
        for known in self.trials.values():
            for trial in known.values():
                if trial.run and trial.state is State.COMPLETE:
                    at = trial.run.ended_at or 0.0
                    newest[trial.run.identity] = max(newest.get(trial.run.identity, 0.0), at)
        boards = {row.identity for row in self.standings}
        return sorted(boards, key=lambda identity: (-newest.get(identity, 0.0), identity))
