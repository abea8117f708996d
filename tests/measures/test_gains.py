"""Gains that a data set declares: what a measure would say that named them, wherever grades count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.data.sources import judged_from, qrels_from
from evalkit.measures import evaluate
from evalkit.records import Judged
from evalkit.thresholds.curve import curve_of
from tests.measures.peers import Grades, Scored, cases

RISING = st.lists(st.floats(0, 100), min_size=4, max_size=4).map(lambda one: dict(enumerate(sorted(one))))
NAMES = ("nDCG@3", "nDCG", "DCG@10", "nDCG(judged_only=True)@3")


def declared(qrels: Grades, run: Scored, gains: dict[int, float]) -> Judged:
    """Return the run joined with judgments that declare gains."""
    return judged_from(run, replace(qrels_from(qrels), gains=gains))


@settings(max_examples=60)
@given(cases(highest=3), RISING)
def test_declared_gains_are_those_of_a_measure_that_names_them(
    case: tuple[Grades, Scored], gains: dict[int, float]
) -> None:
    """For nDCG and DCG in all their forms; undefined where no gain is left, too."""
    qrels, run = case
    found = evaluate(declared(qrels, run, gains), NAMES)
    spelled = "gains={" + ",".join(f"{grade}:{gain!r}" for grade, gain in gains.items()) + "}"
    for name, values in found.items():
        base, at, cutoff = name.partition("@")
        inside = base[:-1] + "," if base.endswith(")") else base + "("
        named = f"{inside}{spelled}){at}{cutoff}"

        np.testing.assert_array_equal(values, evaluate(declared(qrels, run, {}), [named])[named])


def test_a_gain_that_a_measure_names_wins() -> None:
    """Exponential gain and other gains mean what they say, and measures of relevance do not care."""
    qrels, run = {"q": {"a": 2, "b": 1}}, {"q": {"b": 2.0, "a": 1.0}}
    plain, other = declared(qrels, run, {}), declared(qrels, run, {1: 1.0, 2: 100.0})
    names = ("nDCG(dcg='exp-log2')@5", "nDCG(gains={1:5,2:6})@5", "AP", "P@1")

    for name, values in evaluate(plain, names).items():
        assert evaluate(other, names)[name] == values
    assert evaluate(plain, ["nDCG@5"])["nDCG@5"] != evaluate(other, ["nDCG@5"])["nDCG@5"]


@settings(max_examples=30)
@given(cases(highest=3), RISING.filter(lambda gains: gains[1] > 0))
def test_thresholds_weigh_documents_alike(case: tuple[Grades, Scored], gains: dict[int, float]) -> None:
    """The nDCG of a kept list that keeps everything is the measure's."""
    judged = declared(*case, gains | {0: 0.0})
    states = curve_of(judged).states
    everything = states.start[1:] - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        found = states.dcg_at(10)[everything] / states.ideal_dcg_at(10)[everything]
    measured = evaluate(judged, ["nDCG@10"])["nDCG@10"]

    np.testing.assert_allclose(found[~np.isnan(measured)], measured[~np.isnan(measured)], atol=1e-12)
