"""The made-up landscape against values worked out by hand from its formulas."""

import itertools
import math

import pytest
from landscape import BASELINE, RECIPES, artifact_bytes, fits, out_of_memory, stack, step_seconds, true_score, walk
from landscape_waves import fraction


def effect(**chosen):
    """What a change does to the baseline's score."""
    return true_score(stack(**chosen)) - true_score(BASELINE)


def test_the_baseline_takes_ten_thousand_steps_and_is_just_under_the_cap():
    assert 600 / step_seconds(BASELINE) == pytest.approx(10_000)
    # 0.52e6 + 9 * 1.83e6 weights of one byte, packed to 92 %
    assert artifact_bytes(BASELINE) == pytest.approx(16.99e6 * 0.92 + 60e3)
    assert fits(BASELINE)


def test_the_baselines_score():
    off_lr = (math.log10(0.04) + 1.7) / 0.35
    assert true_score(BASELINE) == pytest.approx(1.2244 + 0.0016 - 0.022 + 0.010 * off_lr**2 + 0.004)
    assert true_score(BASELINE) == pytest.approx(1.215448, abs=1e-6)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"activation": "swiglu"}, 0.004),
        ({"activation": "leaky2"}, -0.003),
        ({"partial_rope": True}, -0.002),
        ({"ttt": True}, -0.010),
        ({"averaging": "swa"}, -0.006),
        ({"averaging": "ema", "ema__forget": 10**-2.52}, 0.015),
        ({"smear": True}, 0.003),
        ({"ortho": True}, 0.0),
        ({"smear": True, "ortho": True}, -0.006),
        ({"bigram": True, "bigram__k": 1024}, -0.006 / 3.4 * 0.6),
        ({"bigram": True, "bigram__k": 16384}, -0.006 * 0.6),
        ({"quant": "int6"}, 0.003 * 1.6),
        ({"quant": "int5", "fp16_embedding": True}, 0.016 - 0.002 - 0.0016),
        ({"weight_decay": 10**-1.4}, -0.004),
        ({"qat": True}, 0.055 * math.log(1.10) - 0.0016 * 0.65),
        ({"xsa": True, "xsa__k": 7}, -0.010 + 0.055 * math.log(1.028)),
        ({"seq": 2048}, -0.016 + 0.055 * math.log(1.35)),
        ({"layers": 11}, (-0.066 + 0.055) * math.log(11 / 9)),
        ({"mlp": 3}, -0.045 * math.log(1.5) + 0.055 * math.log(1.15)),
    ],
    ids=str,
)
def test_each_main_effect_is_as_reported(chosen, expected):
    assert effect(**chosen) == pytest.approx(expected, abs=1e-12)


def test_ema_helps_only_beside_xsa():
    beside = {"xsa": True, "xsa__k": 7}
    with_ema = effect(**beside, averaging="ema", ema__forget=10**-2.52)
    assert with_ema - effect(**beside) == pytest.approx(-0.010)
    assert effect(averaging="ema", ema__forget=10**-2.52) == pytest.approx(0.015)


def test_test_time_training_hurts_where_xsa_and_ema_are_both_on():
    both = {"xsa": True, "xsa__k": 7, "averaging": "ema", "ema__forget": 0.003}
    assert effect(**both, ttt=True) - effect(**both) == pytest.approx(0.010)


def test_a_learning_rate_decades_off_costs_three_tenths_at_most():
    at_best = stack(optimizer="adamw", **{"adamw.lr": 10**-2.9})
    far = {**at_best, "adamw.lr": 1e3}
    assert true_score(far) - true_score(at_best) == pytest.approx(0.3)


def test_depth_times_width_times_context_runs_out_of_memory():
    assert not out_of_memory(stack(layers=12, mlp=3, seq=4096))
    assert out_of_memory(stack(layers=13, mlp=3, seq=4096))


def test_the_first_recipe_is_over_the_cap_and_the_second_fits():
    sizes = [artifact_bytes(recipe) for recipe in RECIPES]
    assert sizes == pytest.approx([26.37e6 * 0.69 + 0.56e6, 21.67e6 * 0.69 + 0.06e6])
    assert [fits(recipe) for recipe in RECIPES] == [False, True]


def test_there_are_twenty_choices():
    everything = stack(xsa=True, averaging="ema", bigram=True, xsa__k=7, ema__forget=0.003, bigram__k=2048)
    assert len(everything) == 20


def test_a_knob_is_asked_for_only_beside_its_technique():
    asked = []
    walk(lambda name, values: (asked.append(name), BASELINE.get(name, False))[1])
    assert not {"xsa.k", "ema.forget", "bigram.k", "adamw.lr"} & set(asked)


@pytest.mark.parametrize("n_runs", [8, 16])
def test_in_a_wave_no_technique_passes_for_another_or_for_a_pair(n_runs):
    columns = list(zip(*fraction(n_runs), strict=True))
    pairs = [[a * b for a, b in zip(one, other, strict=True)] for one, other in itertools.combinations(columns, 2)]
    for column, other in [*itertools.combinations(columns, 2), *itertools.product(columns, pairs)]:
        assert sum(column) == sum(a * b for a, b in zip(column, other, strict=True)) == 0
