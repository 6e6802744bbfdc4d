"""Checks a golf folder, ours or a contest record's, against the list of parameter_golf_rules 1; runs none of it."""

import ast
import re
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autoresearch.noise import Sample
from autoresearch.submission import golf_schema, packed_script, script_checks
from autoresearch.submission.checks import PASS, Check, OpenQuestion, decided
from autoresearch.submission.folder import Broken, Contents, read_tree
from autoresearch.submission.golf_before import to_beat
from autoresearch.submission.golf_facts import EVALUATION_SECONDS, READABLE, RECORD_SEEDS, TRAIN_SECONDS, WEIGHTS
from autoresearch.submission.golf_logs import Log, is_log, logs_behind, read_log, scored
from autoresearch.submission.golf_weights import MOST_SEQ_LEN, score_again
from autoresearch.verdicts import Verdict, against_bound, decide
from bench.tracks import GOLF, TOKENIZERS, Tokenizer, golf_rules

CAP = GOLF.max_artifact_bytes or 0
# What the community's case-folding export left in the training shards (Issue #2127).
OVERLAPPING_SHARDS = 1499
# What belongs beside the script without being code of the model.
CODE = (".py", ".cpp", ".cu", ".c", ".so", ".bin")


def verify_golf(folder: Path, data: str) -> list[Check]:
    """Every item with pass, fail or can't tell."""
    looking = _Examination(folder.resolve(), read_tree(folder), data)
    return [decided(item, look) for item, look in looking.items()]


@dataclass
class _Examination:
    """The items in order; what an early one makes out, the later ones build on."""

    folder: Path
    contents: Contents
    data: str
    stated: dict[str, Any] | None = None
    tree: ast.Module | None = None
    held: str | None = None  # what a packed script unpacks
    stays_packed: bool = False
    logs: list[Log] = field(default_factory=list)  # in the folder itself, or all where it has none
    counted: tuple[Log, ...] = ()  # those whose mean, or one of which, is the stated score
    every_log: list[Log] = field(default_factory=list)

    def items(self) -> Iterator[tuple[str, Callable[[], str]]]:
        every = [read_log(n, self.contents.raw[n].decode(errors="replace")) for n in self.contents.raw if is_log(n)]
        # what lies below is often of something else
        self.logs = [log for log in every if "/" not in log.name] or every
        self.every_log = every
        yield "files F2", self.check_files
        yield "submission.json", self.check_stated
        yield "script F3", self.check_script
        yield "code A2", self.check_code
        yield "network E2", self.check_network
        yield "validation data V1", self.check_validation_data
        yield "score as logged", self.check_score
        yield "size A1", self.check_size
        yield "sizes as logged", self.check_logged_sizes
        yield "training time T1", self.check_training_time
        yield "evaluation time E1", self.check_evaluation_time
        yield "validation split E3", self.check_split
        yield "scored once E4", self.check_scored_once
        yield "shards", self.check_shards
        yield "seeds S2", self.check_seeds
        yield "page", self.check_page
        yield "significance S1", self.check_significance
        yield "progression", self.check_progression
        yield "weights A5", self.check_weights

    @property
    def is_record(self) -> bool:
        if "non_record" in self.folder.parent.name:
            return False
        return self.stated is None or golf_schema.is_record(self.stated)

    def script_name(self) -> str:
        names = [name for name in self.contents.raw if name.endswith(".py") and "/" not in name]
        if "train_gpt.py" in names:
            return "train_gpt.py"
        training = [name for name in names if name.startswith("train")]
        if len(training) != 1:
            raise OpenQuestion(f"which file is the script: {', '.join(training) or 'there is none'}")
        return training[0]

    def json_name(self) -> str:
        names = sorted(n for n in self.contents.raw if n.startswith("submission") and n.endswith(".json"))
        if not names:
            raise Broken("there is no submission.json")
        return names[0]

    def facts(self) -> dict[str, Any]:
        if self.stated is None:
            raise OpenQuestion("submission.json can't be read")
        return self.stated

    def program(self) -> ast.Module:
        if self.tree is None:
            raise OpenQuestion("no script could be read")
        if self.stays_packed:
            raise OpenQuestion("the script executes what it unpacks, and that could not be read")
        return self.tree

    def finals(self) -> list[Log]:
        """The logs behind the stated score; where they are not known, all with a score."""
        if not (found := list(self.counted) or scored(self.logs)):
            raise OpenQuestion("no log has a line with a final score")
        return found

    def by_seed(self) -> dict[int, float]:
        """The score of each seed; of logs that share one, the last by name."""
        logs = self.finals() if len(self.counted) > 1 else scored(self.logs) or self.finals()
        return {log.seed if log.seed is not None else -n: log.val_bpb or 0.0 for n, log in enumerate(logs, 1)}

    # the items

    def check_files(self) -> str:
        names = self.contents.raw
        if self.contents.wrong:
            raise Broken("; ".join(f"{name} {what}" for name, what in list(self.contents.wrong.items())[:5]))
        missing = [] if "README.md" in names else ["README.md"]
        missing += [] if any(n.startswith("submission") and n.endswith(".json") for n in names) else ["submission.json"]
        missing += [] if any(n.endswith(".py") for n in names) else ["train_gpt.py"]
        missing += [] if self.logs else ["a train log"]
        if missing:
            raise Broken(f"missing: {', '.join(missing)}")
        return f"{len(names)} files, {len(self.logs)} of them logs"

    def check_stated(self) -> str:
        name = self.json_name()
        self.stated = plain = golf_schema.read(self.contents.raw[name].decode(errors="replace"))
        if found := golf_schema.flaws(plain):
            raise Broken("; ".join(found))
        if empty := golf_schema.unfilled(plain):
            raise OpenQuestion(f"{', '.join(empty)} still to be filled in by who submits it")
        kind = "record" if self.is_record else "non-record"
        return f"{name}: {kind}, {len(plain)} keys of the right types"

    def check_script(self) -> str:
        name = self.script_name()
        raw = self.contents.raw[name]
        if len(raw) > packed_script.MAX_BYTES:
            raise Broken(f"{name} has {len(raw):,} bytes, more than we read")
        tree = script_checks.parsed(raw)
        said = f"{name} compiles, {len(raw):,} bytes"
        self.held = packed_script.unpacked(tree)
        self.tree = tree if self.held is None else ast.parse(self.held)
        self.stays_packed = packed_script.is_packed(self.tree)
        if not packed_script.is_packed(tree):
            return said
        if self.held is None or READABLE not in self.contents.raw:
            return f"{said}, packed"
        if self.contents.raw[READABLE] != self.held.encode():
            raise Broken(f"{READABLE} is not what {name} unpacks and runs")
        return f"{said}, packed; {READABLE} is what it runs, letter for letter"

    def check_code(self) -> str:
        said = script_checks.check_imports(self.program())
        script = self.script_name()
        # a copy of what the script holds is no code beside it
        held = None if self.held is None else self.held.encode()
        if others := [n for n, raw in self.contents.raw.items() if n.endswith(CODE) and n != script and raw != held]:
            raise OpenQuestion(f"{said}; also in the folder, to be justified: {', '.join(others[:6])}")
        return said

    def check_network(self) -> str:
        return script_checks.check_network(self.program())

    def check_validation_data(self) -> str:
        said = script_checks.check_validation_data(self.program())
        if script_checks.adapts(self.program()):
            raise OpenQuestion(f"{said}; it has parts named after training at test time, whose order must be read")
        return said

    def is_within(self) -> bool:
        """Whether script and weights, as they lie there, are under the cap."""
        return decided("size", self.check_size).verdict == PASS

    def check_size(self) -> str:
        """The script as it lies there, with the weights as they lie there or as the logs have them."""
        code = len(self.contents.raw[self.script_name()])
        if WEIGHTS in self.contents.raw:
            model, source = len(self.contents.raw[WEIGHTS]), WEIGHTS
        else:
            known = [log.model_bytes for log in self.logs if log.model_bytes]
            if not known:
                raise OpenQuestion(f"{code:,} bytes of script, and no weights and no log that gives their size")
            model, source = max(known), "the largest of the logs"
        told = f"{code:,} of script and {model:,} of weights ({source}) are {code + model:,} bytes"
        if code + model <= CAP:
            return told
        logged = max((log.total_bytes or 0 for log in self.logs), default=0)
        # records count a compressed script and ship a readable one
        if WEIGHTS not in self.contents.raw and 0 < logged <= CAP:
            raise OpenQuestion(f"{told}, over {CAP:,}; the logs count a smaller code: {logged:,} in all")
        raise Broken(f"{told}, over {CAP:,}")

    def check_logged_sizes(self) -> str:
        totals = {log.name: log.total_bytes for log in self.logs if log.total_bytes}
        if not totals:
            raise OpenQuestion("no log gives a total size")
        if over := {name: total for name, total in totals.items() if total > CAP}:
            told = f"{', '.join(f'{name}: {total:,}' for name, total in over.items())}: over {CAP:,}"
            if self.is_within():
                raise OpenQuestion(f"{told}; with the script as it lies there it is under")
            raise Broken(told)
        wrong = [
            f"{log.name}: {log.code_bytes:,} of code and {log.model_bytes:,} are not {log.total_bytes:,}"
            for log in self.logs
            if log.code_bytes and log.model_bytes and log.total_bytes
            and log.code_bytes + log.model_bytes != log.total_bytes
        ]  # fmt: skip
        if wrong:
            raise Broken("; ".join(wrong))
        stated = (self.stated or {}).get("bytes_total")
        mean = statistics.fmean(totals.values())
        if isinstance(stated, int) and stated not in totals.values() and abs(stated - mean) > 1:
            raise Broken(f"bytes_total is {stated:,}, the logs have {', '.join(f'{t:,}' for t in totals.values())}")
        return f"{max(totals.values()):,} at most, as stated" if stated else f"{max(totals.values()):,} at most"

    def check_training_time(self) -> str:
        seconds = {log.name: log.train_seconds for log in self.finals() if log.train_seconds}
        if not seconds:
            raise OpenQuestion("no log gives the training time")
        longest = max(seconds, key=lambda name: seconds[name])
        told = f"{seconds[longest]:.3f} s at most, in {longest}"
        if seconds[longest] <= TRAIN_SECONDS:
            return f"{told}; on what hardware is for the reader"
        if not self.is_record:
            raise OpenQuestion(f"{told}: no record, so its page must say what it used")
        raise Broken(f"{told}; {TRAIN_SECONDS:g} s with the step that crosses the limit")

    def check_evaluation_time(self) -> str:
        seconds = [log.eval_seconds for log in self.finals() if log.eval_seconds is not None]
        if not seconds:
            raise OpenQuestion("no log gives the evaluation time")
        if max(seconds) <= EVALUATION_SECONDS:
            return f"{max(seconds):.1f} s at most"
        if not self.is_record:
            raise OpenQuestion(f"{max(seconds):.1f} s: no record, so its page must say what it used")
        raise Broken(f"{max(seconds):.1f} s, the limit is {EVALUATION_SECONDS:g} s")

    def check_split(self) -> str:
        found = {log.valid_tokens for log in self.finals()} - {None}
        if not found:
            raise OpenQuestion("no log counts the validation tokens")
        known = {t.valid_tokens: t for t in TOKENIZERS}
        # whole sequences: longer ones may leave a longer rest
        of = {n: t for n in found if n for t in known.values() if 0 <= t.valid_tokens - n < MOST_SEQ_LEN}
        strange = sorted(n for n in found if n and n not in of)
        if not strange:
            return f"{', '.join(f'{n:,} ({t.name})' for n, t in of.items())}: the official split, whole sequences of it"
        wanted = {t.name: t.valid_tokens for t in TOKENIZERS}
        told = f"{', '.join(f'{n:,}' for n in strange)} validation tokens"
        if any(log.dataset.endswith("sp1024") and log.valid_tokens in strange for log in self.logs):
            raise Broken(f"{told} where sp1024 has {wanted['sp1024']:,}")
        raise OpenQuestion(f"{told}: of no split that we know the size of")

    def check_scored_once(self) -> str:
        raise OpenQuestion("whether each token is scored once is for who reads the script, or runs it")

    def check_shards(self) -> str:
        shards = {log.name: log.train_shards for log in self.logs if log.train_shards is not None}
        if not shards:
            raise OpenQuestion("no log counts the training shards")
        if overlapping := [name for name, n in shards.items() if n == OVERLAPPING_SHARDS]:
            raise Broken(
                f"{', '.join(overlapping)}: {OVERLAPPING_SHARDS} shards, the export that trains on validation documents"
            )
        return f"{', '.join(str(n) for n in sorted(set(shards.values())))} training shards; none overlaps"

    def check_seeds(self) -> str:
        n = len(self.by_seed())
        if n >= RECORD_SEEDS:
            return f"{n} seeds with a log"
        if not self.is_record:
            return f"{n} seed{'s' * (n > 1)}, and no record"
        raise Broken(f"{n} seed{'s' * (n > 1)} with a log where {RECORD_SEEDS} are usual")

    def check_score(self) -> str:
        stated = self.facts().get("val_bpb")
        if not golf_schema.number(stated):
            raise OpenQuestion("no val_bpb is stated")
        logs = [log for log in self.logs if log.scores]
        if not logs:
            raise OpenQuestion("no log has a line with a final score")
        for logs in (self.logs, self.every_log):
            for line in dict.fromkeys(line for log in logs for line in log.scores):
                if found := logs_behind(float(stated), line, logs):
                    self.counted = found
                    of = "is" if len(found) == 1 else f"is the mean of {len(found)} logs'"
                    return f"val_bpb {stated} {of} {line}: {', '.join(log.name for log in found[:5])}"
        told = ", ".join(f"{log.val_bpb} ({log.score_line})" for log in scored(logs)[:6])
        raise Broken(f"val_bpb is {stated}, the logs have {told}")

    def check_page(self) -> str:
        stated = self.facts().get("val_bpb")
        if "README.md" not in self.contents.raw or not golf_schema.number(stated):
            raise OpenQuestion("there is no page, or no val_bpb to look for")
        text = self.contents.raw["README.md"].decode(errors="replace")
        if not self.is_record and not re.search(r"non[-_ ]?record", text, re.IGNORECASE):
            raise Broken("it is no record, and the page does not say so")
        spellings = {f"{stated:.{digits}f}" for digits in (3, 4, 5, 6, 8)} | {
            f"{int(stated * 1e4) / 1e4:.4f}",
            repr(stated),
        }
        if not any(spelling in text for spelling in spellings):
            raise Broken(f"the page names no val_bpb of {stated}")
        return f"it gives the stated val_bpb, {stated}"

    def check_significance(self) -> str:
        """As written: better by 0.005 nats per token at p < 0.01."""
        return self.judged(0)

    def check_progression(self) -> str:
        """As the organisers' late tables had it: better at p < 0.25."""
        return self.judged(1)

    def judged(self, number: int) -> str:
        if not self.is_record:
            raise OpenQuestion("no record, so nothing to beat")
        scores = self.by_seed()
        tokenizer = self.tokenizer()
        rule = golf_rules(tokenizer or TOKENIZERS[0])[number]
        if rule.margin and tokenizer is None:
            raise OpenQuestion("0.005 nats per token are not known in bits per byte for this vocabulary")
        best, where = to_beat(self.folder, self.stated or {})
        unit = 1 / (TOKENIZERS[0].bpb_per_nat / TOKENIZERS[0].tokens_per_byte)
        found = decide(against_bound(Sample({seed: score * unit for seed, score in scores.items()}), best * unit), rule)
        told = f"{found.why}, against {best} ({where})"
        if found.verdict is Verdict.SUPPORTED:
            return told
        if len(scores) < 2:
            raise OpenQuestion(told)
        raise Broken(told)

    def tokenizer(self) -> Tokenizer | None:
        counted = {log.valid_tokens for log in self.logs}
        return next((t for t in TOKENIZERS if t.valid_tokens in counted), None)

    def check_weights(self) -> str:
        if WEIGHTS not in self.contents.raw:
            others = [n for n in self.contents.raw if n.endswith((".pt", ".ptz", ".pth", ".pkl", ".safetensors"))]
            raise OpenQuestion(
                f"no {WEIGHTS}" + (f"; not opened, for it may be pickle: {', '.join(others)}" if others else "")
            )
        return score_again(self.contents.raw[WEIGHTS], self.data, self.finals())
