"""What a filter may ask of a trial, a study or a standing."""

from arena_tui.filters import Facts
from bench.config import SLOTS
from bench.divisions import recipe
from bench.standings import Standing
from studies.views import StudyView, TrialView

TRIAL_FIELDS = ("state", "reason", "proposer", "rule", "message", *(slot.name for slot in SLOTS))
STUDY_FIELDS = ("name", "division", "corpus", "track", "policy")
STANDING_FIELDS = ("label", "study", "state")


def trial_facts(trial: TrialView) -> Facts:
    run = trial.run
    reason = run.reason.value if run and run.reason else ""
    message = " ".join(part for part in (trial.message, run.message if run else "") if part)
    fields = {
        "state": trial.state.value,
        "reason": reason,
        "proposer": trial.proposer,
        "rule": trial.rule,
        "message": message,
    } | {slot: " ".join(pick.label for pick in picks) for slot, picks in trial.config.picks.items()}
    numbers: dict[str, float] = {"trial": trial.number, "steps": trial.config.budget.steps}
    for slot, picks in trial.config.picks.items():
        for pick in picks:
            for knob, value in pick.knobs.items():
                if isinstance(value, int | float) and not isinstance(value, bool):
                    numbers |= {knob: value, f"{slot}.{knob}": value}
    if run:
        found = {
            "val_loss": run.val_loss,
            "quant_gap": run.quant_gap,
            "bytes": run.weights_bytes,
            "parameters": run.parameters,
            "seconds": run.train_seconds,
            "step": run.step,
            "seed": run.seed,
        }
        numbers |= {name: value for name, value in found.items() if value is not None}
    words = f"#{trial.number} {recipe(trial.config)} {' '.join(fields.values())} {trial.reason} {trial.hypothesis}"
    return Facts(words.lower(), {name: text.lower() for name, text in fields.items()}, numbers)


def study_facts(study: StudyView) -> Facts:
    spec = study.spec
    fields = {
        "name": spec.name,
        "division": spec.division_name,
        "corpus": f"{spec.corpus_name} {spec.corpus_digest}",
        "track": spec.track_name,
        "policy": spec.policy,
    }
    numbers: dict[str, float] = {"trials": spec.n_trials, "done": study.n_done, "steps": spec.budget.steps}
    words = f"{' '.join(fields.values())} {' '.join(spec.settings)}"
    return Facts(words.lower(), {name: text.lower() for name, text in fields.items()}, numbers)


def standing_facts(row: Standing) -> Facts:
    numbers: dict[str, float] = {
        "rank": row.rank,
        "val_loss": row.val_loss,
        "seeds": row.n_seeds,
        "bytes": row.weights_bytes,
        "parameters": row.parameters,
        "seconds": row.train_seconds,
    }
    return Facts(
        f"{row.label} {row.study}".lower(),
        {"label": row.label.lower(), "study": row.study.lower(), "state": "complete"},
        numbers,
    )
