"""Bounds over the unjudged, against trying every way in which they could turn out."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.measures import evaluate
from evalkit.measures.unjudged import bounds
from tests.judgments import Grade, judged

MEASURES = ["nDCG@5", "nDCG", "P@3", "R@3", "AP", "RR@5", "Success@2"]

lists = st.lists(st.sampled_from([None, None, 0, 1]), min_size=1, max_size=7)
graded = st.lists(st.sampled_from([None, None, 0, 1, 3]), min_size=1, max_size=6)


def every_way(found: list[Grade], missed: list[int], grades: tuple[int, ...]) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    """Return each measure's value under every assignment of grades to the unjudged."""
    places = [place for place, grade in enumerate(found) if grade is None]
    ways = []
    for way in product(grades, repeat=len(places)):
        filled = list(found)
        for place, grade in zip(places, way, strict=True):
            filled[place] = grade
        ways.append(filled)
    values = evaluate(judged(ways, [missed] * len(ways)), MEASURES)
    return {name: values[name][~np.isnan(values[name])] for name in MEASURES}


@given(lists, st.lists(st.sampled_from([0, 1]), max_size=3))
def test_with_one_relevant_grade_bounds_are_exact(found: list[Grade], missed: list[int]) -> None:
    """Lowest and highest equal the extremes over all ways, wherever the measure is defined as judged."""
    missed = [*missed, 1]
    own = bounds(judged([found], [missed]), MEASURES)
    all_ways = every_way(found, missed, (0, 1))

    for name in MEASURES:
        low, high = (side[0] for side in own[name])
        assert (low, high) == pytest.approx((all_ways[name].min(), all_ways[name].max())), name


@given(graded, st.lists(st.sampled_from([0, 1, 3]), max_size=3))
def test_with_several_grades_the_lowest_is_exact(found: list[Grade], missed: list[int]) -> None:
    """The lowest is exact with graded judgments too, and the highest is a value that can be reached."""
    missed = [*missed, 3]
    own = bounds(judged([found], [missed]), MEASURES)
    all_ways = every_way(found, missed, (0, 1, 3))

    for name in MEASURES:
        low, high = (side[0] for side in own[name])
        assert low == pytest.approx(all_ways[name].min()), name
        assert np.isclose(all_ways[name], high).any(), name


def test_where_all_is_judged_nothing_is_open() -> None:
    """Without unjudged candidates both bounds are the value itself."""
    run = judged([[1, 0, 1]], [[1]])
    values = evaluate(run, MEASURES)

    for name, (low, high) in bounds(run, MEASURES).items():
        assert low[0] == high[0] == values[name][0]


def test_an_undefined_query_stays_so() -> None:
    """A query without a relevant judgment is not made one by what its unjudged documents could be."""
    low, high = bounds(judged([[None, 0], [1, None]]), ["nDCG@5"])["nDCG@5"]

    assert np.isnan([low[0], high[0]]).all()
    assert not np.isnan([low[1], high[1]]).any()
