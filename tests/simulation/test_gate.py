"""The gate on systems whose truth is known: it rarely alarms without cause and misses no large drop."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from evalkit.experiment.gate import compared, outcome_of
from evalkit.records import Floats
from evalkit.stats.compare import Plan
from evalkit.stats.power import detectable_difference
from tests.simulation.comparison import Share
from tests.simulation.rankings import differences

pytestmark = pytest.mark.simulation
PAIRS, POPULATION, QUERIES, MARGIN, ALPHA = 1_000, 20_000, 50, 0.005, 0.05


@pytest.fixture(scope="module")
def equal() -> Floats:
    """Per-query differences of nDCG@10 between equal rankers, their mean taken to exactly 0."""
    found = differences(POPULATION, 0.0, np.random.default_rng(30))[:, 0]
    found[found != 0] -= found.sum() / (found != 0).sum()
    return found


def outcomes(population: Floats, margin: float, pairs: int, categories: int = 1) -> Counter[str]:
    """Gate `pairs` samples of the population; a pair's outcome is its worst check's."""
    rng, counted = np.random.default_rng(31), Counter[str]()
    labels = [f"c{query % categories}" if categories > 1 else "" for query in range(QUERIES)]
    for seed in range(pairs):
        gap = rng.choice(population, QUERIES)
        rows = compared({"late": gap}, "nDCG@10", labels, Plan(seed, 1 - ALPHA, margins={"nDCG@10": margin}))
        found = {outcome_of(row, at_least=20)[0] for row in rows}
        counted["worse" if "worse" in found else "held" if found == {"held"} else "cannot tell"] += 1
    return counted


def test_equal_systems_rarely_alarm(equal: Floats) -> None:
    """Of 1,000 pairs of equal systems at most alpha plus three standard errors close the gate."""
    found = Share(outcomes(equal, MARGIN, PAIRS)["worse"], PAIRS)

    assert found.share <= found.most(ALPHA)


def test_the_family_of_categories_rarely_alarms(equal: Floats) -> None:
    """With two categories and all queries gated at once, the same bound holds for any alarm at all."""
    found = Share(outcomes(equal, MARGIN, 100, categories=2)["worse"], 100)

    assert found.share <= found.most(ALPHA)


def test_large_drops_close_the_gate(equal: Floats) -> None:
    """Drops of twice the detectable size close the gate in at least 90 % of 1,000 pairs."""
    drop = 2 * detectable_difference(float(equal.std(ddof=1)), QUERIES, ALPHA)
    found = Share(outcomes(equal - drop, MARGIN, PAIRS)["worse"], PAIRS)

    assert found.share >= 0.9


def test_a_drop_of_the_margin_rarely_passes(equal: Floats) -> None:
    """Systems that lost just the margin are let through in at most alpha plus three standard errors."""
    margin = 0.05
    found = Share(outcomes(equal - margin, margin, 300)["held"], 300)

    assert found.share <= found.most(ALPHA)


def test_equal_systems_pass_where_the_queries_suffice(equal: Floats) -> None:
    """With a margin of twice the detectable size, equal systems are mostly held and not undecided."""
    margin = 2 * detectable_difference(float(equal.std(ddof=1)), QUERIES, ALPHA)
    found = Share(outcomes(equal, margin, 200)["held"], 200)

    assert found.share >= 0.9
