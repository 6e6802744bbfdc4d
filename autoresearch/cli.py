"""`autoresearch`: parse, call, print. stdout is data, progress and errors are on stderr."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.errors import ArenaError, ConfigError

# torch, Optuna and the ledger are imported inside the commands that use them: --help must answer at once

app = typer.Typer(
    name="autoresearch",
    help="Find, prove and ship a training recipe for a small language model.",
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

StoreOption = Annotated[str | None, typer.Option("--store", metavar="URL", help="the ledger: a path or sqlite:///PATH")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]
DataOption = Annotated[
    str, typer.Option("--data", metavar="auto|NAME|PATH", help="corpus: a name, a folder, or TRAIN,VALID")
]
JobsOption = Annotated[int | None, typer.Option("--jobs", help="runs at a time; default: one per core")]
ReportOption = Annotated[
    Path | None, typer.Option("--report", metavar="DIR", help="write the report there every ten minutes and at the end")
]
LlmOption = Annotated[
    Path | None, typer.Option("--llm", metavar="FILE", help="a language model may propose too: endpoint, model, caps")
]
TimeoutOption = Annotated[str | None, typer.Option("--timeout", metavar="2h", help="begin no trial after this long")]


@app.callback(invoke_without_command=True)
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
        str, typer.Option(help="who proposes: tpe, random, researcher, or openings: each technique alone, and done")
    ] = "tpe",
    rungs: Annotated[
        bool | None,
        typer.Option("--rungs/--no-rungs", help="short runs first, under researcher; on from 450 steps"),
    ] = None,
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
        return
    if division is None and start is None:
        raise ConfigError(
            "no division is named", "begin with `autoresearch --division optimizer --trials 5 --steps 100`"
        )
    from dataclasses import replace

    from autoresearch.requests import check_budget, check_request, duration, foretold, rungs_asked
    from autoresearch.settings import parse_settings
    from bench.data.choose import corpus_for
    from bench.tracks import served_on, track_named
    from studies.definitions import StudySpec

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
    if check:
        print_out(foretold(_path(store), spec))
        return
    _go(spec, corpus, store, jobs, seconds, report_to, line)


@app.command()
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

    reader = Reader(_path(store))
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
    from autoresearch.listing import board
    from autoresearch.session import default_jobs, run_study

    ledger = _ledger(store, jobs)
    console = Console(stderr=True)
    say(f"study {spec.name}: {spec.n_trials} trials of {spec.budget.steps} steps on {corpus.name} {corpus.digest[:8]}")
    say(f"ledger {ledger.path}; watch it with `arena --study {spec.name}`")
    try:
        why = run_study(spec, ledger, corpus, jobs or default_jobs(), console, seconds, report_to, line)
        say(f"{why}.")
        print_out(board(ledger.read, spec.name))
        if why.startswith(GAVE_UP):
            say(f"hint: `autoresearch show {spec.name}` has each failure; `autoresearch resume {spec.name}` goes on")
            raise typer.Exit(1)
        say(f"Open `arena` to look at it, or `autoresearch export {spec.name} --to DIR` to ship the best trial.")
    except KeyboardInterrupt:
        say(f"interrupted; go on with `autoresearch resume {spec.name}`")
        raise
    finally:
        ledger.close()


@app.command("list")
def list_(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """The studies of the ledger, and who holds which belt."""
    from autoresearch.grading.listing import belts_table
    from autoresearch.listing import studies_json, studies_table
    from studies.reading import Reader

    reader = Reader(_path(store))
    found = reader.studies()
    print_out(_dump(studies_json(reader, found)) if as_json else studies_table(reader, found))
    if not as_json and (belts := reader.belts()):
        print_out("\n" + belts_table(belts))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="a study")], store: StoreOption = None, as_json: JsonOption = False
) -> None:
    """A study: its definition, every trial with its outcome, its board."""
    from autoresearch.listing import board, study_json, trials_table
    from studies.reading import Reader

    reader = Reader(_path(store))
    if as_json:
        print_out(_dump(study_json(reader, name)))
    else:
        print_out(trials_table(reader, name))
        print_out(board(reader, name))


@app.command()
def stop(name: Annotated[str, typer.Argument(help="a study")], store: StoreOption = None) -> None:
    """Ask a running study to end; trials under way are cut short, and `resume` runs them again."""
    from autoresearch.stopping import stop_study

    say(stop_study(_path(store), name))


@app.command()
def replay(
    run: Annotated[int, typer.Argument(help="a run's number")],
    data: Annotated[str | None, typer.Option("--data", metavar="PATH", help="where its corpus lies now")] = None,
    store: StoreOption = None,
) -> None:
    """Run a run again and hold it against the ledger: the same bits on the same kind of machine."""
    from autoresearch.replaying import replay_run

    same, said = replay_run(_path(store), run, data)
    print_out(said)
    if not same:
        raise typer.Exit(1)


@app.command()
def grade(
    fighter: Annotated[Path, typer.Argument(metavar="FIGHTER.toml", help="a fighter's file, or a shipped one's name")],
    seeds: Annotated[int, typer.Option(help="published seeds, the track's first")] = 3,
    steps: Annotated[int | None, typer.Option(help="instead of the fighter's own; 500 and 800 carry belts")] = None,
    audit: Annotated[
        Path | None, typer.Option("--audit", metavar="FILE", help="text that no search has seen, scored once")
    ] = None,
    name: Annotated[str | None, typer.Option("--study", metavar="NAME", help="default: made of what it is")] = None,
    data: DataOption = "auto",
    jobs: JobsOption = None,
    timeout: TimeoutOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a fighter from scratch on the published seeds, score it, and move its division's belt by the verdict."""
    from rich.console import Console

    from autoresearch.grading.grade import grade as graded_in
    from autoresearch.grading.grade import grading_spec, to_json
    from autoresearch.grading.listing import grade_text
    from autoresearch.requests import duration
    from autoresearch.session import default_jobs
    from bench.data.choose import load_corpus

    seconds = None if timeout is None else duration(timeout)
    corpus = load_corpus(data)
    spec = grading_spec(fighter, steps, seeds, corpus, data, name)
    ledger = _ledger(store, jobs)
    say(f"study {spec.name} on {corpus.name} {corpus.digest[:8]}; watch it with `arena --study {spec.name}`")
    try:
        found = graded_in(spec, ledger, corpus, jobs or default_jobs(), Console(stderr=True), seconds, audit, say)
        if found is not None:
            belts = ledger.read.belts()
            print_out(_dump(to_json(found, belts)) if as_json else grade_text(found, belts))
    except KeyboardInterrupt:
        say("interrupted; the same command goes on")
        raise
    finally:
        ledger.close()
    if found is not None and found.failed:
        raise typer.Exit(1)


@app.command()
def claims(
    name: Annotated[
        str | None, typer.Option("--study", metavar="NAME", help="a study of yours with --policy claims")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """The published findings against our measurements: what is decided, and what is left to run."""
    from autoresearch.claims.listing import claims_table, read_claims, report_json

    found = read_claims(_path(store), name)
    print_out(_dump(report_json(found)) if as_json else claims_table(found))


@app.command()
def catalog(as_json: JsonOption = False) -> None:
    """Every technique by slot, with its status, knobs, needs and clashes; an idea can be ranked and not run."""
    from autoresearch.listing import catalog_table
    from bench.cards import cards

    print_out(_dump(cards()) if as_json else catalog_table(cards()))


@app.command()
def data(
    action: Annotated[
        str | None, typer.Argument(help="get: fetch a corpus; look: see one; build: golf shards of a text")
    ] = None,
    name: Annotated[str | None, typer.Argument(help="tinystories or fineweb; look takes whatever --data does")] = None,
    shards: Annotated[int, typer.Option(help="get fineweb: train shards of 100 M tokens, 200 MB each")] = 1,
    text: Annotated[
        str | None, typer.Option(metavar="FILE", help="build: a text file, or whatever --data takes")
    ] = None,
    tokenizer: Annotated[Path | None, typer.Option(metavar="MODEL", help="build: a SentencePiece .model file")] = None,
    to: Annotated[Path | None, typer.Option(metavar="DIR", help="build: a folder that does not exist yet")] = None,
    as_json: JsonOption = False,
) -> None:
    """The corpora. Only `data get` reaches the network; `data look PATH` tells of one, `data build` makes shards."""
    from bench.data.choose import available, look

    match action, name:
        case None | "look", _:
            rows = available() if action is None else look(name or "auto")
            print_out(
                _dump([dict(zip(("name", "state"), row, strict=True)) for row in rows]) if as_json else _columns(rows)
            )
        case "get", "tinystories":
            from bench.data.tinystories import fetch_tinystories

            corpus = fetch_tinystories(report=say)
            sizes = f"{len(corpus.train):,} bytes to train on, {len(corpus.valid):,} to validate"
            print_out(f"{corpus.name} {corpus.digest[:8]}: {sizes}")
        case "get", "fineweb":
            from bench.data.fineweb import fetch_fineweb

            print_out(_shards(fetch_fineweb(shards, say)))
        case "build", None:
            print_out(_shards(_built(text, tokenizer, to)))
        case _:
            raise ConfigError(
                f"`data {action} {name or ''}`".replace(" `", "`") + " is not known",
                "write `data get tinystories`, `data get fineweb`, `data look PATH` or `data build`",
            )


def _built(text: str | None, tokenizer: Path | None, to: Path | None) -> Any:
    """The golf corpus that `data build` asks for."""
    from bench.data.choose import documents
    from bench.data.tokens import build

    if text is None or tokenizer is None or to is None:
        raise ConfigError(
            "`data build` needs a text, a tokenizer and a folder",
            "write `data build --text FILE --tokenizer MODEL --to DIR`",
        )
    if not tokenizer.is_file():
        raise ConfigError(f"there is no file {tokenizer}", "give a SentencePiece .model file")
    named, train, valid = documents(text)
    return build(named, (train, valid), tokenizer.read_bytes(), to, say)


def _shards(corpus: Any) -> str:
    sizes = f"{len(corpus.train):,} tokens to train on, {len(corpus.valid):,} to validate"
    return f"{corpus.name} {corpus.digest[:8]}: {sizes}"


@app.command()
def doctor(
    speed: Annotated[
        bool, typer.Option("--speed", help="also time the baseline's step against the machine's peak")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """What this machine can do, and whether everything needed is in order."""
    from autoresearch.doctor import examine

    findings = examine(_path(store), speed)
    text = [(("ok" if f.fine else "FAIL"), f.subject, f.said) for f in findings]
    print_out(_dump([vars(f) for f in findings]) if as_json else _columns(text))
    if not all(f.fine for f in findings):
        raise typer.Exit(1)


@app.command()
def report(
    name: Annotated[str, typer.Argument(help="a study")],
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="a new folder, or an earlier report's; default: NAME-report"),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """The commentary on a study, from the ledger alone: report.md and one self-contained report.html."""
    from autoresearch.reporting.report import to_json
    from autoresearch.reporting.write import report_of, write_report

    found = report_of(_path(store), name)
    if to is not None or not as_json:
        folder = write_report(found, to)
        say(f"report.md and report.html are in {folder}") if as_json else print_out(str(folder))
    if as_json:
        print_out(to_json(found))


@app.command()
def export(
    name: Annotated[str, typer.Argument(help="a study")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="a folder that does not exist yet")],
    trial: Annotated[int | None, typer.Option(help="default: the best")] = None,
    data: Annotated[str | None, typer.Option("--data", metavar="PATH", help="where its corpus lies now")] = None,
    store: StoreOption = None,
) -> None:
    """Write a trial as a submission: fighter, artifact, card, curve. A failed one is a negative result."""
    from autoresearch.submission.write import write_submission

    print_out(str(write_submission(_path(store), name, trial, to, data, say)))


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="a submission folder")],
    data: DataOption = "auto",
    run_code: Annotated[
        bool, typer.Option("--run-code", help="run the mixer that the fighter brings, as you: read it first")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check a submission: unpack, score again where the corpus is there; pass, fail or can't tell per item."""
    from autoresearch.submission.verify import verify_submission

    checks = verify_submission(folder, data, run_code)
    text = [(check.verdict, check.item, check.evidence) for check in checks]
    print_out(_dump([vars(check) for check in checks]) if as_json else _columns(text))
    if any(check.verdict == "fail" for check in checks):
        raise typer.Exit(1)


def _ledger(store: str | None, jobs: int | None) -> Any:
    """The ledger, opened for writing, with the project's own measurements in a new one."""
    from studies.shipped import import_files, shipped_files
    from studies.store import Store

    if jobs is not None and jobs < 1:
        raise ConfigError(f"--jobs is {jobs}", "run at least 1 at a time")
    path = _path(store)
    fresh = not path.exists()
    ledger = Store(path)
    if fresh:
        # they stand in every ledger, as references and as runs already paid for
        import_files(path, shipped_files())
    return ledger


def _path(store: str | None) -> Path:
    from studies.database import default_path, store_path

    return default_path() if store is None else store_path(store)


def _dump(plain: Any) -> str:
    return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False)


def _columns(rows: list[Any]) -> str:
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))] if rows else []
    return "\n".join(
        "  ".join(str(cell).ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _objection(wrong: typer.TyperException) -> str:
    """One line, with the name of the option or argument it is about."""
    told: str = wrong.format_message() if isinstance(wrong, typer.BadParameter) else str(wrong)
    return " ".join(told.split()).rstrip(".")


def print_out(text: str) -> None:
    print(text)  # noqa: T201 - stdout is our output


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - stderr is for people


def main() -> None:
    """Exit codes: 0 done, 1 a run or check failed, 2 the request can't be honoured, 130 interrupted."""
    # Read when numpy loads. Beliefs are sums over small matrices: one thread gives the same bits on any machine, and
    # beside two runs on two cores took 0.4 s at 1,000 trials, as many threads as cores 2.0 s.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except ArenaError as wrong:
        say(f"error: {wrong.problem}")
        say(f"hint: {wrong.hint}")
        sys.exit(2)
    except typer.TyperException as wrong:
        # what the parser objects to: an unknown command or option, a value of the wrong type
        say(f"error: {_objection(wrong)}")
        say("hint: `autoresearch --help` lists the commands and options")
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except BrokenPipeError:
        # the reader of our output has gone, as `| head` does: nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
