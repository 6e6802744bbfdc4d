"""Everything that is known of a trial, in words: the outcome first, then why it was tried, then what it used."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from arena_tui import formatting
from arena_tui.kin import ancestors, children, patterns
from arena_tui.ranking import ended_because
from arena_tui.rows import STATE_STYLES, short_recipe, why
from arena_tui.sizes import size_lines
from arena_tui.summary import RECIPE_HEADING, heading, labelled, measures, proposal_lines, recipe_lines
from bench.config import RunConfig
from bench.divisions import differences
from bench.records import Sizes, State
from studies.views import RunView, TrialView, VerdictView

_FAILED = (State.FAILED, State.REFUSED, State.PRUNED)


@dataclass(frozen=True, kw_only=True)
class Page:
    """What the page of a trial rests on."""

    trial: TrialView
    delta: float | None  # to the baseline
    trials: Sequence[TrialView]  # of its study
    scores: dict[int, float]  # of its config, by seed
    reference: TrialView | None  # pinned, or else its parent
    verdicts: Sequence[VerdictView]
    replay: str | None
    sizes: Mapping[int, Sizes | None]  # by run, as far as they were read


def trial_page(page: Page, width: int) -> Text:
    trial, run = page.trial, page.trial.run
    text = _outcome(trial)
    text.append_text(measures(trial, page.delta))
    text.append("\n")
    text.append_text(_expected(trial))
    parts = [
        (_seeds(page), "seeds of this config"),
        (_verdicts(page), "verdicts"),
        (_similar(page), "failures like it"),
        (Text(formatting.printable(run.log_tail) + "\n") if run and run.log_tail else None, "the end of its log"),
        (recipe_lines(trial, width), RECIPE_HEADING),
        (_against(page, width), _against_heading(page)),
        (proposal_lines(trial, width), "why it was proposed"),
        (_advice(trial), "advice"),
        (_lineage(page), "lineage"),
        (size_lines(run, trial.config, page.sizes, width) if run else None, "sizes"),
        (cost_lines(run, width) if run else None, "what it used"),
        (Text(f" {page.replay}\n") if page.replay else None, "run it again (c copies)"),
    ]
    for part, title in parts:
        if part is not None and part.plain:
            text.append_text(Text.assemble("\n", heading(title), part))
    return text


def _outcome(trial: TrialView) -> Text:
    text = Text()
    text.append(f"{ended_because(trial).replace('_', ' ').upper()}", f"bold {STATE_STYLES[trial.state]}".strip())
    if trial.state is State.FAILED and trial.run is not None:
        text.append(f" at step {trial.run.step} of {trial.config.budget.steps}", "bold")
    text.append("\n")
    if said := why(trial):
        text.append(f"{said}\n", STATE_STYLES[trial.state])
    return text


def _expected(trial: TrialView) -> Text:
    """What was expected beside what came out."""
    if trial.expected is None or trial.val_loss is None:
        return Text()
    off = trial.val_loss - trial.expected
    word = "better" if off < 0 else "worse"
    return Text(f"expected {formatting.loss(trial.expected)}: {formatting.delta(off).strip()}, {word} than expected\n")


def _seeds(page: Page) -> Text | None:
    if len(page.scores) < 2:
        return None
    values = list(page.scores.values())
    told = "  ".join(f"{seed}: {formatting.loss(value)}" for seed, value in sorted(page.scores.items()))
    mean, sd = statistics.fmean(values), statistics.stdev(values)
    return Text(f" {formatting.loss(mean)} sd {sd:.4f} over {len(values)}   {told}\n")


def _verdicts(page: Page) -> Text | None:
    """Those that rest on a run of this config."""
    if page.trial.run is None:
        return None
    text = Text()
    for verdict in page.verdicts:
        if page.trial.run.id in {run for runs in verdict.run_ids.values() for run in runs}:
            text.append(f" {verdict.verdict}", "bold")
            text.append(f"  {formatting.one_line(verdict.question)}\n")
            text.append(f"   {verdict_numbers(verdict)}\n")
            if verdict.why:
                text.append(f"   {formatting.one_line(verdict.why)}\n", "dim")
    return text


def verdict_numbers(verdict: VerdictView) -> str:
    """Effect, interval, p and n, as far as there are any."""
    parts = []
    if verdict.effect is not None:
        parts.append(f"effect {formatting.delta(verdict.effect).strip()}")
    if verdict.low is not None and verdict.high is not None:
        parts.append(f"[{formatting.delta(verdict.low).strip()}, {formatting.delta(verdict.high).strip()}]")
    if verdict.p is not None:
        parts.append(f"p {verdict.p:.2g}")
    return "  ".join([*parts, f"n {verdict.n}"])


def _similar(page: Page) -> Text | None:
    if page.trial.state not in _FAILED:
        return None
    because = ended_because(page.trial)
    if page.trial.state is State.REFUSED:
        same = [t for t in page.trials if t.state is State.REFUSED and why(t) == why(page.trial)]
        named = " ".join(f"#{t.number}" for t in same[:8])
        return Text(f" {len(same)} refused with the same words: {named}\n")
    return Text("".join(f" {pattern.told(because)}\n" for pattern in patterns(page.trial, page.trials)[:4]))


def _against_heading(page: Page) -> str:
    return f"against #{page.reference.number} {short_recipe(page.reference)}" if page.reference else ""


def _against(page: Page, width: int) -> Text | None:
    if page.reference is None or page.reference.number == page.trial.number:
        return None
    pairs = changes(page.trial.config, page.reference.config)
    text = labelled(pairs, width) if pairs else Text(" the same config\n")
    if page.trial.val_loss is not None and page.reference.val_loss is not None:
        gap = page.trial.val_loss - page.reference.val_loss
        text.append(f" {formatting.delta(gap).strip()} nats/byte, one run each\n", "dim")
    return text


def changes(config: RunConfig, base: RunConfig) -> list[tuple[str, str]]:
    """What a config has that another has not, and what it lacks, slot by slot."""
    found = list(differences(config, base))
    for slot, picks in base.picks.items():
        gone = {pick.label for pick in picks} - {pick.label for pick in config.picks.get(slot, ())}
        found += [(slot, f"without {name}") for name in sorted(gone)]
    return found


def _advice(trial: TrialView) -> Text | None:
    if trial.run is None or not trial.message or not trial.run.message:
        return None
    return Text(f" {formatting.one_line(trial.message)}\n")


def _lineage(page: Page) -> Text | None:
    up, down = ancestors(page.trial, page.trials), children(page.trial, page.trials)
    text = Text()
    for generation, trial in enumerate(up, start=1):
        text.append(f" {'from' if generation == 1 else '  ' * generation + 'from'} #{trial.number} ")
        text.append(f"{formatting.loss(trial.val_loss)}  {short_recipe(trial)}\n")
    if down:
        named = "  ".join(f"#{t.number} {formatting.loss(t.val_loss)}" for t in down[:8])
        text.append(f" {len(down)} made from it: {named}\n")
    return text


def cost_lines(run: RunView, width: int) -> Text:
    identity = run.identity
    lines = (
        ("training", formatting.duration(run.train_seconds)),
        ("probes", formatting.duration(run.probe_seconds)),
        ("evaluation", formatting.duration(run.eval_seconds)),
        ("tokens", formatting.amount(run.train_tokens)),
        ("FLOPs", formatting.amount(run.train_flops)),
        ("peak memory", formatting.size(run.peak_bytes)),
        ("run", f"{run.id}, seed {run.seed}, {identity.device_class}, {run.threads} thread{'s' * (run.threads != 1)}"),
        ("board", formatting.identity(identity, run.corpus_name)),
        ("versions", " ".join(f"{name} {version}" for name, version in sorted(run.versions.items()))),
    )
    return labelled([(name, value) for name, value in lines if value and value != formatting.ABSENT], width)
