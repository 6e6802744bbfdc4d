"""Checks a submission folder, ours or another's, item by item; nothing in it is unpickled, or run unasked."""

import hashlib
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import torch

from autoresearch.submission import curve, facts, fighter, script_checks
from autoresearch.submission.checks import Check, OpenQuestion, decided
from autoresearch.submission.facts import Facts
from autoresearch.submission.fighter import Fighter
from autoresearch.submission.folder import Broken, Contents, is_golf, read_folder
from autoresearch.submission.golf_verify import verify_golf
from autoresearch.worker import device_class, versions
from bench.artifact import unpack
from bench.brought import reporting
from bench.catalog import realise, refusals
from bench.config import fingerprint
from bench.data.choose import AUTO, NAMED, load_corpus
from bench.divisions import division_named
from bench.errors import DataError
from bench.estimate import over_caps
from bench.examine import examine
from bench.layers import Params
from bench.records import Reason
from bench.skeleton import Model
from bench.speed import on_threads
from bench.tracks import MOST_STEPS, NUMERICS_VERSION, Track, track_named

# Another processor or library orders its sums differently; that moves a loss by some 1e-7.
ELSEWHERE_TOLERANCE = 1e-5
# Rounding of one subtraction or division, for numbers that follow from others on the page.
ROUNDING = 1e-12
NAMES_SHOWN = 5

# reasons a run can end for; a refused or interrupted one is no result
ENDINGS = frozenset(Reason) - {Reason.REFUSED, Reason.INTERRUPTED}


def verify_submission(
    folder: Path, data: str, run_code: bool = False, say: Callable[[str], None] = lambda line: None
) -> list[Check]:
    """Every item with pass, fail or can't tell; ConfigError for what is no submission folder at all.

    A mixer that the fighter brings is a stranger's code: nothing of it runs unless `run_code` says so.
    """
    if is_golf(folder):
        return verify_golf(folder, data)
    contents = read_folder(folder)
    looking = _Examination(contents, data, run_code, say)
    # stdout is ours; what the code prints is not
    with redirect_stdout(sys.stderr):
        return [decided(item, look) for item, look in looking.items()]


@dataclass
class _Examination:
    """The items in order; what an early one makes out, the later ones build on."""

    contents: Contents
    data: str
    run_code: bool
    say: Callable[[str], None]
    found_facts: Facts | None = None
    found_fighter: Fighter | None = None
    found_model: Model | None = None
    sound: bool = False  # the fighter's techniques can be realised and its budget is one we serve

    def items(self) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "facts", self.check_facts
        yield "files", self.check_files
        yield "checksums", self.check_checksums
        yield "fighter", self.check_fighter
        yield "fingerprint", self.check_fingerprint
        yield "identity", self.check_identity
        yield "division", self.check_division
        yield "builds", self.check_builds
        yield "caps", self.check_caps
        yield "costs", self.check_costs
        yield "curve", self.check_curve
        yield "script", self.check_script
        if self.found_facts is not None and self.found_facts.failure is not None:
            yield "ending", self.check_ending
            return
        yield "artifact", self.check_artifact
        yield "weights_bytes", self.check_weights_bytes
        yield "score", self.check_score
        yield "val_loss", self.check_val_loss

    # what earlier items found, or why a later one can't be decided

    @property
    def stated(self) -> Facts:
        if self.found_facts is None:
            raise OpenQuestion(f"{facts.FACTS} can't be read")
        return self.found_facts

    @property
    def entered(self) -> Fighter:
        if self.found_fighter is None:
            raise OpenQuestion(f"{facts.FIGHTER} can't be read")
        return self.found_fighter

    @property
    def built(self) -> Fighter:
        """The fighter, once it is known to be one we can build, and may."""
        if not self.sound:
            raise OpenQuestion("the fighter can't be built here")
        if self.entered.config.brings_code and not self.run_code:
            raise OpenQuestion("this fighter brings code of its own; --run-code runs it")
        return self.entered

    @property
    def track(self) -> Track:
        return track_named(self.entered.config.track)

    def text(self, name: str) -> str:
        try:
            return self.raw(name).decode()
        except UnicodeDecodeError as wrong:
            raise Broken(f"{name} is no UTF-8 text") from wrong

    def raw(self, name: str) -> bytes:
        if name in self.contents.wrong:
            raise Broken(f"{name} {self.contents.wrong[name]}")
        if name not in self.contents.raw:
            raise Broken(f"{name} is missing")
        return self.contents.raw[name]

    def wanted(self) -> list[str]:
        """The files of this submission: a negative result has no model."""
        absent = {facts.MODEL} if self.stated.failure is not None else set()
        # few fighters bring a mixer, and the first exports had no script
        absent |= {facts.MIXER, facts.SCRIPT} - set(self.stated.files)
        return [name for name in facts.MAX_BYTES if name not in absent]

    # the items

    def check_facts(self) -> str:
        self.found_facts = found = facts.from_json(self.text(facts.FACTS))
        if (found.score is None) is (found.failure is None):
            self.found_facts = None
            raise Broken("it states both a score and a failure, or neither")
        kind = "a negative result" if found.failure else "a scored run"
        return f"{kind}: {found.name}, trial {found.origin.trial} of {found.origin.study}"

    def check_files(self) -> str:
        wanted = self.wanted()
        if wrong := [f"{name} {what}" for name, what in self.contents.wrong.items()]:
            raise Broken("; ".join(wrong))
        if missing := [name for name in wanted if name not in self.contents.raw]:
            raise Broken(f"missing: {', '.join(missing)}")
        if facts.MODEL in self.contents.raw and facts.MODEL not in wanted:
            raise Broken(f"a negative result has no score, so {facts.MODEL} does not belong here")
        strange = self.contents.strange
        shown = ", ".join(strange[:NAMES_SHOWN]) + (", ..." if len(strange) > NAMES_SHOWN else "")
        return f"{len(wanted)} files" + (f"; not part of it and not opened: {shown}" if strange else "")

    def check_checksums(self) -> str:
        wanted = set(self.wanted()) - {facts.FACTS}
        if set(self.stated.files) != wanted:
            raise Broken(f"{facts.FACTS} states checksums of {', '.join(sorted(self.stated.files)) or 'nothing'}")
        wrong = []
        for name, stated in self.stated.files.items():
            raw = self.contents.raw.get(name)
            if raw is None:
                wrong.append(f"{name} is not there")
            elif len(raw) != stated.bytes:
                wrong.append(f"{name} has {len(raw):,} bytes, {stated.bytes:,} are stated")
            elif hashlib.sha256(raw).hexdigest() != stated.sha256:
                wrong.append(f"{name} has another SHA-256 than stated")
        if wrong:
            raise Broken("; ".join(wrong))
        return f"size and SHA-256 of {len(wanted)} files as stated"

    def check_fighter(self) -> str:
        self.found_fighter = entered = fighter.from_toml(self.text(facts.FIGHTER), self.mixer_file)
        config, track = entered.config, self.track
        if facts.MIXER in self.contents.raw and not config.brings_code:
            raise Broken(f"{facts.MIXER} is there, and the fighter does not name it")
        for name, value, most in (
            ("steps", config.budget.steps, MOST_STEPS),
            ("batch", config.budget.batch, track.budget.batch),
            ("seq_len", config.budget.seq_len, track.budget.seq_len),
        ):
            if not 1 <= value <= most:
                raise Broken(f"{name} is {value:,}; {track.name} goes from 1 to {most:,}")
        realise(config)
        self.sound = True
        return f"every technique and knob is known: {self.entered.name}, {config.budget.steps:,} steps"

    def mixer_file(self, name: str) -> str:
        """The text of the mixer that the fighter names; no other file is opened for it."""
        if name != facts.MIXER:
            raise Broken(f"the fighter names {name}; a submission calls its mixer {facts.MIXER}")
        return self.text(name)

    def check_fingerprint(self) -> str:
        found, stated = fingerprint(self.entered.config), self.stated
        if found != stated.fingerprint:
            raise Broken(f"the fighter's is {found}, {stated.fingerprint} is stated")
        if self.entered.seed != stated.seed:
            raise Broken(f"the fighter's seed is {self.entered.seed}, {stated.seed} is stated")
        return f"{found}, seed {stated.seed}"

    def check_identity(self) -> str:
        track, budget, stated = self.track, self.entered.config.budget, self.stated.identity
        if (stated.track, stated.steps, stated.batch, stated.seq_len) != (
            track.name, budget.steps, budget.batch, budget.seq_len,
        ):  # fmt: skip
            raise Broken("the stated track, steps, batch or seq_len is not the fighter's")
        if stated.short:
            raise Broken("a short run is stated, a step of a search that is scored on fewer bytes")
        if self.stated.exhibition is not track.is_exhibition(budget):
            raise Broken(f"exhibition is stated as {self.stated.exhibition}, and this budget makes it otherwise")
        if self.stated.machine.device_class != stated.device_class:
            raise Broken("two device classes are stated")
        if self.stated.n_seeds != 1:
            raise Broken(f"{self.stated.n_seeds} seeds are stated, and a submission is one run")
        if other := self.other_versions():
            raise OpenQuestion(other)
        exhibition = ", an exhibition" if self.stated.exhibition else ""
        return f"{track.name} v{track.version}, {budget.steps:,} steps, corpus {stated.corpus_digest[:8]}{exhibition}"

    def other_versions(self) -> str:
        """In what the submission's rules are not those of this program; empty when they are."""
        stated = self.stated.identity
        pairs = (
            ("track", stated.track_version, self.track.version),
            ("evaluator", stated.evaluator_version, self.track.evaluator_version),
            ("numerics", stated.numerics_version, NUMERICS_VERSION),
        )
        return "; ".join(f"{name} version {theirs}, this is {ours}" for name, theirs, ours in pairs if theirs != ours)

    def check_division(self) -> str:
        if self.entered.division != self.stated.division:
            raise Broken(f"the fighter enters {self.entered.division}, {self.stated.division} is stated")
        division = division_named(self.entered.division, self.track.name)
        if breaches := division.breaches(self.entered.config):
            raise Broken("; ".join(breaches))
        return f"{division.name}: only its free slots and knobs differ from the baseline"

    def check_builds(self) -> str:
        if refused := refusals(self.built.config):
            self.sound = False
            raise Broken("; ".join(refused))
        if self.built.config.brings_code and self.stated.score is not None:
            # a score of a model that looks ahead says nothing, however well it repeats
            examine(self.built.config, self.track)
            return "its own mixer looks at no later byte and no other row, and costs what it declares"
        return "no hard clash, no missing hard need"

    def check_caps(self) -> str:
        if over := over_caps(self.built.config, self.track):
            raise Broken("; ".join(over))
        return f"within the parameters and training FLOPs that {self.track.name} allows"

    def check_costs(self) -> str:
        spent, budget = self.stated.spent, self.built.config.budget
        if not 0 <= spent.steps <= budget.steps or (self.stated.score is not None and spent.steps != budget.steps):
            raise Broken(f"{spent.steps:,} steps are stated, the budget has {budget.steps:,}")
        wanted = facts.declared(self.built.config, spent.steps)
        stated = (spent.parameters, spent.train_flops, spent.train_tokens)
        for name, theirs, ours in zip(("parameters", "training FLOPs", "training tokens"), stated, wanted, strict=True):
            if theirs != ours:
                raise Broken(f"{theirs:,} {name} are stated, the fighter declares {ours:,}")
        return f"{wanted[0]:,} parameters, {wanted[1]:,} training FLOPs, as the techniques declare"

    def check_curve(self) -> str:
        points = curve.from_csv(self.text(facts.CURVE))
        last, steps = (points[-1].step if points else 0), self.stated.spent.steps
        if self.stated.failure is None and last != steps:
            raise Broken(f"it ends at step {last:,}, {steps:,} are stated")
        if last > steps:
            raise Broken(f"it goes on to step {last:,}, the run ended at {steps:,}")
        return f"{len(points)} points, finite, to step {last:,}"

    def check_script(self) -> str:
        if facts.SCRIPT not in self.wanted():
            raise OpenQuestion(f"it has no {facts.SCRIPT}, as the first exports had none")
        tree = script_checks.parsed(self.raw(facts.SCRIPT))
        return f"{script_checks.check_imports(tree)}; {script_checks.check_network(tree)}"

    def check_ending(self) -> str:
        failure = self.stated.failure
        assert failure is not None, "only asked of a negative result"
        if failure.reason not in ENDINGS:
            raise Broken(f"{failure.reason!r} is no reason; it is one of {', '.join(sorted(ENDINGS))}")
        if not failure.message.strip():
            raise Broken(f"{failure.reason} is stated without a message")
        if failure.step != self.stated.spent.steps:
            raise Broken(f"it ended at step {failure.step:,}, and paid for {self.stated.spent.steps:,}")
        return f"{failure.reason} at step {failure.step:,}: {failure.message}"

    def check_artifact(self) -> str:
        packed, config = self.raw(facts.MODEL), self.built.config
        with reporting(config):
            model = unpack(packed, config)
        params = Params(model)
        if broken := [p.name for p in params.all if not torch.isfinite(p.tensor).all()]:
            raise Broken(f"{broken[0]} holds what is no finite number")
        if params.count != self.stated.spent.parameters:
            raise Broken(f"it holds {params.count:,} parameters, {self.stated.spent.parameters:,} are stated")
        self.found_model = model
        return f"unpacks to {params.count:,} parameters of the fighter's config"

    def check_weights_bytes(self) -> str:
        packed, score = self.raw(facts.MODEL), self.stated.score
        assert score is not None, "only asked of a scored run"
        if len(packed) != score.weights_bytes:
            raise Broken(f"{facts.MODEL} has {len(packed):,} bytes, {score.weights_bytes:,} are stated")
        if hashlib.sha256(packed).hexdigest() != score.artifact_sha256:
            raise Broken(f"{facts.MODEL} has another SHA-256 than the scored artifact's")
        return f"{len(packed):,} bytes, the file that was scored"

    def check_score(self) -> str:
        """Stated numbers against each other; that they are finite, reading them has shown."""
        score = self.stated.score
        assert score is not None, "only asked of a scored run"
        if score.val_loss < 0:
            raise Broken(f"val_loss {score.val_loss} is below zero")
        if not math.isclose(score.val_bpb, facts.bits(score.val_loss), rel_tol=ROUNDING):
            raise Broken(f"val_bpb is {score.val_bpb}, val_loss makes it {facts.bits(score.val_loss)}")
        with_base = (score.baseline_trial, score.baseline_val_loss, score.delta)
        if any(value is None for value in with_base) and any(value is not None for value in with_base):
            raise Broken("baseline and delta are stated by half")
        if score.delta is not None and score.baseline_val_loss is not None:
            delta = score.val_loss - score.baseline_val_loss
            if not math.isclose(score.delta, delta, rel_tol=ROUNDING, abs_tol=ROUNDING):
                raise Broken(f"delta is {score.delta}, val_loss and baseline make it {delta}")
        return f"finite: {score.val_loss:.6f} nats/byte, {score.val_bpb:.6f} bits/byte"

    def check_val_loss(self) -> str:
        """The score once more, from the artifact and the corpus."""
        stated, score, config, model = self.stated, self.stated.score, self.built.config, self.found_model
        assert score is not None, "only asked of a scored run"
        if model is None:
            raise OpenQuestion("there is no artifact to score")
        if other := self.other_versions():
            raise OpenQuestion(other)
        # the corpus that `auto` finds may be another than the one of this score
        by_name = self.data == AUTO and stated.corpus_name in NAMED
        wanted = stated.corpus_name if by_name else self.data
        try:
            corpus = load_corpus(wanted)
        except DataError as wrong:
            raise OpenQuestion(f"the corpus {stated.corpus_name} is not here: {wrong.problem}") from wrong
        digest = stated.identity.corpus_digest
        if corpus.digest != digest:
            raise OpenQuestion(
                f"scored on {stated.corpus_name} {digest[:8]}; {wanted} is {corpus.name} {corpus.digest[:8]}: "
                "give the text with --data"
            )
        # the one item that takes a while
        self.say(f"scoring the packed model again on {corpus.name} {digest[:8]}")
        with on_threads(stated.machine.threads), reporting(config):
            found = realise(config).evaluator.nats(model, corpus.valid[: self.track.eval_bytes], config.budget.seq_len)
        here = (device_class(), versions()["torch"], True)
        there = (stated.machine.device_class, stated.machine.versions.get("torch"), self.can_use_threads())
        if here == there:
            tolerance, where = 0.0, "the same device class, so to the bit"
        else:
            tolerance, where = ELSEWHERE_TOLERANCE, f"another machine, so to {ELSEWHERE_TOLERANCE:g}"
        # written so that NaN is no pass
        if not abs(found - score.val_loss) <= tolerance:
            raise Broken(f"scored again {found!r}, {score.val_loss!r} is stated ({where})")
        return f"scored again {found!r} on {corpus.name} {digest[:8]} ({where})"

    def can_use_threads(self) -> bool:
        return 1 <= self.stated.machine.threads <= (os.cpu_count() or 1)
