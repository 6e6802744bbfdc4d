"""A study begun, or gone on with."""

from pathlib import Path
from typing import Annotated, Any

import typer

from autoresearch.commands.ledger import check_jobs, ledger_path, open_ledger
from autoresearch.commands.options import DataOption, JobsOption, LlmOption, ReportOption, StoreOption, TimeoutOption
from autoresearch.commands.output import say
from bench.errors import ConfigError
from bench.streams import print_out


def study(
    context: typer.Context,
    division: Annotated[str | None, typer.Option(help="precision, optimizer, attention, open, ...")] = None,
    trials: Annotated[int, typer.Option(help="trials in all; repeating the command adds none")] = 50,
    track: Annotated[str, typer.Option(help="featherweight or golf")] = "featherweight",
    name: Annotated[
        str | None, typer.Option("--study", metavar="NAME", help="default: division, steps and corpus")
    ] = None,
    budget: Annotated[str, typer.Option(help="the machine: cpu, 1xgpu or 8xh100")] = "cpu",
    steps: Annotated[int | None, typer.Option(help="training steps; 500 and 800 carry belts")] = None,
    seed: Annotated[int, typer.Option(help="of runs and proposals: 1001, 1002, ...")] = 1001,
    jobs: JobsOption = None,
    policy: Annotated[
        str, typer.Option(help="who proposes: researcher, tpe, random, or openings: each technique alone, and done")
    ] = "researcher",
    rungs: Annotated[
        bool | None,
        typer.Option("--rungs/--no-rungs", help="short runs first, under researcher; on from 1350 steps"),
    ] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="the researcher begins without what earlier studies found")
    ] = False,
    llm: LlmOption = None,
    data: DataOption = "auto",
    timeout: TimeoutOption = None,
    report_to: ReportOption = None,
    store: StoreOption = None,
    check: Annotated[bool, typer.Option("--check", help="say what it would do, and begin nothing")] = False,
    start: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="begin with a fighter.toml, or a mixer of your own")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SLOT.KNOB=VALUE", help="pin a knob, or narrow a slot: optimizer=lion,muon"),
    ] = None,
) -> None:
    """A new study, or the named one continued, when --division or --from is given."""
    if context.invoked_subcommand is not None:
        _check_bare(context)
        return
    if division is None and start is None:
        raise ConfigError(
            "no division is named", "begin with `autoresearch --division optimizer --trials 5 --steps 100`"
        )
    from dataclasses import replace

    from autoresearch.requests import check_budget, check_policy, check_request, duration, foretold, rungs_asked
    from autoresearch.settings import parse_settings
    from bench.data.choose import corpus_for
    from bench.tracks import served_on, track_named
    from studies.definitions import StudySpec

    check_policy(policy)
    check_jobs(jobs)
    chosen = served_on(track_named(track), budget)
    spec = StudySpec(
        name=name or "",
        track_name=chosen.name,
        division_name=division or "",
        n_trials=trials,
        budget=chosen.budget if steps is None else replace(chosen.budget, steps=steps),
        corpus_name="",
        corpus_digest="",
        data=data,
        seed=seed,
        policy=policy,
        alone=alone,
        settings=tuple(settings or ()),
    )
    if start is not None:
        from autoresearch.starting import begun_with

        spec = begun_with(spec, start, steps)
    spec = replace(spec, rungs=rungs_asked(policy, spec.budget.steps, rungs))
    check_request(spec)
    check_budget(budget, chosen)
    parse_settings(spec.settings, spec.division)
    seconds = None if timeout is None else duration(timeout)
    line = _line(spec, llm)
    corpus = corpus_for(chosen, data)
    parts = [
        *([chosen.name] if chosen.tokenizer else []),
        spec.division_name,
        *([start.stem] if start else []),
        str(spec.budget.steps),
        corpus.name.replace(":", "-"),
    ]
    spec = replace(spec, name=name or "-".join(parts), corpus_name=corpus.name, corpus_digest=corpus.digest)
    if spec.start is not None:
        from autoresearch.starting import check_start

        check_start(spec, corpus, say)
    if report_to:
        from autoresearch.reporting.write import check_own

        check_own(report_to, "--report")
    if check:
        print_out(foretold(ledger_path(store), spec))
        return
    _go(spec, corpus, store, jobs, seconds, report_to, line)


def _check_bare(context: typer.Context) -> None:
    """An option before another command would be dropped without a word: `--store X list` would list another ledger."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is not None and source.name == "COMMANDLINE":
            option, command = parameter.opts[0], context.invoked_subcommand
            raise ConfigError(
                f"{option} stands before {command}", f"options come behind the command: `autoresearch {command} ...`"
            )


def resume(
    name: Annotated[str, typer.Argument(help="a study")],
    trials: Annotated[int | None, typer.Option(help="trials in all")] = None,
    data: Annotated[str | None, typer.Option("--data", metavar="PATH", help="where its corpus lies now")] = None,
    jobs: JobsOption = None,
    timeout: TimeoutOption = None,
    report_to: ReportOption = None,
    llm: LlmOption = None,
    store: StoreOption = None,
) -> None:
    """Go on with a study: what was cut short is run again, then the rest."""
    from dataclasses import replace

    from autoresearch.requests import duration
    from bench.data.choose import corpus_for
    from studies.reading import Reader

    reader = Reader(ledger_path(store))
    spec = reader.study(name).spec
    if trials is not None:
        spec = replace(spec, n_trials=trials)
    reader.close()
    seconds, line = None if timeout is None else duration(timeout), _line(spec, llm)
    _go(spec, corpus_for(spec.track, data or spec.data), store, jobs, seconds, report_to, line)


def _line(spec: Any, llm: Path | None) -> Any:
    """To the language model of a file, or None without one."""
    if llm is None:
        return None
    from autoresearch.requests import check_llm
    from autoresearch.researcher.endpoint import Line, read_endpoint

    check_llm(spec)
    return Line(read_endpoint(llm))


def _go(
    spec: Any,
    corpus: Any,
    store: str | None,
    jobs: int | None,
    seconds: float | None,
    report_to: Path | None,
    line: Any,
) -> None:
    """Run a study, then print its board; exits 1 when it gave up."""
    from rich.console import Console

    from autoresearch.failing import GAVE_UP
    from autoresearch.listing import best_of, board
    from autoresearch.session import default_jobs, run_study

    ledger = open_ledger(store, jobs)
    console = Console(stderr=True)
    say(f"study {spec.name}: {spec.n_trials} trials of {spec.budget.steps} steps on {corpus.name} {corpus.digest[:8]}")
    say(f"ledger {ledger.path}; watch it with `arena --study {spec.word}`")
    try:
        why = run_study(spec, ledger, corpus, jobs or default_jobs(), console, seconds, report_to, line)
        say(f"{why}.")
        print_out(board(ledger.read, spec.name))
        if why.startswith(GAVE_UP):
            say(f"hint: `autoresearch show {spec.word}` has each failure; `autoresearch resume {spec.word}` goes on")
            raise typer.Exit(1)
        ship = f", or `autoresearch export {spec.word} --to DIR` to ship the best trial"
        say(f"Open `arena` to look at it{ship if best_of(ledger.read, ledger.read.study(spec.name)) else ''}.")
    except KeyboardInterrupt:
        say(f"interrupted; go on with `autoresearch resume {spec.word}`")
        raise
    finally:
        ledger.close()
