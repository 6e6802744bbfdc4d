"""The audit: a graded fighter's packed models scored once on text that no search has seen, and what the gap says.

A search that tries often enough finds what suits the validation text and nothing else; on other text that is lost.
"""

import hashlib
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

# scipy.special alone: scipy.stats has the same functions and takes seconds more to import
from scipy.special import stdtr

from bench.config import RunConfig
from bench.data.corpus import MIN_VALID_BYTES, STORY_END, Corpus, join_stories
from bench.data.textfiles import stories_in
from bench.errors import ArtifactError, DataError
from bench.tracks import Track
from studies.store import Store
from studies.views import AuditView, RunView

# other fighters on the same text, below which their spread says nothing
LEAST_OTHERS = 3
SCORING_SECONDS = 900.0

Score = Callable[[bytes, RunConfig, bytes], float]


@dataclass(frozen=True)
class AuditText:
    """The bytes that audits score, as many as the track's evaluation at most."""

    raw: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()


def read_audit(path: Path, corpus: Corpus, track: Track) -> AuditText:
    """The audit text of a file; DataError when it is no text, too short, or shares a story with the corpus."""
    stories = stories_in(path)
    seen = set(corpus.train.tobytes().split(STORY_END)) | set(corpus.valid.tobytes().split(STORY_END))
    if shared := [story for story in stories if story.encode() in seen]:
        raise DataError(
            f"{path}: {len(shared)} of its {len(stories)} stories stand in {corpus.name}, "
            f"one starts {min(shared)[:40]!r}",
            "an audit needs text that no search has trained on or scored",
        )
    raw = join_stories(stories)
    if len(raw) < MIN_VALID_BYTES:
        raise DataError(f"{path} has {len(raw):,} bytes, at least {MIN_VALID_BYTES:,} are needed", "give a longer text")
    return AuditText(raw[: track.eval_bytes])


def audit_runs(
    store: Store,
    runs: Sequence[RunView],
    config: RunConfig,
    text: AuditText,
    remake: Callable[[RunView], bytes],
    score: Score | None = None,
) -> None:
    """Score each run's packed model on the text, once; `remake` gives the bytes of one that was not kept.

    Raises DataError when a run was audited on another text: an audit can't be tried again.
    """  # fmt: skip
    known = {audit.run_id: audit for audit in store.read.audits()}
    if other := [known[run.id] for run in runs if run.id in known and known[run.id].digest != text.digest]:
        raise DataError(
            f"run {other[0].run_id} was audited on another text, {other[0].digest[:8]}, this is {text.digest[:8]}",
            "give the same file with --audit: a fighter is audited once",
        )
    for run in runs:
        if run.id not in known:
            packed = packed_model(store, run, remake)
            val_loss = (score or in_own_process)(packed, config, text.raw)
            store.audit(run.id, text.digest, len(text.raw), val_loss)


def packed_model(store: Store, run: RunView, remake: Callable[[RunView], bytes]) -> bytes:
    """The bytes that were scored: kept, or made again with the recorded checksum."""
    recorded = store.read.artifact(run.id)
    assert recorded is not None, "a complete run has a packed model"
    file = None if recorded.file is None else store.artifacts / recorded.file
    packed = file.read_bytes() if file is not None and file.exists() else remake(run)
    if hashlib.sha256(packed).hexdigest() != recorded.sha256:
        raise ArtifactError(
            f"the packed model of run {run.id} is not the one that was scored",
            f"bits repeat on {run.identity.device_class} alone: grade and audit on one machine",
        )
    return packed


def in_own_process(packed: bytes, config: RunConfig, text: bytes) -> float:
    """The score, worked out in a process that is thrown away: a fighter may bring code of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=one_thread) as pool:
        return pool.submit(score_packed, packed, config, text).result(SCORING_SECONDS)


def one_thread() -> None:
    """As the run itself was scored."""
    import torch

    torch.set_num_threads(1)


def score_packed(packed: bytes, config: RunConfig, text: bytes) -> float:
    """val_loss of a packed model on a text, by the config's evaluator, in nats per byte."""
    import numpy as np

    from bench.artifact import unpack
    from bench.catalog import realise

    model = unpack(packed, config)
    return realise(config).evaluator.nats(model, np.frombuffer(text, np.uint8), config.budget.seq_len)


def flag_all(store: Store, digest: str, alpha: float) -> None:
    """Look at every fighter audited on a text, each against all others of its identity, and write down what is seen."""
    audits = [audit for audit in store.read.audits() if audit.digest == digest]
    for identity in dict.fromkeys(audit.identity for audit in audits):
        of: dict[str, list[AuditView]] = defaultdict(list)
        for audit in audits:
            if audit.identity == identity:
                of[audit.fingerprint].append(audit)
        gaps = {print_: relative_gap({a.seed: (a.scored, a.val_loss) for a in own}) for print_, own in of.items()}
        for print_, own in of.items():
            flagged, why = beyond_noise(gaps[print_], [gap for other, gap in gaps.items() if other != print_], alpha)
            if (flagged, why) != (own[0].flagged, own[0].why):
                store.flag([audit.run_id for audit in own], flagged, why)


def relative_gap(scores: Mapping[int, tuple[float, float]]) -> float:
    """Mean over seeds of (audit - validation) / validation: a text that is harder costs each model in proportion."""
    return statistics.fmean((audit - scored) / scored for scored, audit in scores.values())


def beyond_noise(gap: float, others: Sequence[float], alpha: float) -> tuple[bool, str]:
    """Whether a gap stands out of the other fighters' as one more of their kind would with probability alpha, and why.

    One-sided t of a new observation: its standard error is s sqrt(1 + 1/k) for k others. Their spread holds seeds,
    texts and kinds of models alike, so that an honest fighter of another kind is no suspect.
    """
    k = len(others)
    if k < LEAST_OTHERS:
        return False, f"{k} other fighters were audited on this text, and {LEAST_OTHERS} are the least that tell"
    spread = statistics.stdev(others)
    said = f"{100 * gap:+.2f} % on unseen text, {100 * statistics.fmean(others):+.2f} % for {k} others"
    if spread == 0.0:
        return False, f"{said}: they do not differ, so there is nothing to judge by"
    t = (gap - statistics.fmean(others)) / (spread * math.sqrt(1 + 1 / k))
    p = float(stdtr(k - 1, -t))
    return p < alpha, f"{said}: p = {p:.2g}, {'' if p < alpha else 'not '}below {alpha:g}"
