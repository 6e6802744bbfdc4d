"""From runs to what `CurvePlot` draws."""

import math
from collections.abc import Iterable, Mapping

from arena_tui.badges import Badge
from arena_tui.mirror import Mirror
from arena_tui.widgets.curve_plot import Series
from bench.records import State
from studies.views import StudyView, TrialView


def series_of(
    trials: Iterable[TrialView], mirror: Mirror, badges: Mapping[str, Badge], dark: bool, metric: str
) -> list[Series]:
    """One series per run that has points; a run that failed ends with a mark."""
    found = []
    for trial in trials:
        run, study = trial.run, mirror.studies.get(trial.study)
        name = study.spec.division.label(trial.config) if study else ""
        curve = mirror.curves.get(run.id) if run else None
        if run is None or curve is None or not len(curve):
            continue
        x, y = curve.xy(metric)
        badge = badges[f"{trial.study}/{trial.number}"]
        ended = float(run.step) if trial.state is State.FAILED else None
        found.append(Series(f"#{trial.number} {name}", badge.letter, badge.on(dark), x, y, ended))
    return found


def references(mirror: Mirror, study: StudyView | None) -> list[tuple[str, float]]:
    """The baseline of this study's board, and the published line where the corpus is the one it speaks of."""
    if study is None:
        return []
    lines = []
    spec = study.spec
    scores = [
        e.val_loss
        for e in mirror.baselines.entries
        if e.identity.corpus_digest == spec.corpus_digest and e.config.budget == spec.budget
    ]
    if scores:
        lines.append(("baseline val_loss", math.fsum(scores) / len(scores)))
    published = dict(spec.track.published)
    if spec.corpus_name == spec.track.corpus and spec.budget.steps in published:
        lines.append(("published (unknown split)", published[spec.budget.steps]))
    return lines
