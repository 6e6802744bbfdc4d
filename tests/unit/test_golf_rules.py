"""Golf's verdicts and units: the worked examples of parameter_golf_rules.md 3."""

import math

import pytest

from autoresearch.verdicts import Comparison, Method, Sample, Verdict, against_bound, decide, welch
from bench.tracks import CASEOPS, GOLF, SP1024, SP4096, SP8192, TOKENIZERS, VerdictRule, golf_rules

STRICT, PROGRESSION = GOLF.rules


def sample(*bpb):
    """Scores given in bits per byte, in the unit inside."""
    return Sample({seed: score * math.log(2) for seed, score in enumerate(bpb, start=1)})


@pytest.mark.parametrize(
    ("tokenizer", "bpb_per_nat", "strict_bpb"),
    [(SP1024, 0.59226, 0.00296), (SP4096, 0.43458, 0.00217), (SP8192, 0.38713, 0.00194), (CASEOPS, 0.45695, 0.00228)],
    ids=lambda case: getattr(case, "name", ""),
)
def test_a_nat_per_token_in_bits_per_byte(tokenizer, bpb_per_nat, strict_bpb):
    assert tokenizer.bpb_per_nat == pytest.approx(bpb_per_nat, abs=1e-5)
    assert 0.005 * tokenizer.bpb_per_nat == pytest.approx(strict_bpb, abs=5e-6)
    strict, progression = golf_rules(tokenizer)
    assert strict.margin / math.log(2) == pytest.approx(strict_bpb, abs=5e-6)
    assert (strict.alpha, progression.alpha, progression.margin) == (0.01, 0.25, 0.0)


@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=lambda t: t.name)
def test_tokens_per_byte_are_those_of_the_whole_validation_split(tokenizer):
    assert tokenizer.valid_tokens / 151_078_222 == pytest.approx(tokenizer.tokens_per_byte, abs=1e-5)


def test_a_gain_in_bits_per_byte_back_in_nats():
    assert 0.0178 / SP1024.bpb_per_nat == pytest.approx(0.030, abs=5e-4)


def test_r49_beats_the_baseline_by_more_than_the_margin():
    """Its authors took the margin in bits per byte, which is stricter."""
    own = sample(1.20576485, 1.2061746, 1.20715923)
    found = against_bound(own, 1.2243657 * math.log(2))
    in_bpb = 0.005 * math.log(2)
    assert -(found.effect + in_bpb) / found.se == pytest.approx(31.42, abs=0.005)
    assert found.df == 2
    assert found.p(in_bpb) == pytest.approx(0.00051, abs=5e-6)
    assert decide(found, STRICT).verdict is Verdict.SUPPORTED


def test_r52():
    found = Comparison(effect=1.20136 - 1.21114, se=0.00187 / math.sqrt(3), df=2, n_new=3, n_old=3, method=Method.BOUND)
    assert -found.effect / found.se == pytest.approx(9.06, abs=0.005)
    assert found.p(0.0) == pytest.approx(0.006, abs=5e-4)


def test_r77_lies_below_its_claimed_bound():
    own = sample(1.1927, 1.1935, 1.1921, 1.1929)
    assert against_bound(own, 1.195 * math.log(2)).p(0.0) == pytest.approx(0.00234, abs=2e-5)


def test_r86_gains_so_much_that_no_margin_matters():
    found = Comparison(effect=-0.1307, se=0.00072 / math.sqrt(3), df=2, n_new=3, n_old=3, method=Method.BOUND)
    assert -found.effect / found.se == pytest.approx(313.2, rel=5e-3)


def test_r1019_against_r549_by_welch():
    new, old = sample(1.11508120, 1.11437394, 1.11475014), sample(1.11922988, 1.12002032, 1.11888882)
    found = welch(new, old)
    assert found.effect / found.se == pytest.approx(-11.83, abs=0.005)
    assert found.df == pytest.approx(3.31, abs=0.005)
    gain = -found.effect / math.log(2) / SP1024.bpb_per_nat
    assert gain == pytest.approx(0.00784, abs=5e-5)
    assert decide(found, STRICT).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize("p", [0.001, 0.020, 0.063, 0.188])
def test_what_was_merged_late_passes_the_progression_rule(p):
    assert p < PROGRESSION.alpha
    assert (p < STRICT.alpha) is (p == 0.001)


def test_to_show_the_margin_of_sp8192_takes_a_gain_twice_as_large():
    critical, sd = 6.965, 0.0005
    least = 0.00194 + critical * sd / math.sqrt(3)
    assert least == pytest.approx(0.0040, abs=5e-5)
    rule = golf_rules(SP8192)[0]

    def verdict(gain):
        unit = math.log(2)
        found = Comparison(
            effect=-gain * unit, se=sd / math.sqrt(3) * unit, df=2, n_new=3, n_old=3, method=Method.BOUND
        )
        return decide(found, rule).verdict

    assert verdict(least + 2e-5) is Verdict.SUPPORTED
    assert verdict(least - 2e-5) is not Verdict.SUPPORTED


def test_the_two_rules_differ_where_the_gain_is_small():
    new, old = sample(1.0800, 1.0804, 1.0802), sample(1.0808, 1.0812, 1.0810)
    assert decide(welch(new, old), PROGRESSION).verdict is Verdict.SUPPORTED
    assert decide(welch(new, old), STRICT).verdict is not Verdict.SUPPORTED
    assert VerdictRule(0.25, 0.0, "progression") == PROGRESSION
