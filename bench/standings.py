"""Results to standings: a pure function of the rows, whatever their order."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from bench.config import RunConfig, fingerprint
from bench.divisions import baseline, division_named
from bench.records import Identity
from bench.tracks import PUBLISHED_SEEDS


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One complete run as the board sees it."""

    identity: Identity
    division: str
    config: RunConfig
    fingerprint: str  # of the config
    seed: int
    val_loss: float
    weights_bytes: int
    parameters: int
    train_seconds: float
    study: str
    trial: int | None
    audit_loss: float | None = None  # nats per byte on text that no search has seen
    flagged: bool = False  # its fighter loses there what it gained on the validation text


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One row of a division: the best config of one label. Losses in nats per byte, lower is better."""

    identity: Identity
    division: str
    rank: int
    label: str
    fingerprint: str
    val_loss: float  # mean over seeds: over the published ones alone, once it ran on any
    sd: float | None  # over the same seeds; absent with one
    n_seeds: int
    search_loss: float | None  # mean over search seeds beside published ones: what had it chosen, so better than it is
    delta: float | None  # to the baseline of the same identity on seeds of the same kind, new minus old
    weights_bytes: int
    parameters: int
    train_seconds: float
    study: str
    trial: int | None
    n_runs: int  # complete runs that carry this label
    audit_loss: float | None = None  # mean over the audited runs
    flagged: bool = False  # the audit's gap is beyond noise

    @property
    def unconfirmed(self) -> bool:
        """One seed says what was seen, not what is so: a belt comes only from grading or confirmation."""
        return self.n_seeds < 3


def standings(entries: Iterable[Entry]) -> list[Standing]:
    """Rows of every identity and division, best first; ties broken by fingerprint, so order never matters."""
    boards: dict[tuple[Identity, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        boards[entry.identity, entry.division].append(entry)
    return [row for (identity, division), rows in sorted(boards.items()) for row in _board(identity, division, rows)]


def _board(identity: Identity, division: str, entries: list[Entry]) -> list[Standing]:
    # one run may be linked to several trials and studies: it still counts once
    once = {(e.fingerprint, e.seed): e for e in sorted(entries, key=_link, reverse=True)}
    by_config: dict[str, list[Entry]] = defaultdict(list)
    for (print_, _), entry in sorted(once.items(), key=lambda item: item[0]):
        by_config[print_].append(entry)
    samples = {print_: _telling(runs) for print_, runs in by_config.items()}
    means = {print_: _mean(told) for print_, (told, _) in samples.items()}
    labels = {print_: _label(division, runs[0]) for print_, runs in by_config.items()}
    best: dict[str, str] = {}
    for print_ in sorted(means, key=lambda p: (means[p], p)):
        best.setdefault(labels[print_], print_)
    counts = Counter(labels[print_] for print_, runs in by_config.items() for _ in runs)
    base = by_config.get(_baseline_print(entries[0]), [])
    rows = []
    for rank, (label, print_) in enumerate(best.items(), start=1):
        told, searched = samples[print_]
        runs = by_config[print_]
        first = runs[0]
        audited = [e.audit_loss for e in runs if e.audit_loss is not None]
        rows.append(
            Standing(
                identity=identity,
                division=division,
                rank=rank,
                label=label,
                fingerprint=print_,
                val_loss=means[print_],
                sd=statistics.stdev(e.val_loss for e in told) if len(told) > 1 else None,
                n_seeds=len(told),
                search_loss=_mean(searched) if searched else None,
                delta=means[print_] - _mean(_alike(base, told)) if base else None,
                weights_bytes=first.weights_bytes,
                parameters=first.parameters,
                train_seconds=statistics.fmean(e.train_seconds for e in runs),
                study=first.study,
                trial=first.trial,
                n_runs=counts[label],
                audit_loss=statistics.fmean(audited) if audited else None,
                flagged=any(e.flagged for e in runs),
            )
        )
    return rows


# a board is made anew with every run that ends, of thousands that it had made before
_LABELS: dict[tuple[str, str], str] = {}


def _label(division: str, entry: Entry) -> str:
    key = division, entry.fingerprint
    if key not in _LABELS:
        _LABELS[key] = division_named(division, entry.config.track).label(entry.config)
    return _LABELS[key]


def _telling(runs: list[Entry]) -> tuple[list[Entry], list[Entry]]:
    """A config's runs that its mean is of, and the search's beside them.

    A config reaches the published seeds because its search score was low, luck included: in one mean with them that
    luck would stay.
    """
    published = [e for e in runs if e.seed in PUBLISHED_SEEDS]
    return (published, [e for e in runs if e.seed not in PUBLISHED_SEEDS]) if published else (runs, [])


def _alike(base: list[Entry], told: list[Entry]) -> list[Entry]:
    """The baseline's runs on seeds of the same kind, else on all it has: it was chosen by no score of its own."""
    published = told[0].seed in PUBLISHED_SEEDS
    return [e for e in base if (e.seed in PUBLISHED_SEEDS) is published] or base


def _mean(runs: list[Entry]) -> float:
    return statistics.fmean(e.val_loss for e in runs)


def _link(entry: Entry) -> tuple[str, int, float]:
    """Where a run was asked for; a run without a trial comes first."""
    return entry.study, -1 if entry.trial is None else entry.trial, entry.val_loss


def _baseline_print(entry: Entry) -> str:
    return fingerprint(baseline(entry.config.budget, entry.config.track))
