"""Weights of a golf folder: unpacked with every claim checked first, and scored again where the shards are."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from autoresearch.submission.checks import OpenQuestion
from autoresearch.submission.folder import Broken
from autoresearch.submission.golf_logs import Log
from bench.artifact import MAX_RAW_BYTES, config_of, unpack
from bench.catalog import CATALOG, full_pick, realise, refusals
from bench.config import RunConfig
from bench.data.choose import corpus_for
from bench.data.tokens import TokenCorpus
from bench.divisions import baseline
from bench.errors import ArtifactError, DataError
from bench.estimate import estimate
from bench.layers import Params
from bench.tracks import GOLF_CPU, Track, track_named

# Where the codec's name stands in a packed model, in the clear.
CODEC = slice(50, 66)
MOST_SEQ_LEN = 65_536
# Of bits per byte: logs have eight digits, and another processor orders its sums differently.
TOLERANCE = 1e-5


def score_again(packed: bytes, data: str, logs: Sequence[Log]) -> str:
    """Evidence that the weights give a logged score; Broken, ArtifactError or OpenQuestion otherwise."""
    config = header_config(packed)
    track = track_named(config.track)
    sha256 = hashlib.sha256(packed).hexdigest()
    named = [log for log in logs if log.sha256]
    mine = [log for log in named if log.sha256 == sha256]
    if named and not mine:
        raise Broken(f"its SHA-256 {sha256[:12]} is that of no log: {', '.join(log.sha256[:12] for log in named)}")
    model = unpack(packed, config)
    if broken := [p.name for p in Params(model).all if not torch.isfinite(p.tensor).all()]:
        raise Broken(f"{broken[0]} holds what is no finite number")
    held = f"unpacks to {Params(model).count:,} parameters"
    corpus = _corpus(data, track)
    n_tokens = track.scored_bytes(config.budget)
    nats = realise(config).evaluator.nats(model, corpus.valid[:n_tokens], config.budget.seq_len)
    nats *= corpus.tokens_per_byte(n_tokens)
    found = nats / math.log(2)
    for log in mine or logs:
        if abs(found - (log.val_bpb or 0.0)) <= TOLERANCE:
            return f"{held}, scored again {found:.8f} as {log.name} has it, on {corpus.name} {corpus.digest[:8]}"
    raise Broken(f"scored again {found:.8f}, logged {', '.join(str(log.val_bpb) for log in mine or logs)}")


def header_config(packed: bytes) -> RunConfig:
    """The config inside, once nothing that it asks for would hurt: no stranger's code, no model beyond our limits."""
    name = packed[CODEC].rstrip(b"\x00").decode("ascii", "replace")
    if name not in {codec.name for codec in CATALOG["codec"]}:
        raise ArtifactError(f"it names the codec {name[:16]!r}, which we do not have", "it is damaged or not ours")
    reading = baseline(GOLF_CPU.budget, GOLF_CPU.name).replaced("codec", [full_pick("codec", name, {})])
    config = config_of(packed, reading)
    if config.brings_code:
        raise OpenQuestion("its header brings code, which is not run")
    if track_named(config.track).tokenizer is None:
        raise Broken(f"its header says {config.track}, which is not golf")
    realise(config)
    if refused := refusals(config):
        raise Broken("; ".join(refused))
    # a header may name any number of steps, and an estimate counts them one by one
    asked = replace(config, budget=replace(config.budget, steps=1))
    if config.budget.seq_len > MOST_SEQ_LEN or estimate(asked).parameters > MAX_RAW_BYTES:
        raise Broken(f"its header asks for {config.budget.seq_len:,} tokens of context, or for too many parameters")
    return config


def _corpus(data: str, track: Track) -> TokenCorpus:
    try:
        corpus = corpus_for(track, data)
    except DataError as wrong:
        raise OpenQuestion(f"the weights are sound, and not scored again: {wrong.problem}") from wrong
    assert isinstance(corpus, TokenCorpus), "golf's corpora are tokens"
    return corpus
