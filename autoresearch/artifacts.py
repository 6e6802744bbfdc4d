"""The table of golf's artifacts, as Markdown on stdout: `python -m autoresearch.artifacts --data DIR`.

One model is trained; the same weights are packed by every number format and codec below, read back and scored.
"""

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

import typer
from rich.console import Console

from autoresearch.worker import device_class
from bench.artifact import pack, unpack
from bench.catalog import full_pick, realise
from bench.config import Budget, RunConfig
from bench.data.choose import corpus_for
from bench.data.corpus import Corpus
from bench.data.tokens import TokenCorpus
from bench.divisions import GOLF_CPU_BASE
from bench.knobs import Value, short
from bench.run import nats_per_byte, trained
from bench.skeleton import Model
from bench.tracks import FIRST_SEARCH_SEED, GOLF_CPU, NUMERICS_VERSION

Knobs = Mapping[str, Value]


@dataclass(frozen=True)
class Way:
    """A number format with its modifiers; knobs that are not given are at their defaults."""

    precision: str
    knobs: Knobs = field(default_factory=dict)
    modifiers: Mapping[str, Knobs] = field(default_factory=dict)

    @property
    def label(self) -> str:
        chosen = {self.precision: self.knobs, **self.modifiers}
        return " + ".join(f"{name}({short(knobs)})" if knobs else name for name, knobs in chosen.items())

    def config(self, base: RunConfig) -> RunConfig:
        modifiers = [full_pick("precision_modifiers", name, dict(knobs)) for name, knobs in self.modifiers.items()]
        packed = base.replaced("precision", [full_pick("precision", self.precision, dict(self.knobs))])
        return packed.replaced("precision_modifiers", modifiers)


OFFICIAL = Way("int8_clipped")
GPTQ: Mapping[str, Knobs] = {"gptq": {}}
WAYS = (
    OFFICIAL,
    Way("int8_clipped", modifiers={"half_embedding": {}}),
    Way("int_rows", {"bits": 8}),
    Way("int_rows", {"bits": 7}),
    Way("int_rows", {"bits": 6}),
    Way("int_rows", {"bits": 6, "embedding_bits": 6}),
    Way("int6_post"),
    Way("int_rows", {"bits": 6}, {"ffn_bits": {"bits": 5}}),
    Way("int_rows", {"bits": 6}, {"late_k": {"layers": 1}}),
    Way("int_rows", {"bits": 4}),
    Way("clip_search", {"bits": 4}),
    Way("int_rows", {"bits": 4}, {"lqer": {}}),
    Way("int_rows", {"bits": 4}, {"lqer_asymmetric": {}}),
    Way("int_rows", {"bits": 4}, GPTQ),
    Way("clip_search", {"bits": 4}, {**GPTQ, "lqer": {}}),
    Way("sdclip"),
    Way("sdclip", modifiers=GPTQ),
    Way("sdclip", {"k": 20.0, "embedding_bits": 7, "embedding_k": 15.0}),
    Way("sdclip", {"k": 20.0, "embedding_bits": 7, "embedding_k": 15.0}, GPTQ),
)
CODECS: Mapping[str, Knobs] = {
    "zlib": {"level": 9},
    "zstd": {"level": 22},
    "lzma": {"level": 9},
    "shuffled_zstd": {"level": 22, "width": 2},
    "shuffled_lzma": {"level": 9, "width": 2},
    "shuffled_brotli": {"level": 11, "width": 2},
}
# Two blocks at the official width, where every matrix is large enough for the official rule to round it.
BASE = replace(
    GOLF_CPU_BASE.replaced("shape", [full_pick("shape", "sized", {"n_layer": 2, "n_head": 8, "head_width": 64})]),
    budget=Budget(steps=100, batch=16, seq_len=128),
)
SCORED = GOLF_CPU.rung_eval_bytes
HEAD = " | ".join(("number format", "gap, mBPB", *(f"{codec}, bytes" for codec in CODECS)))


def artifacts(
    data: Annotated[str, typer.Option(help="a folder that `data build` made")],
) -> None:
    """Train once, then pack and score in every way."""
    progress = Console(stderr=True)
    corpus = corpus_for(GOLF_CPU, data)
    # whichever modifier looks at inputs, its moments are taken where it does: at the end of training
    config = Way("sdclip", modifiers=GPTQ).config(BASE)
    model, training = trained(
        config, FIRST_SEARCH_SEED, corpus, GOLF_CPU, lambda point: progress.print(f"step {point.step}", highlight=False)
    )
    whole = bits_per_byte(model, config, corpus)
    typer.echo(
        f"{corpus.name} {corpus.digest[:8]}, {training.steps} steps, {whole:.4f} bits per byte before packing "
        f"on {SCORED - 1:,} tokens; device class {device_class()}, numerics version {NUMERICS_VERSION}\n"
    )
    typer.echo(f"| {HEAD} |\n|{'---|' * (2 + len(CODECS))}")
    for row in rows(model, corpus, whole):
        typer.echo(row)


def rows(model: Model, corpus: Corpus | TokenCorpus, whole: float) -> Iterator[str]:
    """A line for each way: what it cost in bits per byte, against the weights as they were, and its files' sizes."""
    for way in WAYS:
        config = way.config(BASE)
        packed = {
            codec: pack(model, config.replaced("codec", [full_pick("codec", codec, dict(knobs))]))
            for codec, knobs in CODECS.items()
        }
        shipped = unpack(packed["zlib"], config)
        gap = bits_per_byte(shipped, config, corpus) - whole
        sizes = " | ".join(f"{len(file):,}" for file in packed.values())
        yield f"| {way.label} | {1000 * gap:+.2f} | {sizes} |"


def bits_per_byte(model: Model, config: RunConfig, corpus: Corpus | TokenCorpus) -> float:
    return nats_per_byte(model, realise(config), corpus, SCORED, config.budget.seq_len) / math.log(2)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    typer.run(artifacts)
