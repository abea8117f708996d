"""What every registered measure promises, without being named here."""

from __future__ import annotations

import re
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from evalkit.data.sources import judged_from, qrels_from
from evalkit.errors import InputError
from evalkit.measures import MEASURES, evaluate, parse
from evalkit.measures.registry import ALIASES, Measure

EVERY = list(MEASURES)


def spelled(name: str, **given: Any) -> str:
    """Return a valid spelling of a measure, with what it needs filled in."""
    measure = MEASURES[name]
    needed = {key: 5 if p.type is int else 0.5 for key, p in measure.parameters.items() if p.default is ...}
    values = needed | given
    at = values.pop(measure.at, None) if measure.at else None
    inside = ",".join(f"{key}={value!r}" for key, value in values.items())
    return name + (f"({inside})" if inside else "") + (f"@{at}" if at is not None else "")


def examples(measure: Measure) -> list[str]:
    """Return a spelling for each parameter at a value that is not its default."""
    other: dict[type, Any] = {int: 2, float: 0.25, bool: True, dict: {1: 0.5, 2: 1.0}}
    found = [spelled(measure.name)]
    for key, parameter in measure.parameters.items():
        value = parameter.choices[-1] if parameter.choices else other[parameter.type]
        found.append(spelled(measure.name, **{key: value}))
    return found


QRELS = {
    "all": {"a": 2, "b": 1, "c": 0},
    "none": {"a": 0, "b": -1},
    "lost": {"a": 1},
    "gone": {"a": 2, "b": 0},
    "gone-negative": {"a": 0},
    "unfound": {"a": 1, "b": 0},
}
RUN = {
    "all": {"a": 4.0, "x": 3.0, "b": 2.0, "c": 1.0},
    "none": {"a": 2.0, "x": 1.0},
    "lost": {"x": 2.0, "y": 1.0},
    "unfound": {"b": 0.25},
    "unjudged": {"a": 1.0},
}


@pytest.mark.parametrize("name", EVERY)
def test_documented(name: str) -> None:
    """A measure's documentation has one sentence, its formula, its undefined case and its source."""
    doc = MEASURES[name].kernel.__doc__ or ""

    assert re.match(r"\w.*[.]\n\n    Formula: .+\n", doc)
    assert re.search(r"\n    Undefined: ", doc)
    assert re.search(r"\n    Source: ", doc)


@pytest.mark.parametrize("name", EVERY)
def test_spelling_round_trips(name: str) -> None:
    """Any spelling parses, prints the same again, and equals itself."""
    for spelling in examples(MEASURES[name]):
        spec = parse(spelling)
        assert parse(str(spec)) == spec
        assert hash(parse(str(spec))) == hash(spec)


@pytest.mark.parametrize("name", EVERY)
def test_defined_where_it_says(name: str) -> None:
    """Values are numbers on just the queries that the measure says it is defined on."""
    judged = judged_from(RUN, qrels_from(QRELS))
    answerable = np.array([any(grade > 0 for grade in QRELS[query].values()) for query in judged.query_ids])
    defined = {
        "all": answerable | True,
        "answerable": answerable,
        "gainful": answerable,
        "negative": ~answerable,
    }

    for spelling in examples(MEASURES[name]):
        if "rel=" in spelling or "judged_only" in spelling:
            continue  # these move what is defined; the peers' tests cover them
        values = evaluate(judged, [spelling])[spelling]
        expected = defined[MEASURES[name].defined_on]
        assert (~np.isnan(values)).tolist() == expected.tolist(), spelling


@pytest.mark.parametrize("name", EVERY)
def test_missing_queries_take_the_worst_value(name: str) -> None:
    """A query that the run lacks has the measure's worst value, where the measure is defined on it."""
    judged = judged_from(RUN, qrels_from(QRELS))
    values = evaluate(judged, [spelled(name)])[spelled(name)]
    measure = MEASURES[name]
    missing = values[judged.retrieved == 0]

    assert len(missing) == 2
    assert set(missing[~np.isnan(missing)]) == {measure.worst}
    if measure.better == "higher":
        assert np.nanmin(values) >= measure.worst
    if measure.better == "lower":
        assert np.nanmax(values) <= measure.worst


@pytest.mark.parametrize("name", EVERY)
def test_all_rows_and_judged_rows_say_the_same(name: str) -> None:
    """A measure that does not ask for all rows gives the same value on the judged rows alone."""
    qrels = qrels_from(QRELS)
    for spelling in examples(MEASURES[name]):
        spec = parse(spelling)
        whole = evaluate(judged_from(RUN, qrels), [spelling])[spelling]
        few = judged_from(RUN, qrels, judged_rows_only=True)
        if spec.measure.needs_all_rows(spec.parameters):
            with pytest.raises(InputError, match="judged_rows_only=False"):
                evaluate(few, [spelling])
        else:
            np.testing.assert_array_equal(evaluate(few, [spelling])[spelling], whole)


@pytest.mark.parametrize("name", EVERY)
def test_direction_is_true(name: str) -> None:
    """Moving a relevant document up never makes a measure worse."""
    better = MEASURES[name].better
    if better is None:
        pytest.skip(f"{name} has no direction")
    qrels = qrels_from({"q": {"a": 1, "b": 0, "c": 0}})
    low = judged_from({"q": {"b": 3.0, "c": 2.0, "a": 1.0}}, qrels)
    high = judged_from({"q": {"a": 3.0, "b": 2.0, "c": 1.0}}, qrels)
    before, after = (evaluate(judged, [spelled(name)])[spelled(name)] for judged in (low, high))

    assert (
        (after >= before).all() or np.isnan(after).all() if better == "higher" else not (after > before).any()
    )


@pytest.mark.parametrize("name", EVERY)
def test_averaged_ties_are_the_mean_over_all_orders(name: str) -> None:
    """With ties averaged, a value is the mean over all orders of tied documents; or the measure refuses."""
    grades = {"a": 2, "b": 1, "c": 0, "d": -1, "f": 1}
    tied = {"x": 9.0, "a": 5.0, "c": 5.0, "y": 5.0, "d": 5.0, "b": 3.0, "z": 3.0, "f": 1.0}
    orders = [["x", *p, *q, "f"] for p in permutations("acyd") for q in permutations("bz")]
    untied = {f"q{i}": {d: tied[d] - r / 1000 for r, d in enumerate(o)} for i, o in enumerate(orders)}
    every = judged_from(untied, qrels_from(dict.fromkeys(untied, grades)))
    judged = judged_from({"q": tied}, qrels_from({"q": grades}), ties="averaged")
    for spelling in examples(MEASURES[name]):
        if parse(spelling).measure.ties == "one order":
            with pytest.raises(InputError, match="cannot average ties"):
                evaluate(judged, [spelling])
        else:
            mean = evaluate(every, [spelling])[spelling].mean()
            got = evaluate(judged, [spelling])[spelling][0]
            assert got == pytest.approx(mean, abs=1e-12, nan_ok=True), spelling


def test_aliases_name_measures() -> None:
    """Every alias stands for a registered measure, and prints as it."""
    for alias, name in ALIASES.items():
        assert str(parse(spelled(name).replace(name, alias, 1))) == spelled(name)
