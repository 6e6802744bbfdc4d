"""The commentary: its numbers against independent arithmetic, its links, what hostile text can do, and its bytes."""

import json
import math
import re
import statistics
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from ledger_rows import CARD, SPEC, proposal, result
from reported_ledgers import NAME, REALS, SQUARE, begin, hostile_ledger, small_ledger, square_ledger
from scipy.stats import t as student

from autoresearch import cli
from autoresearch.beliefs import Observation, believe
from autoresearch.reporting.facts import gather
from autoresearch.reporting.markdown import to_markdown
from autoresearch.reporting.page import to_html
from autoresearch.reporting.report import Curves, Forest, Report, Section, Sentence, Table, Trace, to_json
from autoresearch.reporting.write import report_of, write_report
from bench.config import from_json
from bench.divisions import BASE
from bench.errors import ConfigError
from bench.tracks import PUBLISHED_SEEDS
from studies.ownership import this_process
from studies.shipped import FOLDER, import_measured
from studies.store import Store

ROOT = Path(__file__).parents[2]
SHIPPED = "measured-optimizer"


@pytest.fixture(scope="module")
def shipped_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shipped") / "arena.db"
    import_measured(path, FOLDER / f"{SHIPPED}.jsonl", shipped=True)
    return path


@pytest.fixture(scope="module")
def shipped(shipped_store: Path) -> Report:
    return report_of(shipped_store, SHIPPED)


@pytest.fixture(scope="module")
def lines() -> list[dict]:
    """The trials of the shipped file, read without the ledger."""
    read = map(json.loads, (FOLDER / f"{SHIPPED}.jsonl").read_text().splitlines())
    return [line for line in read if "trial" in line]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return report_of(small_ledger(tmp_path_factory.mktemp("small")), NAME)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return report_of(hostile_ledger(tmp_path_factory.mktemp("hostile")), NAME)


def section(report: Report, begins: str) -> Section:
    (found,) = [s for s in report.sections if s.title.startswith(begins)]
    return found


def tables(report: Report, begins: str) -> list[Table]:
    return [part for part in section(report, begins).parts if isinstance(part, Table)]


def sentences(report: Report, begins: str) -> str:
    return "\n".join(part.text for part in section(report, begins).parts if isinstance(part, Sentence))


def column(table: Table, begins: str) -> list:
    (at,) = [i for i, c in enumerate(table.columns) if c.name.split(",")[0] == begins]
    return [row.cells[at] for row in table.rows]


def figure(report: Report, kind: type):
    (found,) = [part for s in report.sections for part in s.parts if isinstance(part, kind)]
    return found


def scored_with(line: dict, optimizer: str) -> bool:
    return bool(line.get("run")) and line["config"]["picks"]["optimizer"][0]["name"] == optimizer


def test_the_best_stacks_of_the_shipped_ledger_are_its_lowest_runs(shipped, lines):
    (stacks,) = tables(shipped, "Best stacks")
    runs = sorted((line["run"]["val_loss"], line["trial"]["number"]) for line in lines if line.get("run"))[:10]
    assert column(stacks, "val_loss") == [val_loss for val_loss, _ in runs]
    assert [row.trials for row in stacks.rows] == [(number,) for _, number in runs]
    base = lines[0]["run"]["val_loss"]
    assert column(stacks, "delta to baseline") == [val_loss - base for val_loss, _ in runs]
    assert column(stacks, "seeds") == [1] * 10


def test_single_seeds_are_unconfirmed_and_have_no_interval(shipped):
    (stacks,) = tables(shipped, "Best stacks")
    assert set(column(stacks, "status")) == {"unconfirmed: 1 seed"}
    assert not {"from", "to"} & {c.name for c in stacks.columns}
    assert "No config has two seeds yet: noise is not known" in sentences(shipped, "Noise")


def test_the_effects_are_those_of_the_model_on_every_scored_run(shipped, lines):
    read = map(json.loads, (FOLDER / f"{SHIPPED}.jsonl").read_text().splitlines())
    cards = [line["card"] for line in read if "card" in line]
    seen = [
        Observation(str(line["trial"]["number"]), from_json(line["config"]), line["run"]["val_loss"])
        for line in lines
        if line.get("run")
    ]
    beliefs = believe(seen, 0.01, cards, BASE)
    (effects,) = tables(shipped, "Effect per")
    assert column(effects, "technique") == ["muon", "lion", "sophia"]
    for row in effects.rows:
        name, mean, low, high, runs, _ = row.cells
        belief = beliefs.effect(name)
        assert (mean, runs) == (pytest.approx(belief.mean), belief.n_runs)
        assert (low, high) == (pytest.approx(mean - 1.96 * belief.sd), pytest.approx(mean + 1.96 * belief.sd))
        used = [line["trial"]["number"] for line in lines if scored_with(line, name)]
        assert sorted(row.trials) == used


def test_alone_is_the_best_run_of_a_technique_against_the_baselines(shipped, lines):
    (effects,) = tables(shipped, "Effect per")
    for name, alone in zip(column(effects, "technique"), column(effects, "alone"), strict=True):
        losses = [line["run"]["val_loss"] for line in lines if scored_with(line, name)]
        assert alone == min(losses) - lines[0]["run"]["val_loss"]


def test_noise_and_intervals_of_replicates(small):
    """Against numpy-free arithmetic on the scores that the ledger was given."""
    squares = sum((x - statistics.fmean(scores)) ** 2 for scores in REALS.values() for x in scores)
    free = sum(len(scores) - 1 for scores in REALS.values())
    sigma = math.sqrt(squares / free)
    assert f"Sigma {sigma:.4f} nats/byte" in sentences(small, "Noise")
    (stacks,) = tables(small, "Best stacks")
    base = REALS[8e-3]
    for lr, scores in REALS.items():
        (row,) = [row for row in stacks.rows if row.cells[2] == pytest.approx(statistics.fmean(scores))]
        cells = dict(zip((c.name for c in stacks.columns), row.cells, strict=True))
        reach = student.ppf(0.975, free) * sigma / math.sqrt(len(scores))
        assert cells["seeds"] == len(scores)
        assert (cells["from"], cells["to"]) == pytest.approx((row.cells[2] - reach, row.cells[2] + reach))
        if lr != 8e-3:
            delta = statistics.fmean(scores) - statistics.fmean(base)
            wide = student.ppf(0.975, free) * sigma * math.sqrt(1 / len(scores) + 1 / len(base))
            assert cells["delta to baseline"] == pytest.approx(delta)
            assert (cells["delta from"], cells["delta to"]) == pytest.approx((delta - wide, delta + wide))


def test_failures_are_counted_by_class_with_what_they_cost(small):
    classes = tables(small, "Failures")[0]
    by_class = {row.cells[0]: row for row in classes.rows}
    assert set(by_class) == {"diverged", "crashed", "refused"}
    assert by_class["diverged"].cells[1:4] == (2, 2 * 88, 14.0)
    assert by_class["refused"].cells[1:4] == (1, 0, 0)


@pytest.fixture(scope="module")
def square(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return report_of(square_ledger(tmp_path_factory.mktemp("square")), NAME)


def test_a_whole_2x2_gives_its_contrast_and_what_it_means(square):
    mean = {names: statistics.fmean(scores) for names, scores in SQUARE.items()}
    contrast = mean["orthogonal", "smear"] - mean["orthogonal",] - mean["smear",] + mean[()]
    (cells,) = [table for table in tables(square, "Interactions") if table.columns[1].name.startswith("contrast")]
    (row,) = cells.rows
    assert row.cells[:3] == ("smear_gate and orthogonal", pytest.approx(contrast), "synergy")
    assert sorted(row.trials) == list(range(8))


def test_a_score_of_another_machine_is_compared_with_nothing(square):
    (stacks,) = tables(square, "Best stacks")
    assert min(column(stacks, "val_loss")) == pytest.approx(1.31)
    assert all(8 not in row.trials for row in stacks.rows)
    assert "compared with nothing here: 1" in sentences(square, "At a glance")
    assert "scored under another identity" in column(tables(square, "Changelog")[0], "noted")


def test_tiers_part_where_a_gap_is_beyond_noise_and_say_what_differs(square):
    (groups,) = tables(square, "Tiers")
    assert column(groups, "configs") == [1, 3]
    assert "Tier 1 against tier 2: orthogonal in 1 of 1 above and 1 of 3 below" in sentences(square, "Tiers")


def test_the_untried_come_in_order_of_their_value_and_were_not_tried(square):
    (ranked,) = tables(square, "Untried")
    values = column(ranked, "value")
    assert values == sorted(values, reverse=True)
    assert all(value >= 0 for value in values)
    assert "drop smear_gate" not in column(ranked, "change")


def test_a_prediction_is_held_against_what_came_out(small):
    foretold = tables(small, "Predictions")[0]
    assert column(foretold, "expected") == [1.3]
    assert column(foretold, "difference") == [pytest.approx(REALS[2e-2][0] - 1.3)]


def test_a_config_with_a_failed_seed_is_not_called_replicated(small):
    (stacks,) = tables(small, "Best stacks")
    assert column(stacks, "status").count("survivors only: 1 failed") == 1


@pytest.mark.parametrize("which", ["shipped", "small", "hostile"])
def test_every_trial_that_is_named_stands_in_the_changelog(which, request):
    report = request.getfixturevalue(which)
    for text, anchor, link in (
        (to_markdown(report), r'<a id="trial-(\d+)">', r"\(#trial-(\d+)\)"),
        (to_html(report), r'id="trial-(\d+)"', r'href="#trial-(\d+)"'),
    ):
        anchors = re.findall(anchor, text)
        assert len(anchors) == len(set(anchors))
        assert set(re.findall(link, text)) <= set(anchors)
    listed = set(column(tables(report, "Changelog")[0], "trial"))
    named = {n for s in report.sections for p in s.parts if isinstance(p, Sentence) for n in p.trials}
    named |= {n for s in report.sections for p in s.parts if isinstance(p, Table) for row in p.rows for n in row.trials}
    assert named
    assert named <= listed


class Tags(HTMLParser):
    """Every tag with its attributes; what is opened must be closed in order."""

    VOID = frozenset({"meta", "line", "circle", "path", "rect", "polyline"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


ALLOWED = frozenset(
    re.findall(r"\w+", "html head meta title style body h1 h2 p nav a section div table tr th td figure figcaption")
    + re.findall(r"\w+", "svg line text circle rect path polyline")
)


@pytest.mark.parametrize("which", ["shipped", "small", "hostile"])
def test_the_page_is_whole_and_needs_nothing_from_outside(which, request):
    text = to_html(request.getfixturevalue(which))
    page = Tags(text)
    assert page.open == []
    assert {tag for tag, _ in page.seen} <= ALLOWED
    for _, attributes in page.seen:
        assert not {"src", "srcset", "xlink:href", "style"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("href", "#").startswith("#")
    (style,) = re.findall("<style>(.*?)</style>", text, re.S)
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style


def test_markup_in_names_and_messages_is_shown_and_not_obeyed(hostile):
    page, text = to_html(hostile), to_markdown(hostile)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page.lower()
    assert "<script" not in text.lower()
    assert "![x](" not in text
    assert "\x1b" not in page + text
    assert "\u202e" not in page + text


def test_a_pipe_in_a_message_opens_no_column(hostile):
    for block in to_markdown(hostile).split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("| ")]
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in rows}) <= 1


def test_the_code_of_a_brought_mixer_is_never_printed(hostile):
    for text in (to_json(hostile), to_markdown(hostile), to_html(hostile)):
        assert "import secrets_of_the_user" not in text
        assert "brought:" in text


@pytest.mark.parametrize("which", ["shipped", "small", "hostile"])
def test_every_point_of_a_plot_is_inside_it(which, request):
    page = Tags(to_html(request.getfixturevalue(which)))
    height = 0.0
    for tag, a in page.seen:
        if tag == "svg":
            height = float(a["viewbox"].split()[3])
        for x in ("x", "x1", "x2", "cx"):
            assert 0 <= float(a.get(x, 0)) <= 800
        for y in ("y", "y1", "y2", "cy"):
            assert 0 <= float(a.get(y, 0)) <= height
        for pair in a.get("points", "").split():
            x, y = map(float, pair.split(","))
            assert 0 <= x <= 800
            assert 0 <= y <= height


def test_the_best_so_far_only_falls_and_ends_at_the_best(shipped, lines):
    trace = figure(shipped, Trace)
    values = [value for _, value in trace.best]
    assert values == sorted(values, reverse=True)
    assert values[-1] == min(line["run"]["val_loss"] for line in lines if line.get("run"))
    assert trace.refused == tuple(line["trial"]["number"] for line in lines if line["trial"]["state"] == "refused")


def test_the_figures_say_in_words_what_they_draw(shipped):
    page = to_html(shipped)
    for kind in (Trace, Curves, Forest):
        assert f'aria-label="{figure(shipped, kind).alt}"' in page


def test_a_study_of_one_trial_has_its_plot(tmp_path):
    store = Store(tmp_path / "arena.db")
    store.begin(SPEC, [CARD], this_process())
    asked = proposal(0)
    store.finish(begin(store, asked, 1001), result(asked, 1.5))
    store.close()
    report = report_of(tmp_path / "arena.db", SPEC.name)
    assert figure(report, Trace).scored == ((0, 1.5),)
    assert 'class="c0"' in to_html(report)


def test_a_study_without_a_score_says_so_and_invents_nothing(tmp_path):
    report = report_of(small_ledger(tmp_path, scores={}), NAME)
    assert "No trial has a score yet." in sentences(report, "At a glance")
    assert not [p for s in report.sections for p in s.parts if isinstance(p, (Trace, Forest, Curves))]
    assert tables(report, "Best stacks") == []


def test_the_same_ledger_gives_the_same_bytes(shipped_store, shipped):
    again = report_of(shipped_store, SHIPPED)
    assert to_html(again) == to_html(shipped)
    assert to_markdown(again) == to_markdown(shipped)
    assert to_json(again) == to_json(shipped)


def answer(capsys, monkeypatch, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["autoresearch", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_the_command_writes_its_folder_and_says_where(shipped_store, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = answer(capsys, monkeypatch, "report", SHIPPED, "--store", str(shipped_store))
    assert (code, out) == (0, f"{SHIPPED}-report\n")
    assert sorted(path.name for path in (tmp_path / f"{SHIPPED}-report").iterdir()) == ["report.html", "report.md"]


def test_json_prints_the_data_and_writes_nothing(shipped_store, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = answer(capsys, monkeypatch, "report", SHIPPED, "--store", str(shipped_store), "--json")
    assert code == 0
    assert json.loads(out)["study"] == SHIPPED
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_study_is_an_error_with_a_hint(shipped_store, capsys, monkeypatch):
    code, out, err = answer(capsys, monkeypatch, "report", "nosuch", "--store", str(shipped_store))
    assert (code, out) == (2, "")
    assert [line.split(":")[0] for line in err.splitlines()] == ["error", "hint"]


def test_a_report_is_written_over_an_earlier_one_and_over_nothing_else(shipped, tmp_path):
    folder = write_report(shipped, tmp_path / "mine")
    assert write_report(shipped, folder) == folder
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"holds thesis\.txt, which is no report"):
        write_report(shipped, folder)
    other = tmp_path / "other"
    other.mkdir()
    (other / "report.md").write_text("# my own report")
    with pytest.raises(ConfigError, match="was not written by this command"):
        write_report(shipped, other)
    assert (other / "report.md").read_text() == "# my own report"


def test_a_config_on_published_seeds_is_ranked_by_these_alone_and_keeps_its_search_score_beside(tmp_path):
    path = small_ledger(tmp_path, {8e-3: (1.50,)})
    store = Store(path)
    store.begin(SPEC, [], this_process())
    again = proposal(9)
    store.finish(begin(store, again, PUBLISHED_SEEDS[0]), replace(result(again, 1.6), seed=PUBLISHED_SEEDS[0]))
    (arm,) = gather(store.read, NAME).arms
    assert (arm.mean, arm.sample.n, arm.searched.mean) == (1.6, 1, 1.5)
    store.close()
