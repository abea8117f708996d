"""Every bound keeps its promise on small and large samples, for every shape of loss."""

from __future__ import annotations

import numpy as np
import pytest

from tests.simulation.studies import DELTA, SHAPES, bound_misses, pooled_pairs_misses

pytestmark = pytest.mark.simulation
RUNS = 1500


@pytest.mark.parametrize("n", [20, 50, 100, 200, 500])
@pytest.mark.parametrize("bound", ["binomial", "betting", "hoeffding-bentkus"])
def test_a_bound_misses_no_more_often_than_it_says(bound: str, n: int) -> None:
    """At a risk of exactly the limit, where a miss is likeliest, at most delta + 3 standard errors."""
    rng = np.random.default_rng(n)
    for shape in SHAPES if bound != "binomial" else ["0/1"]:
        rate = bound_misses(bound, shape, n, RUNS, rng)

        assert rate.share <= DELTA + 3 * rate.error, shape


def test_taking_pairs_for_independent_misses_far_more_often() -> None:
    """The reason why the query is the unit: pooled pairs break a 10 % promise."""
    rate = pooled_pairs_misses(100, RUNS, np.random.default_rng(1))

    assert rate.share > DELTA + 3 * rate.error


def test_mapies_version_of_the_betting_bound_misses_where_ours_does_not() -> None:
    """On the very same losses: MAPIE adds up the best capital of each half, which is no bet."""
    pytest.importorskip("mapie", reason="MAPIE, for developers only, is not installed")
    own, theirs = (
        bound_misses(bound, "0/1", 100, RUNS, np.random.default_rng(3))
        for bound in ("betting", "MAPIE's betting")
    )

    assert own.share <= DELTA + 3 * own.error
    assert theirs.share > DELTA + 3 * theirs.error
