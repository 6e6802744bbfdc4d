"""The ledger as text and as JSON, for `list`, `show`, `catalog` and the board after a study."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from autoresearch.researcher.conversation import Conversation
from autoresearch.researcher.rungs import Ladder
from bench.config import fingerprint, to_json
from bench.divisions import recipe
from bench.records import State
from bench.standings import Standing, standings
from studies.ownership import living_owner
from studies.reading import Reader
from studies.views import StudyView, TrialView, under_latest_conditions


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Plain columns; the numbers in `right` are set flush right."""
    lines = [tuple(head), *map(tuple, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def number(value: float | None, digits: int = 4, sign: bool = False) -> str:
    if value is None:
        return "-"
    return f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"


def best_of(reader: Reader, study: StudyView) -> TrialView | None:
    """The lowest score of a whole run under the conditions of the study's last run; a replication is none of its own,
    or the luckiest seed would stand for its config."""
    ranked = [t for t in under_latest_conditions(reader.trials(study.name)) if t.ranks]
    return min(ranked, key=lambda t: (t.val_loss or 0.0, t.number), default=None)


def condition(study: StudyView) -> str:
    """Running, or why not."""
    if living_owner(study):
        return "running"
    if study.shipped:
        return f"shipped: {study.ended_reason}" if study.ended_reason else "shipped"
    return study.ended_reason or ("left without a word" if study.owner_pid else "-")


def studies_table(reader: Reader, studies: Sequence[StudyView]) -> str:
    if not studies:
        return "no study yet; begin with `autoresearch --division optimizer --trials 5 --steps 100`"
    rows = []
    suspects = {audit.fingerprint for audit in reader.audits() if audit.flagged}
    for study in studies:
        best = best_of(reader, study)
        flagged = study.spec.start is not None and fingerprint(study.spec.start) in suspects
        rows.append(
            (
                study.name,
                study.spec.division_name,
                f"{study.spec.corpus_name} {study.spec.corpus_digest[:8]}",
                str(study.spec.budget.steps),
                study.progress,
                number(best.val_loss if best else None),
                condition(study) + (", FLAGGED by its audit" if flagged else ""),
            )
        )
    return table(("study", "division", "corpus", "steps", "trials", "best", "state"), rows, frozenset({3, 4, 5}))


def studies_json(reader: Reader, studies: Sequence[StudyView]) -> list[dict[str, Any]]:
    return [_study_json(reader, study) for study in studies]


def _study_json(reader: Reader, study: StudyView) -> dict[str, Any]:
    best = best_of(reader, study)
    return {
        "name": study.name,
        "definition": study.spec.to_json(),
        "state": condition(study),
        "trials": {state.value: n for state, n in study.n_by_state.items()},
        "best": best and {"trial": best.number, "val_loss": best.val_loss},
        "created_at": study.created_at,
    }


def study_json(reader: Reader, name: str) -> dict[str, Any]:
    study, trials = reader.study(name), reader.trials(name)
    plain = _study_json(reader, study) | {"trials": [trial_json(trial) for trial in trials]}
    if rungs := Ladder(study.spec, reader.cards(name)).calibrations(trials):
        plain["rungs"] = [asdict(found) for found in rungs]
    said = Conversation.of(reader, name)
    return plain | ({"llm": [asdict(fact) for fact in said.facts]} if said.facts else {})


def trial_json(trial: TrialView) -> dict[str, Any]:
    """A trial whole, its config and run included."""
    plain = {k: v for k, v in vars(trial).items() if k not in ("config", "run", "rev", "study")}
    run = trial.run and {k: v for k, v in asdict(trial.run).items() if k != "rev"}
    return plain | {"recipe": recipe(trial.config), "config": to_json(trial.config), "run": run}


def trials_table(reader: Reader, name: str) -> str:
    study = reader.study(name)
    trials = reader.trials(name)
    bases = {t.run.identity: t.val_loss for t in reversed(trials) if t.proposer == "baseline" and t.run}
    rows = []
    for trial in trials:
        base = bases.get(trial.run.identity) if trial.run else None
        delta = None if trial.val_loss is None or base is None or trial.is_short else trial.val_loss - base
        rows.append(
            (
                str(trial.number),
                outcome_word(trial),
                number(trial.val_loss),
                number(delta, sign=True),
                number(trial.run.train_seconds if trial.run else None, 0),
                recipe(trial.config),
                why(trial),
            )
        )
    head = f"{study.name}: {study.spec.division_name}, {study.spec.budget.steps} steps, {study.spec.corpus_name} "
    head += f"{study.spec.corpus_digest[:8]}, {study.progress} trials, {condition(study)}"
    columns = ("#", "state", "val_loss", "delta", "s", "recipe", "")
    if (said := Conversation.of(reader, name)).facts:
        head += f"\nlanguage model: {said.told()}"
    rungs = [f"short runs of {found.told}" for found in Ladder(study.spec, reader.cards(name)).calibrations(trials)]
    return "\n".join([head, table(columns, rows, frozenset({0, 2, 3, 4})), *rungs])


def outcome_word(trial: TrialView) -> str:
    if trial.state is State.FAILED and trial.run and trial.run.reason:
        return trial.run.reason.value
    if trial.state is State.COMPLETE and trial.is_short:
        return f"{trial.config.budget.steps} steps"
    return trial.state.value


def why(trial: TrialView) -> str:
    if trial.state is State.FAILED and trial.run:
        return trial.run.message
    return trial.message


def board(reader: Reader, study: str) -> str:
    """The standings that a study's trials make, best first."""
    rows = standings(entry for entry in reader.entries() if entry.study == study)
    if not rows:
        return "no trial has a score yet"
    text = table(
        ("", "fighter", "val_loss", "delta", "seeds", "searched", "bytes", "parameters", "s", "trial"),
        [standing_cells(row) for row in rows],
        frozenset(range(10)) - {1},
    )
    flag = "\nFLAGGED: loses on audit text what it gained on the validation text" * any(row.flagged for row in rows)
    return (
        f"{text}\nval_loss in nats per byte, of published seeds alone where any was run, and beside it what the search "
        f"had seen; delta to the baseline; unconfirmed below 3 seeds{flag}"
    )


def standing_cells(row: Standing) -> tuple[str, ...]:
    return (
        str(row.rank),
        row.label + (" FLAGGED" if row.flagged else ""),
        number(row.val_loss),
        number(row.delta, sign=True),
        f"{row.n_seeds}{'?' if row.unconfirmed else ''}",
        number(row.search_loss),
        f"{row.weights_bytes:,}",
        f"{row.parameters:,}",
        number(row.train_seconds, 0),
        "-" if row.trial is None else str(row.trial),
    )


def catalog_table(cards: Sequence[dict[str, Any]]) -> str:
    """A block per slot: each technique with status and first line, knobs with their ranges, needs and clashes."""
    lines: list[str] = []
    slot = None
    for card in cards:
        if card["slot"] != slot:
            slot = card["slot"]
            lines.append(f"{slot}")
        lines.append(f"  {card['name']} ({card['status']}): {card['doc'].splitlines()[0]} [{card['source']}]")
        for knob in card["knobs"]:
            ends = knob["range"]
            values = ends["options"] if "options" in ends else f"{ends['low']:g} to {ends['high']:g}"
            lines.append(f"      {knob['name']} = {knob['default']}  ({values})  {knob['why']}")
        for kind, word in (("needs", "wants"), ("clashes", "clashes with")):
            lines += [f"      {word} {other['other']}: {other['why']} ({other['source']})" for other in card[kind]]
    return "\n".join(lines)
