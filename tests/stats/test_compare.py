"""Systems against a baseline."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_paired

from evalkit.records import Floats
from evalkit.report.rows import heterogeneity_rows
from evalkit.stats.compare import Difference, Plan, compare

CATEGORIES = [f"c{index % 3}" for index in range(90)]


@pytest.fixture(scope="module")
def values() -> dict[str, dict[str, Floats]]:
    """Three systems on two measures and 90 queries; `better` is better than `base`, `same` is not."""
    rng = np.random.default_rng(11)
    base = rng.beta(2, 2, 90)
    better = np.clip(base + rng.normal(0.08, 0.1, 90), 0, 1)
    return {
        "base": {"nDCG@10": base, "misses": rng.integers(0, 2, 90).astype(float)},
        "better": {"nDCG@10": better, "misses": np.zeros(90)},
        "same": {"nDCG@10": base + rng.normal(0, 0.02, 90), "misses": rng.integers(0, 2, 90).astype(float)},
    }


def one(
    found: list[Difference], system: str, measure: str = "nDCG@10", category: str | None = None
) -> Difference:
    """Return the one comparison asked for."""
    return next(
        row for row in found if (row.system, row.measure, row.category) == (system, measure, category)
    )


def test_every_system_measure_and_category_is_compared(values: dict[str, dict[str, Floats]]) -> None:
    """The family is systems x measures x (all queries and each category), the overall ones first."""
    found = compare(values, "base", CATEGORIES, Plan(seed=1))

    assert len(found) == 2 * 2 * 4
    assert [row.category for row in found[:4]] == [None] * 4
    assert [row.interval.n for row in found if row.category] == [30] * 12


def test_p_values_are_corrected_over_all_that_is_returned(values: dict[str, dict[str, Floats]]) -> None:
    """Holm runs over the whole family, for each test by itself."""
    found = compare(values, "base", CATEGORIES, Plan(seed=1, tests=("t",)))
    p = [row.p for row in found]
    t = [row.p_other["t"] for row in found]

    np.testing.assert_allclose([row.p_holm for row in found], multipletests(p, method="holm")[1])
    np.testing.assert_allclose([row.p_other_holm["t"] for row in found], multipletests(t, method="holm")[1])


def test_a_comparison_in_which_no_query_differs_costs_nothing() -> None:
    """It cannot be rejected, so it is not counted: the others pay nothing for it."""
    rng = np.random.default_rng(2)
    base, other = rng.random(40), rng.random(40)
    same = {"base": {"a": base, "b": base}, "other": {"a": other, "b": base}}
    found = compare(same, "base", [""] * 40, Plan(seed=1))

    assert one(found, "other", "a").p_holm == one(found, "other", "a").p
    assert one(found, "other", "b").p_holm == 1


def test_a_real_gain_is_shown_and_rounding_is_not(values: dict[str, dict[str, Floats]]) -> None:
    """What is shown follows the corrected test; differences below rounding are ties."""
    values = {**values, "rounded": {k: v + 1e-15 for k, v in values["base"].items()}}
    found = compare(values, "base", CATEGORIES, Plan(seed=1))

    assert one(found, "better").shown
    assert not one(found, "same").shown
    assert one(found, "rounded").ties == 90


def test_the_t_interval_is_scipys(values: dict[str, dict[str, Floats]]) -> None:
    """The headline interval is the paired t interval."""
    difference = values["better"]["nDCG@10"] - values["base"]["nDCG@10"]
    theirs = stats.ttest_1samp(difference, 0).confidence_interval(0.95)
    own = one(compare(values, "base", CATEGORIES, Plan(seed=1)), "better").interval

    assert (own.low, own.high) == pytest.approx((theirs.low, theirs.high))


def test_where_less_is_better_a_smaller_value_wins(values: dict[str, dict[str, Floats]]) -> None:
    """Wins and losses follow the measure's direction, the difference keeps its sign."""
    plan = Plan(seed=1, lower_is_better=("misses",))
    row = one(compare(values, "base", CATEGORIES, plan), "better", "misses")

    assert row.interval.point < 0
    assert row.losses == 0
    assert row.wins == int(values["base"]["misses"].sum())


def test_undefined_queries_are_left_out_and_counted(values: dict[str, dict[str, Floats]]) -> None:
    """A query that is NaN in either system takes no part in that comparison, and the row says so."""
    holes = {name: {k: v.copy() for k, v in of.items()} for name, of in values.items()}
    holes["better"]["nDCG@10"][:10] = np.nan
    found = compare(holes, "base", CATEGORIES, Plan(seed=1))

    assert (one(found, "better").interval.n, one(found, "better").undefined) == (80, 10)
    assert (one(found, "same").interval.n, one(found, "same").undefined) == (90, 0)


def test_equivalence_is_two_one_sided_tests(values: dict[str, dict[str, Floats]]) -> None:
    """Against a declared margin the p-value is statsmodels' TOST; what is within it is called equivalent."""
    two = {name: {"nDCG@10": values[name]["nDCG@10"]} for name in ("base", "same")}
    plan = Plan(seed=1, margins={"nDCG@10": 0.01})
    row = one(compare(two, "base", [""] * 90, plan), "same")
    theirs = ttost_paired(two["same"]["nDCG@10"], two["base"]["nDCG@10"], -0.01, 0.01)

    assert row.margin is not None
    assert row.margin.p_equivalent == pytest.approx(theirs[0])
    assert row.margin.p_not_worse == pytest.approx(theirs[1][1])
    assert row.margin.says(0.05) == "equivalent"


def test_not_worse_follows_the_measures_direction() -> None:
    """A rise of a measure of which less is better is a loss, and cannot be called not worse."""
    rng = np.random.default_rng(1)
    base = rng.random(50)
    values = {"base": {"misses": base}, "other": {"misses": base + rng.normal(0.2, 0.01, 50)}}
    plan = Plan(seed=1, lower_is_better=("misses",), margins={"misses": 0.05})
    row = one(compare(values, "base", [""] * 50, plan), "other", "misses")

    assert row.margin is not None
    assert row.margin.says(0.05) == "undecided"


def test_copies_of_queries_are_no_evidence() -> None:
    """Clusters keep a difference as wide and as little significant as its independent units allow."""
    rng = np.random.default_rng(8)
    once = {"a": {"m": rng.random(20)}, "b": {"m": rng.random(20)}}
    thrice = {name: {"m": np.repeat(of["m"], 3)} for name, of in once.items()}
    alone = compare(once, "a", [""] * 20, Plan(seed=1))[0]
    clustered = compare(thrice, "a", [""] * 60, Plan(seed=1, clusters=np.repeat(np.arange(20), 3)))[0]

    assert clustered.units == 20
    assert clustered.p == alone.p
    assert clustered.detectable == pytest.approx(alone.detectable)
    assert (clustered.interval.low, clustered.bootstrap.low) == pytest.approx(
        (alone.interval.low, alone.bootstrap.low)
    )


def test_few_groups_are_thin_however_many_queries_they_hold() -> None:
    """Whether too few differ for an interval is counted in groups, not in the queries that they hold."""
    values = {"a": {"m": np.zeros(40)}, "b": {"m": np.repeat([0.1, 0.2, 0.3, 0.4, 0.0], 8)}}
    groups = compare(values, "a", [""] * 40, Plan(seed=1, clusters=np.repeat(np.arange(5), 8)))[0]
    queries = compare(values, "a", [""] * 40, Plan(seed=1))[0]

    assert (groups.differing, groups.thin) == (4, True)
    assert (queries.differing, queries.thin) == (32, False)


def test_one_query_is_compared_without_being_judged() -> None:
    """A single query has a difference but no interval and no significance."""
    values = {"a": {"m": np.array([0.1])}, "b": {"m": np.array([0.4])}}
    row = compare(values, "a", ["c"], Plan(seed=1))[0]

    assert row.interval.point == pytest.approx(0.3)
    assert np.isnan([row.interval.low, row.bootstrap.low]).all()
    assert not row.shown


def test_no_query_at_all_gives_undefined_figures() -> None:
    """Nothing judged: every figure is undefined, nothing raises."""
    row = compare({"a": {"m": np.empty(0)}, "b": {"m": np.empty(0)}}, "a", [], Plan(seed=1))[0]

    assert np.isnan([row.interval.point, row.interval.low, row.p, row.p_holm]).all()


def test_categories_that_gain_the_same_have_no_spread_from_rounding() -> None:
    """Categories in which every query gains one fifth are left out, not told apart with p of 1e-63."""
    base, system = np.array([1, 2, 3, 2, 3, 4]) / 5, np.array([2, 3, 4, 1, 2, 3]) / 5
    labels = ["a"] * 3 + ["b"] * 3
    found = compare({"base": {"P@5": base}, "system": {"P@5": system}}, "base", labels, Plan(seed=1))
    row = heterogeneity_rows(found)[0]

    assert [one.deviation for one in found[1:]] == [0, 0]
    assert np.isnan(row["p"])
    assert row["left_out"] == ["a", "b"]
