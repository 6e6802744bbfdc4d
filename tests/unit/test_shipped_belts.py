"""`make measure belts`: each fighter graded in a ledger of its own, and its belt carried to the others as text."""

import hashlib
import shutil
from dataclasses import replace
from io import StringIO

import pytest
from in_process import InProcess
from made_up import CORPUS
from rich.console import Console
from ring import LOSSES, Ring

from autoresearch import measure, session
from autoresearch.grading.listing import belts_table
from autoresearch.starting import read_fighter
from bench.config import SLOT_NAMES, fingerprint
from bench.divisions import BASE, DIVISIONS
from bench.tracks import PUBLISHED_SEEDS
from studies import belts
from studies.measurements import BELTS, FAMILIES, LEFT_OUT, Measurement, measurements_named
from studies.reading import Reader
from studies.shipped import export_measured, import_files, import_measured
from studies.store import Store


class Bench:
    """The project's folder of measurements and this machine's scratch ledgers, with fights that are fixed."""

    def __init__(self, folder, patch):
        self.measured, self.scratch, self.patch = folder / "measured", folder / "scratch", patch
        self.measured.mkdir(parents=True)
        patch.setattr(measure, "corpus_for", lambda track, data: CORPUS)
        patch.setattr(measure, "data_of", lambda measurement: "auto")

    def files(self):
        return sorted(self.measured.glob("*.jsonl"))

    def go_on(self, measurement, executor=None):
        """One piece of a measurement; returns what it said."""
        executor = executor or Ring(losses=LOSSES)
        self.patch.setattr(measure, "FOLDER", self.measured)
        self.patch.setattr(measure, "SCRATCH", self.scratch)
        self.patch.setattr(measure, "shipped_files", self.files)
        self.patch.setattr(session, "LocalExecutor", lambda *given: executor)
        said = Console(file=StringIO(), width=1000)
        measure.go_on(measurement, None, 1, said)
        return said.file.getvalue()

    def ledger(self, path, order=None):
        import_files(path, order or self.files())
        return Reader(path)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    return Bench(tmp_path / "bench", monkeypatch)


def grading(fighter):
    (found,) = measurements_named(f"{belts.STUDIES}-{fighter}")
    return found


def of_lion() -> Measurement:
    return replace(grading("optimizer-muon"), name=f"{belts.STUDIES}-optimizer-lion", fighter="optimizer-lion")


ADAMW, LION, MUON = grading("optimizer-adamw"), of_lion(), grading("optimizer-muon")
# each a proven step below the one before
DOWNHILL = LOSSES | {"lion": [1.140, 1.142, 1.138]}


def told(reader):
    """Every belt with its verdict; runs by what they are, since their numbers are each ledger's own."""
    runs = {
        run.id: (run.fingerprint, run.seed)
        for belt in reader.belts(lost=True)
        for run in reader.published_scores(belt.fingerprint, belt.identity).values()
    }
    for belt in reader.belts(lost=True):
        verdict = belt.verdict
        if verdict is not None:
            ids = {arm: [runs[run_id] for run_id in ids] for arm, ids in verdict.run_ids.items()}
            verdict = replace(verdict, run_ids=ids)
        yield replace(belt, verdict=verdict)


def names(reader, lost=False):
    by_print = {fingerprint(read_fighter(measure.Path(m.fighter)).config): m for m in (ADAMW, LION, MUON)}
    return [by_print[belt.fingerprint].fighter.removeprefix("optimizer-") for belt in reader.belts(lost)]


def test_a_measured_grading_takes_the_belt_and_ships_it(bench, tmp_path):
    assert "takes the optimizer belt at 500 steps, which nobody held" in bench.go_on(ADAMW)
    assert "takes the optimizer belt at 500 steps from adamw" in bench.go_on(MUON)
    reader = bench.ledger(tmp_path / "arena.db")
    lost, held = reader.belts(lost=True)
    assert (lost.study, held.study) == (ADAMW.name, MUON.name)
    assert (lost.lost_at, held.lost_at, held.champion) == (held.taken_at, None, True)
    assert held.verdict.verdict == "supported"
    assert "muon" in belts_table(reader.belts())
    assert {entry.seed for entry in reader.entries()} == set(PUBLISHED_SEEDS[:3])


def test_a_measurement_cut_in_the_middle_goes_on_from_its_file_alone(bench):
    bench.go_on(ADAMW)
    with pytest.raises(KeyboardInterrupt):
        bench.go_on(MUON, Ring(losses=LOSSES, stop_after=1))
    assert '"belt":' not in (bench.measured / f"{MUON.name}.jsonl").read_text()
    # another machine has the files and no scratch
    shutil.rmtree(bench.scratch)
    rest = Ring(losses=LOSSES)
    assert "takes" in bench.go_on(MUON, rest)
    assert rest.done == 2


def test_a_measurement_that_is_done_costs_nothing_and_its_file_stays(bench):
    bench.go_on(ADAMW)
    bench.go_on(MUON)
    before = (bench.measured / f"{MUON.name}.jsonl").read_text()
    again = Ring(losses=LOSSES)
    assert "holds the optimizer belt" in bench.go_on(MUON, again)
    assert (again.done, (bench.measured / f"{MUON.name}.jsonl").read_text()) == (0, before)


def test_the_belts_are_the_same_in_whatever_order_the_files_come(bench, tmp_path):
    for measurement in (ADAMW, LION, MUON):
        bench.go_on(measurement, Ring(losses=DOWNHILL))
    first, second, third = bench.files()
    orders = [(first, second, third), (third, second, first), (second, third, first), (third, first, second)]
    readers = [bench.ledger(tmp_path / f"{i}.db", order) for i, order in enumerate(orders)]
    assert names(readers[0], lost=True) == ["adamw", "lion", "muon"]
    assert [belt.lost_at is None for belt in readers[0].belts(lost=True)] == [False, False, True]
    in_order, *others = [list(told(reader)) for reader in readers]
    assert others == [in_order] * 3
    # and once more into a ledger that has them
    import_files(tmp_path / "0.db", orders[1])
    assert list(told(Reader(tmp_path / "0.db"))) == in_order


def test_a_file_with_a_belt_survives_its_trip_through_a_ledger_of_its_own(bench, tmp_path):
    for measurement in (ADAMW, LION, MUON):
        bench.go_on(measurement, Ring(losses=DOWNHILL))
    for file in bench.files():
        import_measured(tmp_path / f"{file.stem}.db", file, shipped=True)
        export_measured(tmp_path / f"{file.stem}.db", file.stem, tmp_path / file.name)
        assert (tmp_path / file.name).read_text() == file.read_text()


def test_a_verdict_over_anothers_runs_stands_without_the_others_file(bench, tmp_path):
    bench.go_on(ADAMW)
    bench.go_on(MUON)
    reader = bench.ledger(tmp_path / "arena.db", [bench.measured / f"{MUON.name}.jsonl"])
    (verdict,) = reader.verdicts(MUON.name)
    beaten = [reader.run(run_id)[0] for run_id in verdict.run_ids["old"]]
    assert [run.val_loss for run in beaten] == LOSSES["adamw"][:3]
    # they count as evidence, and stand on the board with their own study alone
    assert {entry.study for entry in reader.entries()} == {MUON.name}
    assert reader.curve(beaten[0].id) == []


def test_a_belt_taken_where_nobody_knew_of_the_holder_must_be_fought_for(tmp_path, monkeypatch):
    bench, other = (Bench(tmp_path / machine, monkeypatch) for machine in ("one", "other"))
    # two machines at once: each finds the belt free, and the second has the better fighter
    bench.go_on(ADAMW)
    other.go_on(MUON)
    for file in other.files():
        shutil.copy(file, bench.measured)
    for i, order in enumerate([bench.files(), bench.files()[::-1]]):
        reader = bench.ledger(tmp_path / f"{i}.db", order)
        assert names(reader) == ["adamw"]
        never = next(belt for belt in reader.belts(lost=True) if belt.study == MUON.name)
        assert never.taken_at == never.lost_at
    assert "takes the optimizer belt at 500 steps from adamw" in bench.go_on(MUON)
    reader = bench.ledger(tmp_path / "fought.db")
    assert names(reader) == ["muon"]
    assert reader.belts()[0].verdict.verdict == "supported"


def test_a_belt_keeps_the_verdict_it_was_won_by_when_its_question_is_asked_again(bench, tmp_path):
    bench.go_on(ADAMW)
    bench.go_on(MUON)
    store = Store(bench.scratch / f"{MUON.name}.db")
    (won,) = store.read.verdicts(MUON.name)
    store.judge(MUON.name, replace(won, p=0.5, run_ids={arm: ids[:2] for arm, ids in won.run_ids.items()}))
    store.close()
    export_measured(store.path, MUON.name, bench.measured / f"{MUON.name}.jsonl")
    (held,) = bench.ledger(tmp_path / "arena.db").belts()
    assert (held.verdict.p, len(held.verdict.run_ids["new"])) == (won.p, 3)


def test_what_is_left_of_a_fighter_trains_and_fights_for_no_belt(bench, tmp_path):
    measurement = replace(next(m for m in LEFT_OUT if m.without == "normuon"), steps=2, n_trials=1)
    # its digest as a worker checks it; a text long enough to be brought would take half a minute to score on
    sides = (side.tobytes() for side in (CORPUS.train, CORPUS.valid))
    whole = b"".join(len(side).to_bytes(8, "little") + side for side in sides)
    corpus = replace(CORPUS, digest=hashlib.sha256(whole).hexdigest())
    bench.patch.setattr(measure, "corpus_for", lambda track, data: corpus)
    said = bench.go_on(measurement, InProcess(corpus, tmp_path / "corpus"))
    assert "all trials are done" in said
    assert "belt" not in said
    (trial,) = bench.ledger(tmp_path / "arena.db").trials(measurement.name)
    assert (trial.run.seed, trial.val_loss is None) == (PUBLISHED_SEEDS[0], False)
    assert trial.reason == "open-trigram_hash-hyena-muon-normuon without normuon on published seed 1337"


def test_the_gradings_that_ship_begin_with_their_fighters_as_they_are():
    assert [m.fighter for m in BELTS[:3]] == ["optimizer-adamw", "optimizer-muon", belts.CHAMPION]
    assert measurements_named("belts") == BELTS
    for measurement in BELTS:
        fighter = read_fighter(measure.Path(measurement.fighter))
        spec = measure.begun(measurement, measurement.spec("sample", "d" * 64, "auto"))
        assert (spec.start, spec.division_name) == (fighter.config, fighter.division)
        assert (spec.policy, spec.n_trials, spec.budget.steps) == ("grade", 3, 500)
    assert {measurement.division_name for measurement in BELTS} == {division.name for division in DIVISIONS}


def test_the_ablation_leaves_out_each_technique_once_and_changes_nothing_else():
    whole = read_fighter(measure.Path(belts.CHAMPION)).config
    assert [m.name for m in FAMILIES[belts.ABLATION]] == [
        belts.CHAMPIONS_STUDY, *(f"measured-ablation-{gone}" for gone in ("trigram_hash", "hyena", "muon", "normuon"))
    ]  # fmt: skip
    for measurement in LEFT_OUT:
        rest = measure.begun(measurement, measurement.spec("sample", "d" * 64, "auto")).start
        changed = [slot for slot in SLOT_NAMES if rest.picks[slot] != whole.picks[slot]]
        gone = {pick.name for slot in changed for pick in whole.picks[slot]}
        assert gone == ({"muon", "normuon"} if measurement.without == "muon" else {measurement.without})
        assert all(rest.picks[slot] == BASE.picks[slot] for slot in changed)
