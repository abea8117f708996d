"""Equal to pytrec_eval and ir_measures, to 1e-9, on whatever Hypothesis thinks of."""

from __future__ import annotations

import math
import shutil

import ir_measures
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.errors import InputError
from tests.measures.peers import Grades, Scored, cases, ours, trec_evals

CUTOFFS = (1, 3, 10, 100)
NAMES = {
    "nDCG": "ndcg",
    "AP": "map",
    "RR": "recip_rank",
    "Rprec": "Rprec",
    "Bpref": "bpref",
    "infAP": "infAP",
    "SetP": "set_P",
    "SetR": "set_recall",
    "SetF": "set_F",
    "Kept": "num_ret",
} | {
    f"{our}@{k}": f"{their}.{k}"
    for our, their in {
        "nDCG": "ndcg_cut",
        "AP": "map_cut",
        "P": "P",
        "R": "recall",
        "Success": "success",
    }.items()
    for k in CUTOFFS
}


def assert_equal(got: dict[str, dict[str, float]], wanted: dict[str, dict[str, float]]) -> None:
    """Every value of every measure and query is the same to 1e-9."""
    for name, values in wanted.items():
        assert got[name] == pytest.approx(values, abs=1e-9, rel=1e-9), name


@settings(max_examples=150)
@given(case=cases())
def test_equal_to_pytrec_eval(case: tuple[Grades, Scored]) -> None:
    """All shared measures, with ties, negative grades, missing and unjudged queries, grades to 50."""
    qrels, run = case

    assert_equal(ours(qrels, run, list(NAMES)), trec_evals(qrels, run, NAMES))


@settings(max_examples=60)
@given(case=cases(highest=4), level=st.integers(2, 4))
def test_relevance_level_equals_pytrec_eval(case: tuple[Grades, Scored], level: int) -> None:
    """A higher relevance level moves every measure of relevance as in trec_eval, and leaves nDCG alone."""
    qrels, run = case
    judgments = {query: of | {"d0": 4} for query, of in qrels.items()}  # answerable at every level
    names = [name if name.startswith(("nDCG", "Kept")) else with_rel(name, level) for name in NAMES]

    got = ours(judgments, run, names)

    wanted = trec_evals(judgments, run, NAMES, level)
    assert_equal(got, {ours_: wanted[theirs] for ours_, theirs in zip(names, NAMES, strict=True)})


def with_rel(name: str, level: int) -> str:
    """Return the measure with a relevance level: P@5 becomes P(rel=2)@5."""
    base, at, cutoff = name.partition("@")
    return f"{base}(rel={level}){at}{cutoff}"


@settings(max_examples=60)
@given(case=cases())
def test_judged_only_equals_pytrec_eval(case: tuple[Grades, Scored]) -> None:
    """With judged_only, unjudged documents (and negative grades) are as if they had not been returned."""
    qrels, run = case
    shared = {name: their for name, their in NAMES.items() if name not in ("Bpref", "infAP", "Kept", "SetR")}
    names = [f"{n.partition('@')[0]}(judged_only=True){''.join(n.partition('@')[1:])}" for n in shared]
    run = {query: of | {"d0": 0.5} for query, of in run.items()}
    qrels = {query: of | {"d0": max(of.get("d0", 0), 0)} for query, of in qrels.items()}  # one is judged

    got = ours(qrels, run, names)

    wanted = trec_evals(qrels, run, shared, judged_only=True)
    assert_equal(
        {name: without_nan(values) for name, values in got.items()},
        {our: wanted[their] for our, their in zip(names, shared, strict=True)},
    )


def without_nan(values: dict[str, float]) -> dict[str, float]:
    """Return the values as trec_eval has them: 0 where evalkit says undefined."""
    return {query: 0.0 if math.isnan(value) else value for query, value in values.items()}


@settings(max_examples=60)
@given(
    case=cases(highest=5),
    gains=st.dictionaries(st.integers(0, 5), st.integers(0, 9), min_size=1).filter(
        lambda g: max(g.values()) > 0
    ),
)
def test_declared_gains_equal_pytrec_eval(case: tuple[Grades, Scored], gains: dict[int, int]) -> None:
    """Declared gains are as if the judgments had them for grades; undefined where no gain is left."""
    qrels, run = case
    regraded = {q: {d: gains.get(g, max(g, 0)) for d, g in of.items()} for q, of in qrels.items()}
    spelled = "{" + ",".join(f"{grade}:{gain}" for grade, gain in gains.items()) + "}"
    names = [f"nDCG(gains={spelled})", f"nDCG(gains={spelled})@3"]

    got = ours(qrels, run, names)

    wanted = trec_evals(regraded, run, {names[0]: "ndcg", names[1]: "ndcg_cut.3"})
    assert_equal({name: without_nan(values) for name, values in got.items()}, wanted)


@settings(max_examples=60)
@given(case=cases(), scores=st.lists(st.floats(0.1, 0.1 + 1e-7), min_size=4, max_size=4))
def test_float32_scores_equal_pytrec_eval(case: tuple[Grades, Scored], scores: list[float]) -> None:
    """With score_precision float32, scores that only doubles tell apart are ties, as in pytrec_eval."""
    qrels, run = case
    run = {query: of | {f"d{i}": score for i, score in enumerate(scores)} for query, of in run.items()}
    names = {name: NAMES[name] for name in ("nDCG", "AP", "RR", "P@3")}

    assert_equal(ours(qrels, run, list(names), score_precision="float32"), trec_evals(qrels, run, names))


def test_doubles_tell_apart_what_float32_does_not() -> None:
    """By default scores are doubles, as in trec_eval since 2023: the readings differ where they should."""
    qrels, run = {"q": {"a": 1, "b": 0}}, {"q": {"a": 0.1 + 1e-12, "b": 0.1}}

    assert ours(qrels, run, ["RR"])["RR"]["q"] == 1.0
    assert ours(qrels, run, ["RR"], score_precision="float32")["RR"]["q"] == 0.5


def test_interpolated_precision_rounds_as_trec_eval_does_now() -> None:
    """40 % of three relevant documents is one to the nearest whole number; pytrec_eval takes two."""
    qrels, run = {"q": {"a": 1, "b": 1, "c": 1}}, {"q": {"a": 3.0, "x": 2.0, "b": 1.0}}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"iprec_at_recall"}).evaluate(run)

    assert ours(qrels, run, ["IPrec@0.4"])["IPrec@0.4"]["q"] == 1.0
    assert theirs["q"]["iprec_at_recall_0.40"] == pytest.approx(2 / 3)


@settings(max_examples=60)
@given(case=cases(highest=4))
def test_judged_equals_ir_measures(case: tuple[Grades, Scored]) -> None:
    """Judged and Judged@k equal ir_measures', which breaks ties the other way: without ties."""
    qrels, run = case
    run = {q: {d: float(i) for i, d in enumerate(of)} for q, of in run.items()}
    names = ["Judged@1", "Judged@3", "Judged@20", "Judged"]
    measures = [ir_measures.parse_measure(name) for name in names]

    got = ours(qrels, run, names)

    for value in ir_measures.iter_calc(measures, qrels, run):
        assert got[str(value.measure)][value.query_id] == pytest.approx(value.value, abs=1e-12)


@settings(max_examples=60)
@given(case=cases(highest=3), gains=st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_graded_rbp_is_made_of_levels(case: tuple[Grades, Scored], gains: list[float]) -> None:
    """RBP with declared gains is the RBP of each level, times what that level adds to the gain."""
    one, two, three = gains
    name = f"RBP(gains={{1:{one},2:{two},3:{three}}})"
    levels = ["RBP(rel=1)", "RBP(rel=2)", "RBP(rel=3)"]

    got = ours(*case, [name, *levels])

    for query, value in got[name].items():
        first, second, third = (got[level][query] for level in levels)
        assert value == pytest.approx(one * first + (two - one) * second + (three - two) * third, abs=1e-12)


@pytest.mark.parametrize("name", ["RBP(gains={1:0.5})", "RBP(gains={1:0.5,2:1},rel=1)"])
def test_gains_of_rbp_are_shares_of_one(name: str) -> None:
    """An undeclared grade above 1, or a level beside gains, is refused with what to write."""
    with pytest.raises(InputError, match=r"gains=\{1:0.5,2:1\}|leave rel out"):
        ours({"q": {"a": 1, "b": 2}}, {"q": {"a": 1.0}}, [name])


@pytest.mark.skipif(shutil.which("perl") is None, reason="gdeval, TREC's script, needs perl")
@settings(max_examples=8)
@given(case=cases(highest=4))
def test_exponential_gain_and_err_equal_gdeval(case: tuple[Grades, Scored]) -> None:
    """Exponential-gain nDCG and ERR equal gdeval's five decimals, which breaks ties the other way."""
    qrels, run = (
        {
            str(int(q[1:])): {d: v for d, v in of.items() if d.isascii()}
            for q, of in given.items()
            if q != "only-in-run"
        }
        for given in case
    )
    run = {q: {d: float(i) for i, d in enumerate(of)} for q, of in run.items()}
    names = ["nDCG(dcg='exp-log2')@10", "ERR@3", "ERR@20"]
    measures = [ir_measures.parse_measure(name) for name in names]

    got = {name: without_nan(values) for name, values in ours(qrels, run, names).items()}

    for value in ir_measures.iter_calc(measures, qrels, run):
        assert got[str(value.measure)][value.query_id] == pytest.approx(value.value, abs=0.501e-5)
