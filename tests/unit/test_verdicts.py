"""Comparisons against scipy's own tests, and what is made of them."""

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from autoresearch.looks import paired_power, welch_power
from autoresearch.noise import Noise, Sample
from autoresearch.verdicts import (
    Comparison,
    Method,
    Place,
    Verdict,
    choose_method,
    decide,
    decide_all,
    more_seeds,
    not_testable,
    paired,
    place_in_stack,
    pooled,
    unscored,
    welch,
)
from bench.records import Reason
from bench.tracks import FEATHERWEIGHT, GOLF, VerdictRule

calm = settings(max_examples=50, deadline=None)

RULE = FEATHERWEIGHT.rules[0]
STRICT = VerdictRule(alpha=0.01, margin=0.005)


def sample(*scores):
    return Sample(dict(enumerate(scores, start=1001)))


OLD = sample(1.1451, 1.1442, 1.1455)
BETTER = sample(1.1401, 1.1409, 1.1405)
UNSURE = sample(1.1431, 1.1442, 1.1405)
NOISE = Noise(sigma=0.0007, low=0.0005, high=0.0012, df=12)

arms = st.lists(st.integers(10_000, 12_000).map(lambda i: i / 10_000), min_size=2, max_size=10)


def spread(*samples):
    return all(s.variance > 0 for s in samples)


def listed(arm):
    return list(arm.scores.values())


@calm
@given(arms, arms, st.sampled_from((0.0, 0.005)))
def test_welch_is_scipys(new, old, margin):
    assume(spread(sample(*new), sample(*old)))
    found = welch(sample(*new), sample(*old))
    theirs = stats.ttest_ind([score + margin for score in new], old, equal_var=False, alternative="less")
    assert found.p(margin) == pytest.approx(theirs.pvalue, rel=1e-6)
    assert found.df == pytest.approx(theirs.df)


@calm
@given(arms, arms)
def test_the_interval_of_welch_is_scipys(new, old):
    assume(spread(sample(*new), sample(*old)))
    theirs = stats.ttest_ind(new, old, equal_var=False).confidence_interval(0.98)
    assert welch(sample(*new), sample(*old)).interval(0.01) == pytest.approx((theirs.low, theirs.high), rel=1e-6)


@calm
@given(st.lists(st.tuples(*[st.integers(10_000, 12_000)] * 2), min_size=2, max_size=10))
def test_the_paired_test_is_scipys(pairs):
    new, old = ([pair[i] / 10_000 for pair in pairs] for i in (0, 1))
    assume(len({a - b for a, b in pairs}) > 1)
    found = paired(sample(*new), sample(*old))
    assert found.p(0.0) == pytest.approx(stats.ttest_rel(new, old, alternative="less").pvalue, rel=1e-6, abs=1e-12)
    theirs = stats.ttest_rel(new, old).confidence_interval(0.98)
    assert found.interval(0.01) == pytest.approx((theirs.low, theirs.high), rel=1e-6, abs=1e-12)


def test_the_order_of_seeds_does_not_matter_to_pairs():
    shuffled = Sample(dict(reversed(OLD.scores.items())))
    assert paired(BETTER, shuffled).p(0.0) == paired(BETTER, OLD).p(0.0)


def test_pairs_need_the_same_seeds():
    with pytest.raises(ValueError, match=r"only one has \[7, 9\]"):
        paired(Sample({42: 1.1, 7: 1.2}), Sample({42: 1.1, 9: 1.2}))


def test_the_pooled_test_has_the_noise_and_its_degrees_of_freedom():
    found = pooled(sample(1.140), sample(1.143, 1.144), NOISE)
    assert found.p(0.0) == pytest.approx(stats.t.cdf(-0.0035 / (0.0007 * math.sqrt(1.5)), 12))


def test_welch_by_hand():
    # means 2 and 4, variances 1 and 4, parts 1/3 and 4/3: t = -2 / sqrt(5/3), df = (5/3)^2 / (1/18 + 16/18)
    found = welch(sample(1.0, 2.0, 3.0), sample(2.0, 4.0, 6.0))
    assert (found.effect, found.se, found.df) == pytest.approx((-2.0, math.sqrt(5 / 3), 50 / 17))


@pytest.mark.parametrize("compare", [welch, paired])
def test_one_seed_gives_no_p(compare):
    found = compare(sample(1.1), sample(1.2))
    assert (found.p(0.0), found.p_against(0.0), found.interval(0.01)) == (None, None, None)


@pytest.mark.parametrize("compare", [welch, paired])
def test_equal_scores_in_both_arms_show_nothing_however_far_apart(compare):
    judgement = decide(compare(sample(1.1, 1.1, 1.1), sample(1.2, 1.2, 1.2)), RULE)
    assert (judgement.verdict, judgement.p) == (Verdict.INCONCLUSIVE, None)


def test_differences_that_vary_by_rounding_alone_show_nothing():
    old = sample(3.95, 1.2, 2.9)
    new = sample(*[score + 0.1 for score in listed(old)])
    assert len({a - b for a, b in zip(listed(new), listed(old), strict=True)}) > 1
    assert paired(new, old).p(0.0) is None


def test_one_arm_without_spread_is_tested_by_the_other():
    assert welch(sample(1.1, 1.1, 1.1), sample(1.2, 1.21, 1.22)).df == pytest.approx(2)


@calm
@given(arms, arms)
def test_swapping_the_arms_flips_the_sign(new, old):
    assume(spread(sample(*new), sample(*old)))
    one, other = welch(sample(*new), sample(*old)), welch(sample(*old), sample(*new))
    assert one.effect == -other.effect
    assert one.p(0.0) == pytest.approx(other.p_against(0.0))
    assert one.p(0.0) + other.p(0.0) == pytest.approx(1)


@calm
@given(arms, arms, st.floats(-1, 1))
def test_moving_both_arms_alike_changes_nothing(new, old, by):
    assume(spread(sample(*new), sample(*old)))
    one = welch(sample(*new), sample(*old))
    other = welch(sample(*[score + by for score in new]), sample(*[score + by for score in old]))
    assert other.effect == pytest.approx(one.effect, abs=1e-12)
    assert other.p(0.0) == pytest.approx(one.p(0.0), abs=1e-6)


@calm
@given(st.integers(1, 8), st.integers(1, 8), st.floats(1e-4, 0.1))
def test_more_seeds_of_equal_spread_never_widen_the_interval(n_new, n_old, sd):
    def arm(n, mean):
        # n pairs about the mean, scaled so that the sample's own deviation is sd
        return sample(*[mean + sign * sd * math.sqrt((2 * n - 1) / (2 * n)) for sign in (-1, 1)] * n)

    def width(n_new, n_old):
        low, high = welch(arm(n_new, 1.1), arm(n_old, 1.2)).interval(0.01)
        return high - low

    assert width(n_new + 1, n_old + 1) < width(n_new, n_old)


@calm
@given(arms, arms, st.sampled_from((RULE, STRICT, GOLF.rules[1])))
def test_the_verdict_is_what_the_interval_excludes(new, old, rule):
    assume(spread(sample(*new), sample(*old)))
    judgement = decide(welch(sample(*new), sample(*old)), rule)
    assert (judgement.verdict is Verdict.SUPPORTED) == (judgement.high < -rule.margin)
    assert (judgement.verdict is Verdict.REFUTED) == (judgement.low > -rule.margin)


def test_a_shown_gain_supports_the_claim():
    assert decide(welch(BETTER, OLD), RULE).verdict is Verdict.SUPPORTED
    assert decide(welch(BETTER, OLD), RULE).why == (
        "better: p = 0.00075, below 0.01 (-0.00443 nats/byte, 98 % interval -0.00634 to -0.00253, welch at n = 3)"
    )


def test_a_shown_loss_refutes_the_claim():
    assert decide(welch(OLD, BETTER), RULE).verdict is Verdict.REFUTED
    assert decide(welch(OLD, BETTER), RULE).why.startswith("worse: p = 0.00075 against the claim, below 0.01 (+0.00443")


def test_a_gain_too_small_for_the_margin_refutes_a_claim_of_more():
    rule = VerdictRule(alpha=0.01, margin=0.01)
    assert decide(welch(BETTER, OLD), RULE).verdict is Verdict.SUPPORTED
    assert decide(welch(BETTER, OLD), rule).verdict is Verdict.REFUTED
    assert decide(welch(BETTER, OLD), rule).why.startswith("not better by more than 0.01 nats/byte: p = ")


def test_an_open_question_says_how_many_seeds_would_close_it():
    assert decide(welch(UNSURE, OLD), RULE).verdict is Verdict.INCONCLUSIVE
    assert decide(welch(UNSURE, OLD), RULE).why == (
        "p = 0.0785, not below 0.01; about 7 more seeds an arm would decide an effect of this size "
        "(-0.00233 nats/byte, 98 % interval -0.00860 to +0.00393, welch at n = 3)"
    )


def test_an_effect_of_nothing_says_that_no_seeds_would_decide():
    assert "not even 512 seeds an arm would decide" in decide(welch(UNSURE, sample(*listed(UNSURE))), RULE).why


def test_single_runs_say_that_one_seed_has_no_spread():
    judgement = decide(welch(sample(1.1), sample(1.2, 1.3)), RULE)
    assert judgement.why == "one seed has no spread to test by (-0.15000 nats/byte, welch at n = 1 against 2)"
    assert (judgement.effect, judgement.low, judgement.high, judgement.n) == (pytest.approx(-0.15), None, None, 1)


def test_three_candidates_need_more_than_one():
    # p = 0.006: enough alone, not as one of three
    close = Comparison(effect=-0.003, se=0.001, df=8, n_new=5, n_old=5, method=Method.WELCH)
    idle = Comparison(effect=0.0, se=0.001, df=8, n_new=5, n_old=5, method=Method.WELCH)
    assert decide(close, RULE).verdict is Verdict.SUPPORTED
    among = decide_all([idle, close, idle], RULE)
    assert [judgement.verdict for judgement in among] == [Verdict.INCONCLUSIVE] * 3
    assert among[1].p == pytest.approx(3 * stats.t.cdf(-3, 8))
    assert "not below 0.01 over 3 candidates; " in among[1].why
    assert (among[1].low, among[1].high) == close.interval(0.01 / 3)


def test_a_candidate_without_a_p_keeps_its_place_and_costs_the_others_nothing():
    found = decide_all([welch(sample(1.1), OLD), welch(BETTER, OLD)], RULE)
    assert [judgement.verdict for judgement in found] == [Verdict.INCONCLUSIVE, Verdict.SUPPORTED]
    assert found[1] == decide(welch(BETTER, OLD), RULE)


@pytest.mark.parametrize("method", Method)
def test_the_seeds_asked_for_reach_the_power_if_all_is_as_it_seems(method):
    found = Comparison(effect=-0.001, se=0.0007, df=4, n_new=3, n_old=3, method=method)
    total = 3 + more_seeds(found, RULE)
    sigma = 0.0007 * math.sqrt(3)
    reached = {
        Method.WELCH: welch_power(0.001, sigma / math.sqrt(2), total, total, 0.01),
        Method.PAIRED: paired_power(0.001, sigma, total, 0.01),
        Method.BOUND: paired_power(0.001, sigma, total, 0.01),
        Method.POOLED: stats.nct.sf(stats.t.isf(0.01, 4), 4, 0.001 / (sigma / math.sqrt(total))),
    }[method]
    assert 0.8 <= reached < 0.9


def test_seeds_are_asked_for_the_distance_to_the_margin():
    at_margin = Comparison(effect=-0.006, se=0.0007, df=4, n_new=3, n_old=3, method=Method.WELCH)
    at_zero = Comparison(effect=-0.001, se=0.0007, df=4, n_new=3, n_old=3, method=Method.WELCH)
    assert more_seeds(at_margin, STRICT) == more_seeds(at_zero, RULE)


def test_an_open_question_asks_for_one_more_seed_at_least():
    # two degrees of freedom were bad luck: as a rule three seeds show 6.8 standard errors
    unlucky = Comparison(effect=-0.0068, se=0.001, df=2, n_new=3, n_old=3, method=Method.WELCH)
    assert decide(unlucky, RULE).verdict is Verdict.INCONCLUSIVE
    assert more_seeds(unlucky, RULE) == 1


@pytest.mark.parametrize(("n", "limit"), [(3, 0.5), (4, 0.5), (5, 0.7), (6, 0.7), (7, 0.8), (10, 0.8)])
def test_pairs_are_tested_only_where_the_ratio_says_that_pairing_pays(n, limit):
    assert [choose_method(ratio, n) for ratio in (limit - 0.01, limit)] == [Method.PAIRED, Method.WELCH]


@pytest.mark.parametrize(("ratio", "n"), [(None, 7), (0.1, 2)])
def test_without_a_ratio_or_with_two_seeds_the_test_is_welchs(ratio, n):
    assert choose_method(ratio, n) is Method.WELCH


@pytest.mark.parametrize(("n", "limit", "gain"), [(3, 0.5, 3.5), (5, 0.7, 2), (7, 0.8, 1.5)])
def test_at_the_limit_of_the_ratio_both_tests_have_the_same_power(n, limit, gain):
    assert paired_power(gain, math.sqrt(2 * limit), n, 0.01) == pytest.approx(
        welch_power(gain, 1, n, n, 0.01), abs=0.03
    )


@pytest.mark.parametrize(
    ("reasons", "verdict"),
    [
        ((Reason.REFUSED,), Verdict.INFEASIBLE),
        ((Reason.TOO_LARGE, Reason.TOO_SLOW), Verdict.INFEASIBLE),
        ((Reason.DIVERGED,), Verdict.FAILED),
        ((Reason.REFUSED, Reason.CRASHED), Verdict.FAILED),
    ],
)
def test_a_cap_makes_a_config_infeasible_and_all_else_makes_it_failed(reasons, verdict):
    assert unscored(reasons, 3).verdict is verdict


def test_a_failure_says_how_many_runs_it_took_and_why():
    reasons = (Reason.OUT_OF_TIME, Reason.DIVERGED, Reason.DIVERGED)
    assert unscored(reasons, 5).why == "3 of 5 runs ended without a score: 2 diverged, 1 out of time"
    assert unscored(reasons, 5).n == 2


def test_runs_that_all_have_scores_are_no_failure():
    with pytest.raises(ValueError, match="compare them"):
        unscored((), 3)


def test_a_claim_that_cannot_be_tested_says_so():
    judgement = not_testable("the page does not state its split")
    assert (judgement.verdict, judgement.p) == ("not testable as published", None)


TOLERANCE = NOISE.single_run_bound


def test_a_technique_whose_absence_costs_is_needed():
    found = place_in_stack(welch(OLD, BETTER), RULE, TOLERANCE)
    assert found.place is Place.NEEDED
    assert found.why.startswith("dropping it costs: p = 0.00075, below 0.01 (+0.00443 nats/byte, ")
    assert found.p == pytest.approx(0.00075, abs=1e-5)


def test_a_technique_whose_absence_gains_is_harmful():
    found = place_in_stack(welch(BETTER, OLD), RULE, TOLERANCE)
    assert found.place is Place.HARMFUL
    assert found.why.startswith("dropping it gains: p = 0.00075, below 0.01 (-0.00443 nats/byte, ")


def test_a_technique_that_noise_hides_is_inconclusive_and_says_what_would_tell():
    found = place_in_stack(welch(UNSURE, OLD), RULE, TOLERANCE)
    assert found.place is Place.INCONCLUSIVE
    assert found.why.startswith("dropping it is not shown to gain: p = 0.0785, not below 0.01; about 7 more seeds")


def test_a_technique_that_earns_less_than_the_margin_is_not_needed():
    found = place_in_stack(welch(OLD, BETTER), STRICT, TOLERANCE)
    assert found.place is Place.INCONCLUSIVE
    assert found.why.startswith("dropping it is not shown to cost by more than 0.005 nats/byte: p = 0.856")


@pytest.mark.parametrize(("shift", "place"), [(0.0002, Place.NEUTRAL), (0.0012, Place.INCONCLUSIVE)])
def test_a_technique_is_neutral_only_when_it_is_shown_to_matter_less_than_a_lone_run_could_show(shift, place):
    stack = sample(1.1400, 1.1405, 1.1410)
    without = Sample({seed: score + shift for seed, score in stack.scores.items()})
    found = place_in_stack(pooled(without, stack, NOISE), RULE, TOLERANCE)
    assert found.place is place
    assert ("moves val_loss by less than 0.00198 nats/byte" in found.why) == (place is Place.NEUTRAL)


def test_single_runs_leave_a_technique_inconclusive():
    assert place_in_stack(welch(sample(1.1), sample(1.2)), RULE, TOLERANCE).place is Place.INCONCLUSIVE


def test_two_seeds_tell_against_pooled_noise_what_they_cannot_alone():
    without, stack = sample(1.1451, 1.1432), sample(1.1401, 1.1409)
    assert place_in_stack(welch(without, stack), RULE, TOLERANCE).place is Place.INCONCLUSIVE
    assert place_in_stack(pooled(without, stack, NOISE), RULE, TOLERANCE).place is Place.NEEDED
