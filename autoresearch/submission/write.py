"""A submission folder from a trial: the fighter, its packed model, its card, its curve and every fact as data."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from autoresearch.listing import best_of
from autoresearch.submission import curve, facts, fighter, picture
from autoresearch.submission.card import card
from autoresearch.submission.facts import Ending, Facts, FileFact, Machine, Origin, Score, Spent, declared
from autoresearch.submission.fighter import Fighter
from autoresearch.submission.golf_write import check_legal, golf_contents, scored
from autoresearch.submission.packed_model import packed_model
from autoresearch.submission.recipe import Recorded, script
from autoresearch.submission.sources import BundleError
from bench.config import RunConfig
from bench.divisions import recipe
from bench.errors import ConfigError, StoreError
from bench.records import Point, State
from studies.reading import Reader
from studies.views import ArtifactView, RunView, StudyView, TrialView

ENTRY = ("autoresearch.submission.featherweight_script", "train_fighter")


def write_submission(
    store: Path,
    study: str,
    trial: int | None,
    to: Path,
    data: str | None,
    say: Callable[[str], None],
    *,
    pack: bool = False,
) -> Path:
    """Write the best trial of a study, or the named one, as a folder: all of it or nothing. Returns the folder.

    A packed model that was not kept is made again from the corpus and must come out the same. `pack` packs golf's
    script.
    """
    if os.path.lexists(to):
        raise ConfigError(
            f"{to} exists, and an export overwrites nothing", "name a folder that does not exist yet with --to"
        )
    reader = Reader(store)
    try:
        view = reader.study(study)
        golf = view.spec.track.tokenizer is not None
        if pack and not golf:
            raise ConfigError(
                f"{study} is of {view.spec.track.name}, where no code is counted, so none is packed",
                "leave --packed out",
            )
        chosen = _best(reader, view) if trial is None else _numbered(reader, view, trial)
        run = _exportable(chosen)
        say(f"trial {chosen.number} of {study}: {_outcome(run)}")
        points = reader.curve(run.id)
        if golf:
            scored(chosen)
            check_legal(chosen.config)
        stated = _facts(reader, view, chosen, run)
        with _part_of(to) as part:
            model = packed_model(reader, stated, chosen, data, say) if stated.score else None
            if golf:
                assert model is not None, "a scored trial has a model"
                contents = golf_contents(reader, view, chosen, data, model, pack, say)
            else:
                contents = _contents(stated, chosen.config, points, model, _script(stated, chosen.config, say))
            with _reporting(to):
                _fill(part, contents)
                _land(part, to)
    finally:
        reader.close()
    return to


def _best(reader: Reader, study: StudyView) -> TrialView:
    best = best_of(reader, study)
    if best is not None:
        return best
    failed = [str(t.number) for t in reader.trials(study.name) if t.state is State.FAILED]
    raise StoreError(
        f"no trial of {study.name} has a score yet",
        f"to export a negative result, name a failed one: --trial {', '.join(failed)}"
        if failed
        else f"go on with `autoresearch resume {study.spec.word}`; a failed trial can be exported with --trial N",
    )


def _numbered(reader: Reader, study: StudyView, number: int) -> TrialView:
    trials = {t.number: t for t in reader.trials(study.name)}
    if number in trials:
        return trials[number]
    raise StoreError(
        f"study {study.name} has no trial {number}",
        f"its trials go from {min(trials)} to {max(trials)}" if trials else "it has no trial yet",
    )


def _exportable(trial: TrialView) -> RunView:
    """The run of a trial that ended, one way or the other; StoreError for one with nothing to show."""
    if trial.is_short:
        raise StoreError(
            f"trial {trial.number} is a short run of {trial.config.budget.steps} steps, a rung and no entry",
            "export the whole run of a config; leave --trial out for the best one",
        )
    if trial.run is not None and trial.state in (State.COMPLETE, State.FAILED):
        return trial.run
    if trial.state is State.REFUSED:
        raise StoreError(
            f"trial {trial.number} was refused and never ran: {trial.message}",
            "export a trial that ran; leave --trial out for the best one",
        )
    if trial.state is State.PRUNED:
        raise StoreError(
            f"trial {trial.number} was pruned: it was stopped before it had a score",
            "export a trial that ran to its end; leave --trial out for the best one",
        )
    raise StoreError(
        f"trial {trial.number} is {trial.state.value}: it has neither a score nor an ending",
        f"wait for it, or go on with `autoresearch resume {trial.study}`; leave --trial out for the best one",
    )


def _outcome(run: RunView) -> str:
    if run.val_loss is None:
        return f"{run.reason} at step {run.step}, a negative result"
    return f"val_loss {run.val_loss:.4f}"


def _baseline(reader: Reader, study: StudyView, run: RunView) -> TrialView | None:
    """The study's scored baseline, if it may be compared with the run."""
    trials = (t for t in reader.trials(study.name) if t.proposer == "baseline" and t.val_loss is not None)
    return next((t for t in trials if t.run and t.run.identity == run.identity and t.run.seed == run.seed), None)


def _facts(reader: Reader, study: StudyView, trial: TrialView, run: RunView) -> Facts:
    config, spec = trial.config, study.spec
    kept = reader.artifact(run.id) if run.state is State.COMPLETE else None
    baseline = _baseline(reader, study, run)
    return Facts(
        format=facts.FORMAT,
        name=spec.division.label(config),
        division=spec.division_name,
        recipe=recipe(config),
        fingerprint=trial.fingerprint,
        seed=run.seed,
        n_seeds=1,
        exhibition=spec.track.is_exhibition(config.budget),
        identity=run.identity,
        corpus_name=run.corpus_name,
        machine=Machine(
            device_class=run.identity.device_class,
            threads=run.threads,
            versions={name: str(version) for name, version in run.versions.items()},
        ),
        origin=Origin(
            study=spec.name,
            trial=trial.number,
            run=run.id,
            policy=spec.policy,
            settings=spec.settings,
            proposer=trial.proposer,
            rule=trial.rule,
            reason=trial.reason,
            hypothesis=trial.hypothesis,
            expected=trial.expected,
            note=trial.message,
            start_file=spec.start_file,
        ),
        spent=_spent(config, run),
        score=_score(run, kept, baseline) if kept else None,
        failure=None if kept else _ending(run),
        files={},
    )


def _spent(config: RunConfig, run: RunView) -> Spent:
    parameters, train_flops, train_tokens = declared(config, run.step)
    return Spent(
        steps=run.step,
        parameters=run.parameters or parameters,
        train_flops=run.train_flops or train_flops,
        train_tokens=run.train_tokens or train_tokens,
        train_seconds=run.train_seconds or 0.0,
        probe_seconds=run.probe_seconds,
        eval_seconds=run.eval_seconds,
        peak_bytes=run.peak_bytes,
    )


def _score(run: RunView, kept: ArtifactView, baseline: TrialView | None) -> Score:
    assert run.val_loss is not None, "a complete run has a score"
    assert run.quant_gap is not None, "and its gap"
    base = baseline.val_loss if baseline else None
    return Score(
        val_loss=run.val_loss,
        val_bpb=facts.bits(run.val_loss),
        quant_gap=run.quant_gap,
        weights_bytes=kept.weights_bytes,
        artifact_sha256=kept.sha256,
        baseline_trial=baseline.number if baseline else None,
        baseline_val_loss=base,
        delta=None if base is None else run.val_loss - base,
    )


def _ending(run: RunView) -> Ending:
    assert run.reason is not None, "a failed run says why"
    return Ending(
        reason=run.reason.value,
        step=run.step,
        message=_without_places(run.message),
        log_tail=_without_places(run.log_tail),
    )


def _without_places(text: str) -> str:
    """A log as others may read it: where our home and our libraries lie is nobody's business."""
    text = re.sub(r'File "[^"\n]*/(?=(?:site-packages|autoresearch|bench)/)', 'File "', text)
    return text.replace(str(Path.home()), "~")


@contextmanager
def _part_of(to: Path) -> Iterator[Path]:
    """A folder beside the target to write into; begun before the work, so that a place that can't be written shows."""
    with _reporting(to):
        to.absolute().parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{to.name}-", suffix=".part", dir=to.absolute().parent))
    try:
        yield part
    finally:
        # after the landing there is nothing of that name
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _reporting(to: Path) -> Iterator[None]:
    try:
        yield
    except OSError as wrong:
        raise ConfigError(
            f"can't write {to}: {wrong.strerror or wrong}", "free some space there, or name another folder with --to"
        ) from wrong


def _land(part: Path, to: Path) -> None:
    """The whole folder takes its name in one step; a target that came to be meanwhile is left as it is."""
    part.chmod(0o755)
    _settle(part)
    os.rename(part, to)
    _settle(to.absolute().parent)


def _settle(folder: Path) -> None:
    """Names of files reach the disk with their folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _script(stated: Facts, config: RunConfig, say: Callable[[str], None]) -> str | None:
    """The run as one file; None where a mixer of the user's own is more than definitions."""
    digest = stated.identity.corpus_digest
    try:
        return script(Recorded(config, stated.seed, stated.machine.threads, (digest,)), ENTRY)
    except BundleError as wrong:
        if not config.brings_code:
            raise
        say(f"exported without {facts.SCRIPT}: the mixer can't be part of one file: {wrong}")
        return None


def _contents(
    stated: Facts, config: RunConfig, points: list[Point], model: bytes | None, code: str | None
) -> dict[str, bytes]:
    """Every file of a Featherweight submission; the facts come last, for they hold the checksums of the others."""
    entered = Fighter(name=stated.name, division=stated.division, seed=stated.seed, config=config)
    contents = {
        facts.FIGHTER: fighter.to_toml(entered).encode(),
        facts.CARD: card(stated, config, code is not None).encode(),
        facts.CURVE: curve.to_csv(points).encode(),
        facts.PICTURE: picture.to_svg(points, _title(stated)).encode(),
    }
    if model is not None:
        contents[facts.MODEL] = model
    if code is not None:
        contents[facts.SCRIPT] = code.encode()
    if (mixer := fighter.mixer_text(config)) is not None:
        contents[facts.MIXER] = mixer.encode()
    sums = {name: FileFact(bytes=len(raw), sha256=hashlib.sha256(raw).hexdigest()) for name, raw in contents.items()}
    contents[facts.FACTS] = facts.to_json(replace(stated, files=sums)).encode()
    return contents


def _fill(folder: Path, contents: Mapping[str, bytes]) -> None:
    for name, raw in contents.items():
        with (folder / name).open("xb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())


def _title(stated: Facts) -> str:
    end = f"val_loss {stated.score.val_loss:.4f}" if stated.score else f"{stated.failure and stated.failure.reason}"
    return f"{stated.name} - {stated.origin.study}, trial {stated.origin.trial}: {end}"
