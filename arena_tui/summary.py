"""Trials and studies in words: the text blocks beside the tables and on the trial's page."""

import math
import textwrap
from collections.abc import Iterable, Sequence

from rich.text import Text

from arena_tui import formatting
from arena_tui.progress import liveness, time_left
from arena_tui.ranking import Baselines, best_of, failures_by_reason
from arena_tui.rows import STATE_STYLES, short_recipe, state_cell, why
from bench.divisions import differences
from bench.records import State
from studies.views import EventView, PhaseView, StudyView, TrialView

BAR_WIDTH = 10
NAME_WIDTH = 12
RECIPE_HEADING = "recipe, as its difference from the baseline"
PREVIEW_WIDTH = 42


HEADING_STYLE = "bold dim"


def heading(text: str) -> Text:
    return Text(text + "\n", HEADING_STYLE)


def headings(text: Text) -> set[str]:
    """What stands in headings, as `heading` made them."""
    return {text.plain[span.start : span.end].strip() for span in text.spans if span.style == HEADING_STYLE}


def measures(trial: TrialView, delta: float | None) -> Text:
    """What a run scored and used, in one line; nothing where nothing was measured."""
    run = trial.run
    if run is None:
        return Text("no run: it was refused before it cost anything", "dim")
    parts: list[str] = []
    if run.val_loss is not None:
        parts.append(f"val_loss {formatting.loss(run.val_loss)} ({formatting.loss(run.val_loss / math.log(2))} bits)")
    if delta is not None:
        parts.append(f"vs base {formatting.delta(delta).strip()}")
    if run.weights_bytes is not None:
        parts.append(formatting.size(run.weights_bytes))
    if run.parameters is not None:
        parts.append(f"{formatting.amount(run.parameters)} params")
    if run.train_seconds is not None:
        parts.append(("" if parts else "trained ") + formatting.duration(run.train_seconds))
    if trial.state is State.RUNNING:
        parts.append(f"step {run.step} of {trial.config.budget.steps}")
    return Text("  ".join(parts) or "nothing measured yet")


def trial_brief(trial: TrialView | None, delta: float | None) -> Text:
    """Three lines: which, what it did, why it is there or why it ended."""
    if trial is None:
        return Text("no trial under the cursor", "dim")
    text = Text.assemble(
        (f"#{trial.number} ", "bold"), short_recipe(trial), "  ", state_cell(trial), "\n", no_wrap=True
    )
    text.append_text(measures(trial, delta))
    text.append("\n")
    if trial.state in (State.FAILED, State.REFUSED, State.PRUNED):
        text.append(why(trial), STATE_STYLES[trial.state])
    else:
        text.append(f"{trial.proposer}: {formatting.one_line(trial.reason)}", "dim")
    text.overflow = "ellipsis"
    return text


def trial_preview(trial: TrialView | None, delta: float | None, width: int = PREVIEW_WIDTH) -> Text:
    """The brief with its recipe line by line and its reason, for a panel that has room."""
    if trial is None:
        return Text("no trial under the cursor", "dim")
    text = Text.assemble((f"#{trial.number}  ", "bold"), state_cell(trial), "\n")
    text.append_text(measures(trial, delta))
    text.append("\n")
    if said := why(trial):
        text.append(f"\n{said}\n", STATE_STYLES[trial.state])
    text.append_text(Text.assemble("\n", heading(RECIPE_HEADING), recipe_lines(trial, width)))
    text.append_text(Text.assemble("\n", heading("why it was proposed"), proposal_lines(trial, width)))
    return text


def labelled(pairs: Iterable[tuple[str, str]], width: int) -> Text:
    """A name and a value a line; a long value goes on under itself."""
    text, pairs = Text(), list(pairs)
    wide = max([NAME_WIDTH, *(len(name) + 1 for name, _ in pairs)])
    for name, value in pairs:
        lines = textwrap.wrap(value, max(10, width - wide - 1)) or [""]
        text.append(f" {name:<{wide}}", "dim")
        text.append(("\n" + " " * (wide + 1)).join(lines) + "\n")
    return text


def recipe_lines(trial: TrialView, width: int) -> Text:
    return labelled(differences(trial.config), width) or Text(" the baseline itself\n")


def proposal_lines(trial: TrialView, width: int) -> Text:
    """Who proposed it, by which rule, what it expects."""
    said = [(name, formatting.one_line(getattr(trial, name))) for name in ("proposer", "rule", "reason", "hypothesis")]
    if trial.expected is not None:
        said.append(("expected", f"val_loss {formatting.loss(trial.expected)}"))
    return labelled([(name, value) for name, value in said if value], width) or Text(" it does not say\n", "dim")


def bar(done: int, total: int, width: int = BAR_WIDTH) -> str:
    filled = width if total <= 0 else min(width, width * done // total)
    return "[" + "#" * filled + "." * (width - filled) + "]"


def progress_line(
    study: StudyView, trials: Sequence[TrialView], now: float, alive: bool, phases: Sequence[PhaseView] = ()
) -> Text:
    """How far, in which phase, how much longer, and on what that rests."""
    text = Text(no_wrap=True, overflow="ellipsis")
    if study.ending is not None:
        return text.append(f"{bar(1, 1)} {study.progress} trials").append(f"  ended: {study.ending}", "dim")
    if study.n_expected is not None:
        text.append(f"{bar(study.n_done, study.n_expected)} ")
    text.append(f"{study.progress} trials")
    if (phase := next((p for p in reversed(phases) if p.ended_at is None), None)) is not None:
        text.append(f"  {phase.name}", "bold")
    left = time_left(study, trials, now) if alive else None
    if left is not None:
        text.append(f"  {formatting.duration(left.seconds)} left", "bold")
        text.append(f" ({left.basis})", "dim")
    elif alive:
        until = f"until every opening is done, {study.spec.n_trials} at most"
        unknown = until if study.n_expected is None else "no time left known yet"
        text.append(f"  {unknown}", "dim")
    return text


def phase_lines(phases: Sequence[PhaseView], trials: Sequence[TrialView]) -> Text:
    """A phase a line: how many trials it took, and why it ended or since when it goes on."""
    text = Text()
    for phase in phases:
        n = sum(phase.started_at <= t.created_at < (phase.ended_at or float("inf")) for t in trials)
        until = phase.ended_reason or f"since {formatting.clock_time(phase.started_at)}"
        text.append(f" {phase.name:<12}", "bold" if phase.ended_at is None else "dim")
        text.append(f"{n:>4} trials  {until}\n")
    return text


def running_lines(trials: Iterable[TrialView], most: int = 3) -> Text:
    """What runs now and why it was proposed."""
    text = Text()
    for trial in [t for t in trials if t.state is State.RUNNING][:most]:
        text.append(f"runs #{trial.number} ", "bold")
        text.append(f"{short_recipe(trial)}  ")
        text.append(f"{trial.proposer}: {formatting.one_line(trial.reason)}\n", "dim")
    return text


def study_lines(
    study: StudyView,
    trials: Sequence[TrialView],
    baselines: Baselines,
    now: float,
    alive: bool,
    phases: Sequence[PhaseView] = (),
) -> Text:
    """A study's standing in a few lines."""
    spec = study.spec
    state = liveness(study, alive, now)
    text = Text.assemble(
        (spec.name, "bold"),
        f"  {spec.division_name}  {spec.policy}  seed {spec.seed}  ",
        (state.word, "bold red" if state.stale else "bold"),
        f"  {state.sentence}\n",
    )
    text.append_text(progress_line(study, trials, now, alive, phases))
    text.append(f"\n{formatting.counts(study.n_by_state)}")
    if failures := failures_by_reason(trials):
        text.append("   " + "  ".join(f"{reason.replace('_', ' ')} {n}" for reason, n in failures), "red")
    if best := best_of(trials):
        text.append(f"\nbest {formatting.loss(best.val_loss)}", "bold")
        text.append(f"  #{best.number} {short_recipe(best)}")
        if (delta := baselines.delta(best)) is not None:
            text.append(f"  {formatting.delta(delta).strip()} vs baseline, n = 1", "dim")
    for more in (running_lines(trials), phase_lines(phases, trials)):
        if more.plain:
            text.append("\n")
            more.rstrip()
            text.append_text(more)
    return text


def event_lines(events: Iterable[EventView], study: StudyView, most: int, width: int) -> Text:
    """The newest events of a study, newest first, a line each."""
    text = Text.assemble(heading("events"))
    mine = [event for event in events if event.study == study.name][-most:]
    for event in reversed(mine):
        number = "" if event.trial is None else f"#{event.trial} "
        style = {"failed": "red", "refused": "yellow"}.get(event.kind, "bold")
        line = Text.assemble((f"{formatting.clock_time(event.at)} ", "dim"), (f"{number}{event.kind}", style))
        line.append(f"  {formatting.one_line(event.text)}")
        line.truncate(max(20, width), overflow="ellipsis")
        text.append_text(line).append("\n")
    none = "what ships comes without its events" if study.shipped else "nothing has happened yet"
    return text if mine else text.append(none, "dim")
