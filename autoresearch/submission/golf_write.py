"""A golf submission folder from a study: script, weights, a log a seed, and what reviewers ask for beside them."""

import json
from collections.abc import Callable, Iterator

from autoresearch.replaying import corpus_of
from autoresearch.submission import golf_facts
from autoresearch.submission.golf_card import Comparisons, golf_card
from autoresearch.submission.golf_facts import Entry, Seed, short_of_a_record
from autoresearch.submission.golf_script import RULE, closing, pace_text, step_lines
from autoresearch.submission.packed_script import packed
from autoresearch.submission.recipe import Recorded, script
from bench.catalog import technique_of
from bench.config import RunConfig, fingerprint
from bench.data.tokens import TokenCorpus
from bench.divisions import baseline
from bench.errors import BreachError, StoreError
from bench.records import State
from bench.tracks import Track, track_named
from studies.reading import Reader
from studies.views import RunView, StudyView, TrialView

ENTRY = ("autoresearch.submission.golf_script", "train_gpt")
# How the packages that a script imports are called where they are installed.
PACKAGES = ("torch", "numpy", "zstandard", "brotli")


def golf_contents(
    reader: Reader,
    study: StudyView,
    trial: TrialView,
    data: str | None,
    model: bytes,
    pack: bool,
    say: Callable[[str], None],
) -> dict[str, bytes]:
    """Every file of the folder by name; `pack`: the script packed, and what it holds beside it.

    Raises BreachError for what breaks a rule or the cap.
    """
    track, run = track_named(trial.config.track), trial.run
    assert run is not None, "a scored trial has a run"
    corpus = corpus_of(reader, run, data)
    assert isinstance(corpus, TokenCorpus), "golf's corpora are tokens"
    text = script(Recorded(trial.config, run.seed, run.threads), ENTRY)
    code = packed(text) if pack else text
    check_size(len(code.encode()), len(model), track)
    per_byte = corpus.tokens_per_byte(track.scored_bytes(trial.config.budget))
    seeds = [
        Seed(run=other, tokens_per_byte=per_byte, code_bytes=len(code.encode()), artifact_sha256=_sha256(reader, other))
        for other in runs_of(reader, study, trial, run)
    ]
    paces = {golf_facts.pace_file(seed.run.seed): pace for seed in seeds if (pace := reader.pace(seed.run.id))}
    entry = Entry(
        name=study.spec.division.label(trial.config),
        study=study.name,
        trial=trial.number,
        config=trial.config,
        track=track,
        seeds=seeds,
        shipped=next(seed for seed in seeds if seed.run.id == run.id),
        why_not=short_of_a_record(track, seeds),
        readable=golf_facts.READABLE if pack else golf_facts.SCRIPT,
        paces=tuple(paces),
    )
    for why in entry.why_not:
        say(f"exported as non-record: {why}")
    contents = {
        golf_facts.SCRIPT: code,
        entry.readable: text,
        golf_facts.SUBMISSION: json.dumps(golf_facts.to_json(entry), indent=2, ensure_ascii=False) + "\n",
        golf_facts.REQUIREMENTS: requirements(text, run),
        golf_facts.README: golf_card(entry, comparisons(reader, study, trial)),
        **{name: pace_text(pace) for name, pace in paces.items()},
    }
    for seed in seeds:
        contents[f"train_seed{seed.run.seed}.log"] = "\n".join(_log(reader, seed, entry, code, corpus, track)) + "\n"
    return {name: text.encode() for name, text in contents.items()} | {golf_facts.WEIGHTS: model}


def _sha256(reader: Reader, run: RunView) -> str:
    kept = reader.artifact(run.id)
    return "" if kept is None else kept.sha256


def check_legal(config: RunConfig) -> None:
    """Raises BreachError when a technique says of itself that it breaks a rule of the contest."""
    for slot, picks in config.picks.items():
        for pick in picks:
            if broken := getattr(technique_of(slot, pick), "breaks", None):
                raise BreachError(
                    f"{slot} is {pick.label}, which breaks a rule of golf: {broken}",
                    "it may be studied, and is never exported; leave it out",
                )


def check_size(code_bytes: int, weights_bytes: int, track: Track) -> None:
    """Raises BreachError when script and weights together are over the cap."""
    cap = track.max_artifact_bytes or 0
    if (total := code_bytes + weights_bytes) > cap:
        raise BreachError(
            f"{code_bytes:,} bytes of code and {weights_bytes:,} of weights are {total - cap:,} over {track.name}'s "
            f"{cap:,}",
            "export a trial with a smaller shape or fewer bits",
        )


def scored(trial: TrialView) -> None:
    """Raises StoreError for a trial that failed: golf's folder is of a score."""
    if trial.state is not State.COMPLETE:
        assert trial.run is not None, "a trial that ended has a run"
        why = trial.run.reason.value if trial.run.reason else trial.state.value
        raise StoreError(
            f"trial {trial.number} has no score: it ended {why} at step {trial.run.step}",
            "golf takes no negative results; export a scored trial, or leave --trial out for the best one",
        )


def runs_of(reader: Reader, study: StudyView, trial: TrialView, run: RunView) -> Iterator[RunView]:
    """The scored runs of one config under the conditions of one of them, a seed each, by seed."""
    found = {run.seed: run}
    for other in reader.trials(study.name):
        same = other.fingerprint == trial.fingerprint and other.state is State.COMPLETE
        if same and other.run is not None and other.run.identity == run.identity:
            found.setdefault(other.run.seed, other.run)
    return (found[seed] for seed in sorted(found))


def comparisons(reader: Reader, study: StudyView, trial: TrialView) -> Comparisons:
    """What the ledger has of the parts: each change taken out of the recipe, and each alone on the baseline."""
    run = trial.run
    assert run is not None, "a scored trial has a run"
    base = baseline(trial.config.budget, trial.config.track)
    losses = {
        other.fingerprint: other.val_loss
        for other in reader.trials(study.name)
        if other.run is not None and (other.run.identity, other.run.seed) == (run.identity, run.seed)
    }

    def loss(config: RunConfig) -> float | None:
        return losses.get(fingerprint(config))

    changed = [slot for slot, picks in trial.config.picks.items() if picks != base.picks[slot]]
    return Comparisons(
        own=run.val_loss or 0.0,
        baseline=loss(base),
        without={slot: loss(trial.config.replaced(slot, base.picks[slot])) for slot in changed},
        alone={slot: loss(base.replaced(slot, trial.config.picks[slot])) for slot in changed},
    )


def requirements(code: str, run: RunView) -> str:
    """What the script imports, at the versions that the run had."""
    used = [name for name in PACKAGES if f"import {name}" in code or f"from {name}" in code]
    return "".join(f"{name}=={str(run.versions[name]).partition('+')[0]}\n" for name in used if name in run.versions)


def _log(reader: Reader, seed: Seed, entry: Entry, code: str, corpus: TokenCorpus, track: Track) -> Iterator[str]:
    """The log of a recorded run, in the lines that its script prints; written from the ledger, and it says so."""
    run, budget = seed.run, entry.config.budget
    yield code.rstrip("\n")
    yield RULE
    yield f"from the ledger: run {run.id}, trial {entry.trial} of {entry.study}, on {run.identity.device_class}"
    yield f"Running Python {run.versions.get('python', '')}"
    yield f"Running PyTorch {run.versions.get('torch', '')}"
    yield f"train_loader:dataset:{corpus.name} train_shards:{len(corpus.train.shards)}"
    yield f"val_loader:dataset:{corpus.name} tokens:{min(len(corpus.valid), track.scored_bytes(budget)) - 1}"
    yield f"seed:{run.seed} threads:{run.threads}"
    per_byte = corpus.tokens_per_byte(track.probe_bytes)
    for point in reader.curve(run.id):
        yield from step_lines(point, budget.steps, per_byte, track.probe_bytes)
    yield from closing(seed.result, entry.config, seed.code_bytes, seed.tokens_per_byte)
