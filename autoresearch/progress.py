"""What a running study says on stderr: bars on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from autoresearch.watching import Watcher
from bench.config import RunConfig
from bench.divisions import recipe
from bench.records import Failure, Outcome, Point, RunResult
from studies.asked import Proposal
from studies.definitions import StudySpec

PLAIN_EVERY_SECONDS = 10.0


def clock(seconds: float) -> str:
    """A duration as `1:02:03` or `2:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Teller:
    """Follows a study and says how it goes; `line` and `bar` are what a terminal and a file do differently."""

    def __init__(self, spec: StudySpec, n_done: int, best: float | None, console: Console) -> None:
        self.spec, self.best, self.console = spec, best, console
        self.n_done = self.n_begun_with = float(n_done)  # in whole runs
        self.started = time.monotonic()
        self.steps: dict[int, int] = {}
        self.totals: dict[int, int] = {}
        self.said = time.monotonic()
        self.bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=18),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
            transient=True,
        )
        self.tasks: dict[int, TaskID] = {}
        self.total = self.bars.add_task(spec.name, total=spec.n_trials, completed=n_done, note="")

    @property
    def watcher(self) -> Watcher:
        return Watcher(
            proposed=self.proposed, refused=self.refused, stepped=self.stepped, retried=self.retried, ended=self.ended,
            known=self.known, noted=self.noted,
        )  # fmt: skip

    def line(self, text: str) -> None:
        self.console.print(escape(text), highlight=False, soft_wrap=True)

    def proposed(self, proposal: Proposal) -> None:
        budget = proposal.config.budget
        short = f" for {budget.steps} steps" if budget.short else ""
        said = f"{recipe(proposal.config)}{short} ({proposal.proposer}: {proposal.reason})"
        self.line(f"trial {proposal.number} begins: {said}")
        name = f"trial {proposal.number} {self.spec.division.label(proposal.config)}"
        self.tasks[proposal.number] = self.bars.add_task(name, total=proposal.config.budget.steps, note="")
        self.totals[proposal.number] = proposal.config.budget.steps

    def refused(self, proposal: Proposal, why: str) -> None:
        self.line(f"trial {proposal.number} refused at no cost: {why}")

    def noted(self, text: str) -> None:
        self.line(f"language model: {text}")

    def stepped(self, number: int, point: Point) -> None:
        self.steps[number] = point.step
        self.bars.update(self.tasks[number], completed=point.step, note=f"train_loss {point.train_loss:.4f}")
        self.bars.update(self.total, note=self.summary())
        if not self.console.is_terminal and time.monotonic() - self.said > PLAIN_EVERY_SECONDS:
            self.said = time.monotonic()
            self.line(
                f"trial {number} step {point.step}/{self.totals[number]} train_loss {point.train_loss:.4f}"
                f"  {self.summary()}"
            )

    def retried(self, number: int, why: str) -> None:
        self.line(f"trial {number} is run once more: {why}")
        self._over(number)

    def ended(self, number: int, config: RunConfig, outcome: Outcome) -> None:
        match outcome:
            case RunResult(val_loss=val_loss, cost=cost):
                text = f"{self._scored(config, val_loss)}, {cost.train_seconds:.0f} s"
            case Failure(reason=reason, message=message):
                text = f"failed, {reason.value}: {message}"
        self._counted(number, config, text)

    def known(self, number: int, config: RunConfig, val_loss: float | None) -> None:
        # it took no time, so the pace knows nothing of it
        self.n_begun_with += config.budget.steps / self.spec.budget.steps
        scored = "failed" if val_loss is None else self._scored(config, val_loss)
        self._counted(number, config, f"{scored}: the ledger already had this run")

    def _scored(self, config: RunConfig, val_loss: float) -> str:
        new_best = not config.budget.short and (self.best is None or val_loss < self.best)
        self.best = val_loss if new_best else self.best
        return f"val_loss {val_loss:.4f}{', the best so far' if new_best else ''}"

    def _counted(self, number: int, config: RunConfig, text: str) -> None:
        self.line(f"trial {number} {text}")
        self.n_done += config.budget.steps / self.spec.budget.steps
        self._over(number)
        self.bars.update(self.total, completed=self.n_done, note=self.summary())

    def _over(self, number: int) -> None:
        self.steps.pop(number, None)
        if number in self.tasks:
            self.bars.remove_task(self.tasks.pop(number))

    def summary(self) -> str:
        """Best so far and time left, from the pace of this session."""
        best = "best -" if self.best is None else f"best {self.best:.4f}"
        done = self.n_done - self.n_begun_with + sum(self.steps.values()) / self.spec.budget.steps
        left = self.spec.n_trials - self.n_begun_with - done
        # how many runs a confirmation takes on top of them, its looks decide
        if done < 0.05 or left <= 0:
            return best
        return f"{best}  {clock(left * (time.monotonic() - self.started) / done)} left"

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Bars while the block runs, on a terminal only."""
        if not self.console.is_terminal:
            yield
            return
        with self.bars:
            yield
