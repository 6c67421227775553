"""The rule of decision: which values hold, fail or leave a claim open, and how often it errs."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from ann_keras.report import decide
from ann_keras.report.published import Claim, Clause

DIFFERENCE = Clause("gain", "difference", margin=0.2, unit="points")
RATIO = Clause("ratio", "ratio", margin=1.5, unit="×")
SHARE = Clause("share", "share", margin=50, unit="%")
SINGLE = Clause("error", "single run", "holds", margin=0.3)


def claim(*, deviation="", **clauses):
    return Claim("9.9.9-a", "9.9.9", "A claim.", clauses, deviation)


def verdict(clause, value, corrected=None):
    """What is said of a claim of one clause."""
    return decide.judge(claim(deviation="D1", only=clause), {"only": value},
                        None if corrected is None else {"only": corrected}).verdict


def around(mean, number=5, spread=0.01):
    """Values of this mean and standard deviation."""
    values = np.linspace(-1, 1, number)
    return mean + spread * values / values.std(ddof=1)


@pytest.mark.parametrize("value, expected", [
    (around(0.02, spread=1e-3), "reproduced"), (around(0.0, spread=1e-4), "refuted"),
    (around(0.02, spread=0.1), "undecided"), (around(0.02, 2, 1e-4), "undecided"),
    ([0.02], "undecided"), (around(-0.02, spread=1e-3), "refuted"),
])
def test_a_difference_is_decided_where_its_interval_leaves_the_margin_out(value, expected):
    assert verdict(DIFFERENCE, value) == expected
    assert verdict(DIFFERENCE, (np.add(value, 0.5), np.full(len(value), 0.5))) == expected
    below = dataclasses.replace(DIFFERENCE, direction="below", margin=-0.2)
    assert verdict(below, -np.asarray(value)) == expected


@pytest.mark.parametrize("center, spread, expected", [
    (0.5, 0.001, "reproduced"), (0.5, 0.1, "undecided"), (0.7, 0.001, "refuted"),
    (0.3, 0.001, "refuted"), (0.55, 0.01, "undecided"),
])
def test_within_asks_both_sides(center, spread, expected):
    clause = Clause("share", "difference", "within", 5, "points", target=50)
    assert verdict(clause, around(center, spread=spread)) == expected
    factor = Clause("share", "ratio", "within", 1.1, target=0.5)
    assert verdict(factor, around(center, spread=spread)) == expected


def test_pairs_are_compared_seed_by_seed_unless_they_have_no_seeds_in_common():
    start = around(0.5, spread=0.2)
    pair = start + around(0.01, spread=1e-3)[::-1], start
    assert verdict(DIFFERENCE, pair) == "reproduced"
    unpaired = dataclasses.replace(DIFFERENCE, paired=False)
    assert verdict(unpaired, pair) == "undecided"
    assert verdict(unpaired, (around(0.9, 4), around(0.5, 7))) == "reproduced"
    known = stats.ttest_ind(*pair, equal_var=False).confidence_interval()
    effect, = decide.judge(claim(only=unpaired), {"only": pair}).effects
    assert (effect.low, effect.high) == pytest.approx((100 * known.low, 100 * known.high))


def test_a_ratio_is_that_of_geometric_means():
    first, second = np.array([2.0, 8.0, 4.0]), np.array([1.0, 1.0, 1.0])
    effect, = decide.judge(claim(only=RATIO), {"only": (first, second)}).effects
    assert effect.estimate == pytest.approx(4) and effect.n == 3
    assert math.sqrt(effect.low * effect.high) == pytest.approx(4)
    assert verdict(RATIO, around(3, spread=0.1)) == "reproduced"
    assert verdict(RATIO, around(1.2, spread=0.01)) == "refuted"


def test_shares_of_few_runs_are_open_even_if_all_agree():
    assert verdict(SHARE, np.ones(3, bool)) == "undecided"
    assert verdict(SHARE, np.ones(6, bool)) == "reproduced"
    assert verdict(SHARE, np.zeros(6, bool)) == "refuted"
    known = stats.binomtest(7, 9).proportion_ci()
    effect, = decide.judge(claim(only=SHARE), {"only": np.arange(9) < 7}).effects
    assert (effect.low, effect.high) == pytest.approx((100 * known.low, 100 * known.high))


def test_one_group_beats_another():
    clause = Clause("wins", "improvement", margin=50, unit="%", paired=False)
    low, high = np.arange(8.0), np.arange(8.0) + 5
    effect, = decide.judge(claim(only=clause), {"only": (high, low)}).effects
    assert effect.estimate == pytest.approx(100 * stats.mannwhitneyu(high, low).statistic / 64)
    assert effect.verdict == "reproduced" and verdict(clause, (low, high)) == "refuted"
    assert verdict(clause, (low, low)) == "undecided"


def test_rankings_agree():
    clause = Clause("order", "rank correlation", margin=0.5)
    order = np.arange(30.0)
    assert verdict(clause, (order, order**3)) == "reproduced"
    assert verdict(clause, (order, -order)) == "refuted"
    assert verdict(clause, (order[:3], order[:3])) == "undecided"
    assert decide.rank_correlation(order, np.ones(30)) == 0


def test_a_published_number_is_held_against_single_runs():
    assert verdict(SINGLE, around(0.3, 5, 0.1)) == "reproduced"
    assert verdict(SINGLE, around(0.3, 2, 0.1)) == "undecided"
    assert verdict(SINGLE, around(0.5, 5, 0.01)) == "refuted"
    # With few runs by a normal distribution, with many by their own quantiles.
    few, many = around(0.0, 10, 1.0), np.arange(1000.0)
    effect, = decide.judge(claim(only=SINGLE), {"only": few}).effects
    assert effect.high == pytest.approx(stats.t.ppf(0.975, 9) * math.sqrt(1.1))
    effect, = decide.judge(claim(only=SINGLE), {"only": many}).effects
    assert (effect.estimate, effect.low) == pytest.approx((499.5, 24.025))
    logs = dataclasses.replace(SINGLE, log=True)
    effect, = decide.judge(claim(only=logs), {"only": np.exp(few)}).effects
    assert effect.low * effect.high == pytest.approx(1)


def test_all_clauses_must_hold_and_one_that_fails_refutes():
    both = claim(gain=DIFFERENCE, fact=Clause("proved", "exact"))
    holds, fails, open_ = (around(m, spread=s) for m, s in ((0.02, 1e-3), (0, 1e-4), (0, 0.1)))

    def judged(gain, fact):
        return decide.judge(both, {"gain": gain, "fact": fact}).verdict

    assert judged(holds, True) == "reproduced"
    assert judged(holds, False) == judged(fails, True) == judged(open_, False) == "refuted"
    assert judged(open_, True) == "undecided"
    assert judged({"one": holds, "other": fails}, True) == "refuted"
    assert judged({"one": holds, "other": open_}, True) == "undecided"
    assert judged(holds, {"one": True, "other": False}) == "refuted"
    assert decide.judge(both, {"fact": True}).verdict == "undecided"
    assert judged({}, True) == "undecided" and judged({}, False) == "refuted"
    assert decide.judge(both, {"fact": False}).verdict == "refuted"


@pytest.mark.parametrize("clause, values, weakest", [
    (DIFFERENCE, (0.5, 0.1, 0.3, 0.4), 1),
    (dataclasses.replace(DIFFERENCE, direction="below"), (-0.5, -0.1, -0.3, -0.4), 1),
    (RATIO, (9, 5, 2, 4), 2),
    (dataclasses.replace(RATIO, direction="below"), (1, 0.2, 0.1, 1.2), 3),
    (dataclasses.replace(RATIO, direction="within", target=1.0), (1, 1.2, 0.7, 1.1), 2),
    (SINGLE, (0.3, 0.29, 0.2, 0.31), 2),
])
def test_of_many_comparisons_the_weakest_is_told(clause, values, weakest):
    groups = {f"part {place}": around(value) for place, value in enumerate(values)}
    found = decide.judge(claim(only=clause), {"only": groups})
    assert len(found.effects) == 4
    told = [place for place in range(4) if f"part {place}" in found.evidence]
    assert told == [weakest]
    one = {label: group[:1] for label, group in groups.items()}
    assert found.effects[0].asked in found.evidence
    assert decide.judge(claim(only=clause), {"only": one}).verdict == "undecided"


def test_facts_are_exact_and_have_no_effects():
    found = decide.judge(claim(fact=Clause("proved", "exact")), {"fact": np.True_})
    assert (found.verdict, found.n, found.effects) == ("reproduced", 0, ())


@pytest.mark.parametrize("published, corrected, expected", [
    (0.02, 0.0, "artefact"), (0.02, 0.02, "reproduced"), (0.0, 0.02, "refuted"),
])
def test_a_claim_that_only_the_published_protocol_fulfils_is_an_artefact(
    published, corrected, expected
):
    pair = [around(mean, spread=1e-4) for mean in (published, corrected)]
    found = decide.judge(claim(deviation="D1", only=DIFFERENCE), *({"only": v} for v in pair))
    assert found.verdict == expected and len(found.effects) == 2
    assert found.deviation == ("D1" if expected == "artefact" else "")


def test_n_is_of_what_decides():
    both = claim(first=DIFFERENCE, second=DIFFERENCE)
    values = {"first": around(0.0, spread=1e-4), "second": [0.5]}
    found = decide.judge(both, values)
    assert (found.verdict, found.n) == ("refuted", 5)
    open_ = decide.judge(both, values | {"first": around(0.5, spread=1e-4)})
    assert (open_.verdict, open_.n) == ("undecided", 1)


def test_an_interval_ends_where_the_effect_must():
    clause = Clause("correlation", "difference", margin=0.5, bounds=(-1, 1))
    effect, = decide.judge(claim(only=clause), {"only": around(0.9, 3, 0.3)}).effects
    assert effect.high == 1 and effect.low > -1
    fixed = dataclasses.replace(DIFFERENCE, fixed=True)
    effect, = decide.judge(claim(only=fixed), {"only": around(0.0045, 5, 0.01)}).effects
    assert effect.verdict == "undecided" and effect.seeds is None


def test_a_corrected_protocol_that_decides_nothing_leaves_the_claim_open():
    assert verdict(DIFFERENCE, around(0.02, spread=1e-4), [0.0]) == "undecided"


@pytest.mark.parametrize("values", [
    {"only": [0.1, np.nan, 0.2]}, {"only": []}, {"only": [[0.1]]}, {"other": [0.1]},
])
def test_values_that_are_none_are_refused(values):
    with pytest.raises(ValueError, match="finite|no clause"):
        decide.judge(claim(only=DIFFERENCE), values)


def test_seeds_that_would_decide_do_so():
    rng = np.random.default_rng(0)
    effect, = decide.judge(claim(only=DIFFERENCE), {"only": around(0.0045, 5, 0.01)}).effects
    assert effect.verdict == "undecided" and 10 < effect.seeds < 100
    draws = [verdict(DIFFERENCE, around(0.0045, effect.seeds + more, 0.01)) for more in (-1, 0)]
    assert draws == ["undecided", "reproduced"]
    hopeless, = decide.judge(claim(only=DIFFERENCE), {"only": around(0.002, 5, 0.01)}).effects
    assert hopeless.seeds is None
    assert verdict(DIFFERENCE, rng.normal(0.002, 0.01, 1000)) == "undecided"


def t_interval(values):
    return decide.interval(values)[1:]


def bootstrap_interval(values):
    found = stats.bootstrap((values,), np.mean, n_resamples=299, method="percentile", rng=0)
    return found.confidence_interval


def false_verdicts(draws, interval):
    """Shares of draws whose interval lies above or below the true mean, 0."""
    ends = np.array([interval(values) for values in draws])
    return (ends[:, 0] > 0).mean() + (ends[:, 1] < 0).mean()


@pytest.mark.parametrize("number", [3, 5, 10, 20])
def test_false_verdicts_are_rare(number):
    """An effect that lies just on the margin: either verdict would be false."""
    rng = np.random.default_rng(number)
    draws, pairs = 0.002 + rng.normal(0, 0.01, (2, 1000, number))
    found = [verdict(DIFFERENCE, values) for values in draws]
    logs = [verdict(RATIO, np.exp(np.log(1.5) + 50 * (values - 0.002))) for values in draws]
    unpaired = dataclasses.replace(DIFFERENCE, margin=0, paired=False)
    two = [verdict(unpaired, groups) for groups in zip(draws, pairs)]
    half = [verdict(SHARE, values > 0.002) for values in draws]
    wins = dataclasses.replace(SHARE, estimand="improvement", paired=False)
    better = [verdict(wins, groups) for groups in zip(draws, pairs)]
    power = {
        effect: np.mean([verdict(DIFFERENCE, values + effect * 0.01) == "reproduced"
                         for values in draws[:500]])
        for effect in (0.5, 1, 2)
    }
    print(f"n = {number}: power at so many standard deviations: {power}")
    for verdicts in (found, logs, two, half, better):
        # Five in a hundred, and three standard errors of the simulation.
        assert 1 - verdicts.count("undecided") / len(verdicts) <= 0.05 + 3 * 0.007
    assert power[0.5] <= power[1] <= power[2] and power[2] > {3: 0.4}.get(number, 0.8)


@pytest.mark.parametrize("number", [3, 10])
def test_many_comparisons_refute_no_more_often(number):
    """Ten effects half a standard deviation beyond the margin: the claim is true."""
    draws = 0.007 + np.random.default_rng(number).normal(0, 0.01, (300, 10, number))
    found = [verdict(DIFFERENCE, dict(enumerate(values))) for values in draws]
    assert found.count("refuted") <= 0.05 * len(found)
    on_the_margin = [verdict(DIFFERENCE, dict(enumerate(values - 0.005))) for values in draws]
    assert on_the_margin.count("refuted") <= 0.1 * len(found)


@pytest.mark.parametrize("number", [5, 20, 40, 60])
def test_a_run_is_rarely_taken_for_none_of_its_kind(number):
    draws = np.random.default_rng(number).normal(size=(1000, number + 1))
    single = dataclasses.replace(SINGLE, margin=0.0)
    found = [verdict(single, values[1:] - values[0]) for values in draws]
    assert found.count("refuted") <= (0.05 + 3 * 0.007) * len(found)


def test_a_bootstrap_of_ten_seeds_errs_twice_as_often():
    draws = np.random.default_rng(1).normal(size=(600, 10))
    assert false_verdicts(draws, t_interval) < 0.07 < false_verdicts(draws, bootstrap_interval)
