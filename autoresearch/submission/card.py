"""README.md: the card a reviewer reads first. Every number on it comes from the facts."""

import re
from collections.abc import Sequence

from autoresearch.submission.facts import CURVE, FACTS, FIGHTER, MIXER, MODEL, PICTURE, SCRIPT, Facts, Score, declared
from bench.config import RunConfig
from bench.data.choose import NAMED
from bench.divisions import baseline, differences
from bench.records import Reason
from bench.tracks import PUBLISHED_SEEDS, track_named

CAUSES = {
    Reason.DIVERGED: "its loss stopped being a number",
    Reason.OUT_OF_MEMORY: "it needed more memory than a run may use",
    Reason.OUT_OF_TIME: "it took longer than a run may",
    Reason.TOO_LARGE: "it broke a cap of the track",
    Reason.TOO_SLOW: "it took more seconds than the track allows",
    Reason.CRASHED: "it raised an error",
    Reason.KILLED: "its process was killed from outside",
}


def card(facts: Facts, config: RunConfig, scripted: bool = True) -> str:
    """The whole page, for a result or a negative result; `scripted` when its run is there as one script."""
    parts = [f"# {_line(facts.name)}: {'a negative result' if facts.failure else 'a submission'}", _lead(facts)]
    if track_named(facts.identity.track).is_exhibition(config.budget):
        steps = " or ".join(str(n) for n in track_named(facts.identity.track).belt_steps)
        parts.append(f"**Exhibition**: the standard budget at {steps} steps carries a belt, this one is only listed.")
    parts += [_recipe(config), _score(facts.score) if facts.score else _ending(facts), _cost(facts, config)]
    parts += [
        _setting(facts),
        _why(facts),
        "## Curve\n\n![Training curve](curve.svg)",
        _repeat(facts, config, scripted),
        _files(facts, config, scripted),
    ]
    return "\n\n".join(parts) + "\n"


def _lead(facts: Facts) -> str:
    origin = facts.origin
    entry = f"Trial {origin.trial} of study `{_line(origin.study)}`: {facts.identity.track}, division {facts.division}."
    if facts.failure:
        ending = f"**{facts.failure.reason}** at step {facts.failure.step:,}"
        return f"{entry}\n\nIt ended without a score: {ending}. A clean failure is a valid entry."
    assert facts.score is not None, "a submission has a score or an ending"
    score = facts.score
    if score.baseline_trial is None:
        beside = "; the study has no scored baseline to compare with"
    elif score.baseline_trial == facts.origin.trial:
        beside = "; it is the study's baseline"
    else:
        beside = f", {score.delta:+.4f} to the study's baseline"
    return (
        f"{entry}\n\n**val_loss {score.val_loss:.4f} nats/byte** ({score.val_bpb:.4f} bits/byte){beside}. "
        f"Lower is better.\n\n"
        f"**Unconfirmed**: n = {facts.n_seeds} seed. One run says what was seen, not that it will be seen again."
    )


def _recipe(config: RunConfig) -> str:
    rows = [(slot, f"`{_line(text)}`") for slot, text in differences(config)]
    if not rows:
        return "## Recipe\n\nThe baseline itself: nothing is changed."
    told = f"What differs from the baseline, knobs to four digits; [{FIGHTER}]({FIGHTER}) has all of it, exactly."
    return f"## Recipe\n\n{told}\n\n{_table(('slot', 'pick'), rows)}"


def _score(score: Score) -> str:
    rows = [
        ("val_loss", f"{score.val_loss:.6f} nats/byte"),
        ("val_bpb", f"{score.val_bpb:.6f} bits/byte"),
        ("quant_gap, what packing cost", f"{score.quant_gap:+.6f} nats/byte"),
        ("weights_bytes, the packed file", f"{score.weights_bytes:,} bytes"),
        ("artifact SHA-256", f"`{score.artifact_sha256}`"),
    ]
    if score.baseline_val_loss is not None:
        rows.insert(2, (f"baseline, trial {score.baseline_trial}", f"{score.baseline_val_loss:.6f} nats/byte"))
        rows.insert(3, ("delta, this minus baseline", f"{score.delta:+.6f} nats/byte"))
    told = f"Scored on the model unpacked from [{MODEL}]({MODEL}), summed in float64 over the track's evaluation bytes."
    return f"## Score\n\n{told}\n\n{_table(('measure', 'value'), rows)}"


def _ending(facts: Facts) -> str:
    assert facts.failure is not None, "a submission has a score or an ending"
    failure = facts.failure
    text = f"## How it ended\n\n**{failure.reason}**: {CAUSES[Reason(failure.reason)]}, "
    text += f"after step {failure.step:,} of {facts.identity.steps:,}. The message:\n\n{_fenced(failure.message)}"
    if failure.log_tail.strip():
        text += f"\n\nThe end of its log:\n\n{_fenced(failure.log_tail)}"
    return text


def _cost(facts: Facts, config: RunConfig) -> str:
    spent, track = facts.spent, track_named(facts.identity.track)
    base_parameters, base_flops, _ = declared(baseline(config.budget), config.budget.steps)
    _, flops, _ = declared(config, config.budget.steps)
    most = "none" if track.max_parameters is None else f"{track.max_parameters:,}"
    ratio = "none" if track.flops_ratio is None else f"{track.flops_ratio:g}"
    rows = [
        ("parameters", f"{spent.parameters:,}; the baseline has {base_parameters:,}, the cap is {most}"),
        ("steps done", f"{spent.steps:,}"),
        ("training FLOPs, as declared", f"{spent.train_flops:,}"),
        ("of a whole run, times the baseline's", f"{flops / base_flops:.3f}; the cap is {ratio}"),
        ("training tokens", f"{spent.train_tokens:,}"),
        ("train_seconds, probes excluded", f"{spent.train_seconds:.1f} s"),
    ]
    if spent.probe_seconds is not None and spent.eval_seconds is not None:
        rows.append(("probes; packing and evaluation", f"{spent.probe_seconds:.1f} s; {spent.eval_seconds:.1f} s"))
    if spent.peak_bytes is not None:
        rows.append(("peak memory", f"{spent.peak_bytes / 1e6:,.0f} MB"))
    return f"## Cost\n\n{_table(('what', 'value'), rows)}"


def _setting(facts: Facts) -> str:
    identity = facts.identity
    kind = "a published seed" if facts.seed in PUBLISHED_SEEDS else "a search seed"
    rows = [
        ("track", f"{identity.track} v{identity.track_version}"),
        ("corpus", f"{_line(facts.corpus_name)}, digest `{identity.corpus_digest}`"),
        ("budget", f"{identity.steps:,} steps, batch {identity.batch}, seq_len {identity.seq_len}"),
        ("evaluator version", str(identity.evaluator_version)),
        ("numerics version", str(identity.numerics_version)),
        ("seeds", f"{facts.seed} ({kind})"),
        (
            "device class",
            f"{_line(facts.machine.device_class)}, {facts.machine.threads} thread{'s' * (facts.machine.threads != 1)}",
        ),
        ("versions", ", ".join(f"{_line(name)} {_line(version)}" for name, version in facts.machine.versions.items())),
        ("config fingerprint", f"`{facts.fingerprint}`"),
    ]
    told = (
        "A score is compared only with scores of the same track, corpus, budget, evaluator, numerics and device class."
    )
    return f"## Identity\n\n{told}\n\n{_table(('what', 'value'), rows)}"


def _why(facts: Facts) -> str:
    origin = facts.origin
    rows = [("proposed by", _line(origin.proposer)), ("rule", _line(origin.rule)), ("reason", _line(origin.reason))]
    if origin.hypothesis:
        rows.append(("hypothesis", _line(origin.hypothesis)))
    if origin.expected is not None:
        rows.append(("expected", f"{origin.expected:+.4f} nats/byte"))
    if origin.note:
        rows.append(("noted", _line(origin.note)))
    return f"## Why it was proposed\n\n{_table(('what', 'value'), rows)}"


def _repeat(facts: Facts, config: RunConfig, scripted: bool) -> str:
    """Commands that work: the check, the run from the ledger, the run from this folder alone, the study."""
    # a path of somebody's machine is of no use to anyone else, and nobody's business
    data = facts.corpus_name if facts.corpus_name in NAMED else "PATH"
    where = "" if data in NAMED else f" (PATH is the text `{_line(facts.corpus_name)}`, with the digest above)"
    study = f"autoresearch --division {facts.division} --trials {facts.origin.trial + 1} --steps {facts.identity.steps}"
    study += f" --seed {facts.seed} --policy {facts.origin.policy} --data {data} --jobs 1"
    study += f" --from {_shell(facts.origin.start_file)}" if facts.origin.start_file else ""
    study += "".join(f" --set {_shell(setting)}" for setting in facts.origin.settings)
    checked = "Check this folder" if facts.failure else "Check this folder, and score the artifact again"
    check = f"{checked}{where}:\n\n```\nautoresearch verify . --data {data}{' --run-code' * config.brings_code}\n```"
    if config.brings_code:
        check += f"\n\nIts mixer is code, [{MIXER}]({MIXER}): read it first, for what follows runs it as you."
    folder = f" (FOLDER has the {data} corpus as `autoresearch data` keeps it: train.bin, valid.bin)" * (data in NAMED)
    alone = f"""Train it again, with [{SCRIPT}]({SCRIPT}) and the corpus alone; the same device class, threads and
versions give the same bits. It writes `logs/seed{facts.seed}.arena` and `.csv`{folder}:

```
DATA_PATH={"FOLDER" if folder else data} python {SCRIPT}
```

"""
    alone = alone if scripted else ""
    return f"""## How to reproduce

{check}

{alone}Where the study's ledger is: `autoresearch replay {facts.origin.run}`. The study that proposed it, up to this
trial (the proposals after the openings depend on the order in which runs end, so they repeat exactly only with one job
at a time):

```
{study}
```"""


def _files(facts: Facts, config: RunConfig, scripted: bool) -> str:
    rows = [
        (FIGHTER, "the config, every knob, and the seed"),
        (SCRIPT, "the whole run as one script, made from the same modules; it needs none of them"),
        (MIXER, "the mixer it brings"),
        (MODEL, "the packed model that was scored"),
        (CURVE, "step, seconds, train_loss, probe_loss"),
        (PICTURE, "the same as a picture"),
        (FACTS, "everything on this page as data, with size and SHA-256 of each file"),
    ]
    absent = {MIXER} if not config.brings_code else set()
    absent |= {SCRIPT} if not scripted else set()
    absent |= {MODEL} if not facts.score else set()
    shown = [(f"[{name}]({name})", what) for name, what in rows if name not in absent]
    return f"## Files\n\n{_table(('file', 'what'), shown)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(text: str) -> str:
    """Any text as one line that breaks no table and no code span."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("`", "'").strip()


def _fenced(text: str) -> str:
    """A block that the text itself can't close."""
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.strip()}\n{fence}"


def _shell(text: str) -> str:
    """A setting for the command line; what needs no quotes gets none."""
    return text if re.fullmatch(r"[\w.,=+-]+", text) else "'" + text.replace("'", "'\\''") + "'"
