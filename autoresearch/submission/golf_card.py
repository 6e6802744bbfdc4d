"""README.md of a golf submission, as reviewers know it: results, changes with their deltas, tables, rules, command."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autoresearch.noise import Sample
from autoresearch.submission.golf_facts import (
    README,
    SCRIPT,
    SUBMISSION,
    WEIGHTS,
    Entry,
    Seed,
    compliance,
    pace_file,
)
from autoresearch.submission.golf_script import data_path, tokenizer_path
from autoresearch.verdicts import against_bound, decide
from bench.catalog import technique_of
from bench.divisions import differences


@dataclass(frozen=True, kw_only=True)
class Comparisons:
    """val_loss, nats per byte, of the recipe's seed and of its neighbours in the ledger; None where none was run."""

    own: float
    baseline: float | None
    without: Mapping[str, float | None]  # by slot: the recipe with the baseline's pick there
    alone: Mapping[str, float | None]  # by slot: the baseline with the recipe's pick there


def golf_card(entry: Entry, measured: Comparisons) -> str:
    """The whole page."""
    kind = "non-record submission" if entry.why_not else "record submission"
    parts = [
        f"# {_line(entry.name)}: val_bpb {entry.val_bpb:.4f} ({kind})",
        _why_not(entry),
        _results(entry),
        _against(entry, measured),
        _changes(entry, measured),
        _tables(entry),
        _compliance(entry),
        _repeat(entry),
        _lineage(entry),
        _files(entry),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _why_not(entry: Entry) -> str:
    if not entry.why_not:
        return ""
    reasons = "\n".join(f"- {why}" for why in entry.why_not)
    return f"**Non-record.** It claims no place on the leaderboard:\n\n{reasons}"


def _results(entry: Entry) -> str:
    rows = [_seed_row(seed) for seed in entry.seeds]
    spread = f", sd {entry.std:.5f}" if entry.std is not None else ""
    head = (
        "seed",
        "steps",
        "ms/step",
        "pre-quantization",
        "val_bpb",
        "val_loss (nats/token)",
        "artifact bytes",
        "eval s",
    )
    return (
        f"## Results\n\n{_table(head, rows)}\n\nMean val_bpb **{entry.val_bpb:.8f}**{spread}, n = {len(entry.seeds)}. "
        f"Scored on the model unpacked from its packed bytes. Pre-quantization is the score less the gap on the first "
        f"{entry.track.rung_eval_bytes - 1:,} validation tokens."
    )


def _seed_row(seed: Seed) -> tuple[str, ...]:
    stated = seed.to_json()
    return (
        str(seed.run.seed),
        f"{stated['steps']:,}",
        f"{stated['step_avg_ms']:.2f}",
        f"{seed.pre_quant_bpb:.5f}",
        f"{seed.val_bpb:.8f}",
        f"{seed.val_loss:.8f}",
        f"{seed.artifact_bytes:,}",
        f"{stated['eval_time_s']:.1f}",
    )


def _against(entry: Entry, measured: Comparisons) -> str:
    """The gain over the study's baseline, in both units and by both of the contest's rules."""
    if measured.baseline is None:
        return "## Against the baseline\n\nThe study holds no scored baseline under the same conditions."
    delta = measured.own - measured.baseline
    per_token = delta / entry.shipped.tokens_per_byte
    lines = [
        f"The study's baseline, same seed and conditions, has val_bpb {measured.baseline / math.log(2):.5f}: this is "
        f"{delta / math.log(2):+.5f} bits per byte, {per_token:+.5f} nats per token."
    ]
    own = Sample({seed.run.seed: seed.run.val_loss or 0.0 for seed in entry.seeds})
    for rule in entry.track.rules:
        judged = decide(against_bound(own, measured.baseline), rule)
        lines.append(
            f"- {rule.name} (p < {rule.alpha:g}, margin {rule.margin:.5f} nats/byte): "
            f"{judged.verdict.value}, {judged.why}"
        )
    return "## Against the baseline\n\n" + "\n".join([lines[0], "", *lines[1:]])


def _changes(entry: Entry, measured: Comparisons) -> str:
    rows = []
    for number, (slot, text) in enumerate(differences(entry.config), start=1):
        dropped, alone = measured.without.get(slot), measured.alone.get(slot)
        base = measured.baseline
        rows.append(
            (
                str(number),
                slot,
                f"`{_line(text)}`",
                "not measured" if dropped is None else f"{(measured.own - dropped) / math.log(2):+.5f}",
                "not measured" if alone is None or base is None else f"{(alone - base) / math.log(2):+.5f}",
            )
        )
    if not rows:
        return "## Changes\n\nNone: this is the baseline itself."
    head = ("#", "slot", "change", "delta val_bpb in this recipe", "delta val_bpb alone on the baseline")
    told = "Against the naive baseline; one seed, by the ledger's own runs: with the slot as it is here, less without."
    return f"## Changes\n\n{told}\n\n{_table(head, rows)}"


def _tables(entry: Entry) -> str:
    """Architecture, training, quantization: every slot with its knobs."""
    groups = {
        "Architecture": (
            "shape",
            "features",
            "mixer",
            "mixer_modifiers",
            "ffn",
            "residual",
            "block_modifiers",
            "head",
            "logits",
        ),
        "Training": ("init", "optimizer", "optimizer_modifiers", "schedule", "averaging", "addons"),
        "Quantization and evaluation": ("precision", "precision_modifiers", "codec", "evaluator"),
    }
    texts = []
    for title, slots in groups.items():
        rows = [
            (slot, pick.label, ", ".join(f"{name} {value}" for name, value in pick.shown.items()) or "-")
            for slot in slots
            for pick in entry.config.picks[slot]
        ]
        if title == "Training":
            budget = entry.config.budget
            rows.append(
                (
                    "budget",
                    f"{budget.steps:,} steps at most",
                    f"batch {budget.batch} x {budget.seq_len} tokens, {budget.seconds or 'no'} s",
                )
            )
        texts.append(f"## {title}\n\n{_table(('slot', 'technique', 'knobs'), rows)}")
    return "\n\n".join(texts)


def _compliance(entry: Entry) -> str:
    told = {True: "yes", False: "no"}
    rows = [(name, told[value]) for name, value in compliance(entry).items()]
    causal = (
        "No technique of this recipe is known to break one of C1 to C4; one that does is not exported. The "
        "script reads validation shards for probes and for the score, never for training."
    )
    return f"## Compliance\n\n{causal}\n\n{_table(('item', 'kept'), rows)}"


def _repeat(entry: Entry) -> str:
    run, track = entry.shipped.run, entry.track
    paced = f"PACE_PATH={pace_file(run.seed)} " if pace_file(run.seed) in entry.paces else ""
    told = (
        "\n\nThe clock ended this run. With PACE_PATH the script takes the recorded steps, each at its recorded "
        "learning rate;\nwithout it, it trains against the clock of MAX_WALLCLOCK_SECONDS."
        if paced
        else ""
    )
    sizes = ", ".join(str(n) for n in range(1, track.spans + 1) if track.spans % n == 0)
    return f"""## How to run it

From inside this folder, with the shards and their vocabulary; the same device class, ranks, threads and versions give
the same weights, byte for byte ({_line(run.identity.device_class)}, {run.threads} threads):

```
pip install -r requirements.txt
{paced}DATA_PATH={data_path(track)} TOKENIZER_PATH={tokenizer_path(track)} SEED={run.seed} \\
torchrun --standalone --nproc_per_node={max(1, track.devices)} {SCRIPT}
```

It trains on {sizes} rank{"s" * (track.spans > 1)}, each step on the same tokens.{told}

ITERATIONS, MAX_WALLCLOCK_SECONDS (0 for none), TRAIN_BATCH_TOKENS, TRAIN_SEQ_LEN and RUN_ID work as in the contest's
own script. It writes `logs/RUN_ID.txt` and `logs/RUN_ID.arena`. Check this folder with `autoresearch verify .`"""


def _lineage(entry: Entry) -> str:
    names = [
        f"- {slot}: {pick.label}, after {technique_of(slot, pick).source}"
        for slot, picks in entry.config.picks.items()
        for pick in picks
    ]
    return (
        f"## Lineage\n\nBase: the contest's naive baseline. Trial {entry.trial} of study `{_line(entry.study)}`.\n\n"
        + "\n".join(names)
    )


def _files(entry: Entry) -> str:
    rows = [
        (README, "this page"),
        (SUBMISSION, "the same as data"),
        (SCRIPT, f"training, packing and scoring in one file: {entry.shipped.code_bytes:,} bytes"),
        *(
            [(entry.readable, f"what {SCRIPT} unpacks and runs, letter for letter; it runs alike")]
            if entry.readable != SCRIPT
            else []
        ),
        (WEIGHTS, f"the packed model of seed {entry.shipped.run.seed}"),
        ("requirements.txt", "what the script imports"),
        *(
            (f"train_seed{seed.run.seed}.log", "written from the ledger in the script's own lines")
            for seed in entry.seeds
        ),
        *((name, "learning rate factor and expected steps of each step that the clock left") for name in entry.paces),
    ]
    return f"## Files\n\n{_table(('file', 'what'), rows)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("`", "'").split())
