"""What is said of trials side by side: differences with intervals, how the best came down, who is kin to whom."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from arena_tui.contrast import Noise, contrast, pooled_noise
from arena_tui.feed import Feed
from arena_tui.history import as_stairs, best_so_far
from arena_tui.kin import ancestors, children, patterns
from arena_tui.mirror import Mirror
from arena_tui.side_by_side import basis, differing, measured
from arena_tui.trial_page import changes
from arena_tui.widgets.curves import seed_band
from studies.reading import Reader

OLD, NEW = {1: 1.44, 2: 1.45, 3: 1.438}, {1: 1.30, 2: 1.31, 3: 1.29, 4: 1.305}


@pytest.fixture
def mirror(confirmed: Path) -> Mirror:
    made, feed = Mirror(), Feed(str(confirmed), lambda _: None, lambda: 0.0)
    feed.choose("optimizer-1")
    while (delta := feed.poll()) is not None:
        made.apply(delta)
        if not delta.more:
            break
    return made


def test_the_interval_is_welchs() -> None:
    found = contrast(NEW, OLD, None)
    expected = stats.ttest_ind(list(NEW.values()), list(OLD.values()), equal_var=False).confidence_interval(0.95)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.basis == "Welch, n = 4 and 3"


def test_one_seed_takes_the_noise_of_the_board_and_says_so() -> None:
    noise = pooled_noise([OLD, NEW, {1: 9.0}])
    assert noise is not None
    assert noise.df == 5
    found = contrast({1: 1.3}, {1: 1.4}, noise)
    assert found is not None
    reach = stats.t.ppf(0.975, 5) * noise.sigma * 2**0.5
    assert (found.low, found.high) == pytest.approx((-0.1 - reach, -0.1 + reach))
    assert found.basis == "noise of the board, n = 1 and 1"


def test_without_any_noise_there_is_no_interval() -> None:
    found = contrast({1: 1.3}, {1: 1.4}, pooled_noise([{1: 1.3}]))
    assert found is not None
    assert (found.low, found.high) == (None, None)
    assert contrast({}, OLD, Noise(0.01, 3)) is None


def test_a_band_goes_as_far_as_every_seed_does() -> None:
    x = np.array([10.0, 20.0, 30.0])
    grid, mean, low, high = seed_band([(x, np.array([3.0, 2.0, 1.0])), (x[:2], np.array([5.0, 3.0]))])
    assert grid.tolist() == [10.0, 20.0]
    assert (mean.tolist(), low.tolist(), high.tolist()) == ([4.0, 2.5], [3.0, 2.0], [5.0, 3.0])


def test_the_best_comes_down_and_only_three_seeds_confirm(mirror: Mirror) -> None:
    seen, confirmed = best_so_far(mirror.trials_of("optimizer-1"))
    assert [(step.n_ended, step.trial) for step in seen] == [(1, 0), (2, 1), (5, 5)]
    assert [(step.n_ended, step.trial) for step in confirmed] == [(9, 10), (11, 12)]
    assert as_stairs(confirmed, 11)[0] == [9, 11, 11]


def test_kin_are_read_off_the_reasons(mirror: Mirror) -> None:
    trials = mirror.trials_of("optimizer-1")
    assert [t.number for t in ancestors(trials[11], trials)] == [5]
    assert [t.number for t in children(trials[5], trials)] == [11, 12]


def test_a_failure_is_put_beside_those_that_ended_the_same_way(mirror: Mirror) -> None:
    trials = mirror.trials_of("optimizer-1")
    told = [pattern.told("diverged") for pattern in patterns(trials[3], trials)]
    assert told[:2] == [
        "1 of 1 with optimizer sophia and lr >= 0.03 ended diverged: #3",
        "1 of 2 with optimizer sophia ended diverged: #3",
    ]


def test_only_what_differs_is_listed(mirror: Mirror) -> None:
    trials = mirror.trials_of("optimizer-1")
    rows = {fact.name: fact.cells for fact in differing([trials[5], trials[1]])}
    assert rows == {"optimizer.lr": ("0.04", "0.02")}
    found = {fact.name: fact.cells for fact in measured([trials[0], trials[5], trials[10]], trials[0], mirror)}
    assert found["delta"] == ("reference", "-0.1477", "same config")
    assert found["seeds"][1] == "3 sd 0.0046"
    assert basis([trials[0], trials[5]], trials[0], mirror) == "Welch, n = 3 and 3"


def test_changes_say_what_is_gone_as_well(mirror: Mirror) -> None:
    trials = mirror.trials_of("optimizer-1")
    assert ("optimizer", "without adamw") in changes(trials[5].config, trials[0].config)


def test_phases_and_verdicts_are_read_with_their_words(confirmed: Path) -> None:
    reader = Reader(confirmed)
    phases, verdicts = reader.phases(), reader.verdicts("optimizer-1")
    reader.close()
    assert [(p.study, p.name, p.ended_reason) for p in phases] == [
        ("optimizer-1", "noise floor", "every planned trial is done"),
        ("optimizer-1", "confirm", None),
    ]
    assert (verdicts[0].verdict, verdicts[0].why, verdicts[0].n) == ("supported", "lower by 0.1477 nats/byte [both]", 3)
