"""What the documents say is what is so: links lead somewhere, figures are those that ship."""

import importlib.util
import math
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from autoresearch.ablation import NOT_MEASURED, parts
from autoresearch.ablation import markdown as markdown_of_parts
from autoresearch.agreement import agreement
from autoresearch.claims.listing import footer, markdown, read_claims
from autoresearch.fighters import chosen, declared, recorded
from autoresearch.listing import number
from autoresearch.ranks import spearman
from autoresearch.reporting.markdown import to_markdown
from autoresearch.reporting.write import report_of
from bench.catalog import alone
from bench.divisions import division_named
from bench.errors import DataError
from bench.standings import Standing, standings
from bench.tracks import FEATHERWEIGHT, PUBLISHED_SEEDS
from studies.reading import Reader
from studies.shipped import export_measured, import_measured, shipped_files, shipped_store

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    path = shipped_store(tmp_path_factory.mktemp("shipped"))
    assert path is not None, "the project ships measurements"
    return Reader(path)


def searched(shipped: Reader) -> list[Standing]:
    """The boards as their searches left them: a grading's published seeds would take the place of the search's own."""
    return standings(entry for entry in shipped.entries() if entry.seed not in PUBLISHED_SEEDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize(
    "command", ["make demo", "make test", "autoresearch --division optimizer --trials 50", "arena"]
)
def test_the_readme_names_the_commands_of_the_first_minute(command):
    assert command in (ROOT / "README.md").read_text()


def test_the_readme_fits_a_screen_or_two():
    assert len((ROOT / "README.md").read_text().splitlines()) < 80


def test_every_board_in_the_docs_is_the_one_that_ships(shipped):
    page = (ROOT / "docs" / "measurements.md").read_text()
    boards = [row for row in searched(shipped) if row.study in ("measured-optimizer", "measured-open")]
    assert boards
    for row in boards:
        if row.rank <= 12:
            assert f"| {row.label} | {row.val_loss:.4f} | {row.delta:+.4f} |" in page, f"{row.study}: {row.label}"


def test_the_readmes_figures_are_those_of_the_optimizer_board(shipped):
    page = (ROOT / "README.md").read_text()
    for row in searched(shipped):
        if row.study == "measured-optimizer":
            assert f"| {row.label} | {row.val_loss:.4f} | {row.delta:+.4f} |" in page


def test_the_tuned_adamw_baseline_is_below_one_and_a_half_nats(shipped):
    (adamw,) = [row for row in searched(shipped) if row.study == "measured-optimizer" and row.label == "adamw"]
    assert adamw.val_loss < 1.50


def test_the_table_of_golf_in_miniature_is_what_the_shipped_runs_say(shipped):
    alone = {t.number for t in shipped.trials("measured-golf") if t.proposer in ("baseline", "opening")}
    rows = [row for row in standings(e for e in shipped.entries() if e.study == "measured-golf") if row.trial in alone]
    assert len(rows) == 18
    page, bits = (ROOT / "docs" / "golf.md").read_text(), math.log(2)
    for row in rows:
        figures = f"{row.val_loss / bits:.4f} | {row.delta / bits:+.4f} | {row.weights_bytes:,}"
        assert f"| {row.label} | {figures} |" in page


def test_the_agreement_in_the_docs_is_the_one_that_ships(shipped):
    names = {study.name for study in shipped.studies()}
    if not {"measured-open", "measured-toystories"} <= names:
        assert "not measured yet" in (ROOT / "docs" / "measurements.md").read_text()
        return
    found = agreement(shipped, "measured-open", "measured-toystories")
    said = f"Spearman {found.spearman:.2f} over {len(found.rows)} recipes"
    assert said in (ROOT / "docs" / "measurements.md").read_text()


def test_the_belts_in_the_docs_are_those_that_ship(shipped):
    section = section_of("Belts")
    if not (held := shipped.belts()):
        assert "Not measured yet" in section
    for belt in held:
        label = division_named(belt.division).label(belt.config)
        assert f"| {belt.division} | {label} | {belt.val_loss:.4f} | {len(belt.scores)} |" in section


def test_the_example_report_is_what_the_shipped_ledger_gives(shipped):
    page = (ROOT / "docs" / "example-report.md").read_text()
    assert page == to_markdown(report_of(shipped.path, "measured-champion"))


def test_the_ablation_in_the_docs_is_the_one_that_ships(shipped):
    section = section_of("The champion's ablation")
    try:
        found = parts(shipped)
    except DataError:
        found = []
    if not found or any(part.verdict == NOT_MEASURED for part in found):
        assert "Not measured yet" in section
    else:
        assert markdown_of_parts(found) in section


def section_of(title):
    page = (ROOT / "docs" / "measurements.md").read_text()
    return page.split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_table_of_fighters_has_each_technique_with_what_it_declares_and_scored(shipped):
    """Parameters and FLOPs are the catalog's, scores the shipped runs'; what is measured is some machine's."""
    rows = (ROOT / "docs" / "fighters.md").read_text().splitlines()
    scores = recorded(shipped)
    for slot, name in chosen(None):
        costs = " | ".join(declared(alone(slot, name, FEATHERWEIGHT.budget)))
        (row,) = [row for row in rows if row.startswith(f"| {slot} | {name} | {costs} |")]
        assert row.endswith(f" | {number(scores.get((slot, name)))} |"), f"{name}: run `make fighters`"


PAIRS_OF_BYTES = 2.3031  # what counting them scores on the real sample; docs/measurements.md has the command


def test_no_fighter_is_broken_every_architecture_beats_a_bigram_and_every_optimizer_sgd(shipped):
    scores = recorded(shipped)
    for slot in ("features", "mixer", "mixer_modifiers", "ffn", "residual", "block_modifiers", "head", "logits"):
        for name in [name for named, name in scores if named == slot]:
            at_other_rates = [t.val_loss for t in shipped.trials("measured-hybrid_norm") if t.val_loss]
            best = min(scores[slot, name], *at_other_rates) if name == "hybrid_norm" else scores[slot, name]
            assert best < PAIRS_OF_BYTES, name
    others = {name: loss for (slot, name), loss in scores.items() if slot == "optimizer" and name != "sgd"}
    assert max(others.values()) < scores["optimizer", "sgd"], others


def test_the_readmes_fighters_scored_what_it_says(shipped):
    page, scores = (ROOT / "README.md").read_text(), recorded(shipped)
    for said, slot, name in (
        ("baseline", "optimizer", "adamw"), ("MuonEq-R", "optimizer_modifiers", "muoneq_r"),
        ("Muon", "optimizer", "muon"), ("SOAP", "optimizer", "soap"), ("Hyena", "mixer", "hyena"),
        ("Mamba", "mixer", "mamba"), ("S4D", "mixer", "s4d"), ("canon convolutions", "block_modifiers", "canon"),
        ("clipped gradients", "addons", "grad_clip"), ("RWKV-6", "mixer", "rwkv6"),
        ("int4 straight through", "precision", "int4_ste"), ("binary weights", "precision", "binary_ste"),
    ):  # fmt: skip
        assert f"{said} {scores[slot, name]:.4f}" in page.replace("\n", " ")


def test_the_table_of_claims_is_what_the_shipped_runs_say(shipped):
    """`python -m autoresearch.claims.listing` prints it."""
    page = (ROOT / "docs" / "claims.md").read_text()
    found = read_claims(shipped.path, None)
    assert markdown(found) in page
    assert footer(found).splitlines()[0] in page


def test_the_tour_is_one_picture_that_shows_each_frame_in_turn():
    place = importlib.util.spec_from_file_location("pictures", ROOT / "docs" / "pictures.py")
    assert place is not None
    assert place.loader is not None
    pictures = importlib.util.module_from_spec(place)
    place.loader.exec_module(pictures)
    page = (ROOT / "docs" / "tour.svg").read_text()
    frames = [g for g in ElementTree.fromstring(page).iter() if g.get("class") == "frame"]
    assert [g.get("id") for g in frames] == [f"frame{i}" for i in range(len(pictures.TOUR))]
    one = '<svg class="rich-terminal" viewBox="0 0 9 9" xmlns="http://www.w3.org/2000/svg"><text>%s</text></svg>'
    page_of_two = ElementTree.fromstring(pictures.tour([one % "a", one % "b"]))
    assert ["".join(g.itertext()) for g in page_of_two.iter() if g.get("class") == "frame"] == ["a", "b"]
    assert "takes&#160;some&#160;seconds" not in page


def test_a_rank_correlation_by_hand():
    assert spearman([1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0]) == pytest.approx(1.0)
    assert spearman([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]) == pytest.approx(-1.0)
    # 1 - 6 * (0 + 1 + 1 + 0) / (4 * 15)
    assert spearman([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0]) == pytest.approx(0.8)


@pytest.mark.parametrize("file", shipped_files(), ids=lambda file: file.stem)
def test_a_measurement_survives_its_trip_through_text(file, tmp_path):
    """Each in a store of its own: a run that two measurements share stands once in a common one."""
    import_measured(tmp_path / "arena.db", file, shipped=True)
    export_measured(tmp_path / "arena.db", file.stem, tmp_path / file.name)
    assert (tmp_path / file.name).read_text() == file.read_text()
