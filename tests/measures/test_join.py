"""The join: one order, ties told, nothing lost, duplicates refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.data.sources import judged_from, qrels_from, run_from
from evalkit.errors import DataError, InputError
from evalkit.measures import join, judge, keys, match
from evalkit.records import Codes, Judged, Run

IDS = st.text(st.characters(codec="utf-8", exclude_characters="\t\n\r "), min_size=1, max_size=40)


def documents(judged: Judged, run: Run, query: int) -> list[str]:
    """Return a query's documents in rank order."""
    rows = judged.row[judged.offsets[query] : judged.offsets[query + 1]]
    return [run.doc_ids[doc].as_py() for doc in run.doc[rows].tolist()]


@settings(max_examples=100)
@given(
    run=st.dictionaries(
        IDS, st.dictionaries(IDS, st.sampled_from([0.0, -0.0, 1.0, 2.5]), max_size=8), max_size=4
    )
)
def test_order_is_score_then_document_descending(run: Mapping[str, Mapping[str, float]]) -> None:
    """Rows stand by score descending, then by the bytes of the document id descending, whatever the ids."""
    qrels = qrels_from({query: {"nothing": 1} for query in run} | {"other": {"d": 1}})
    given_run = run_from(run)
    judged = judge(given_run, qrels)

    for i, query in enumerate(judged.query_ids):
        of = run.get(query, {})
        expected = sorted(of, key=lambda doc: doc.encode(), reverse=True)
        expected = sorted(expected, key=lambda doc: of[doc], reverse=True)
        assert documents(judged, given_run, i) == expected
        assert judged.retrieved[i] == len(of)


@settings(max_examples=60)
@given(
    ids=st.lists(IDS, min_size=1, max_size=60, unique=True),
    seed=st.integers(0, 2**32 - 1),
    width=st.integers(1, 4),
)
def test_judged_rows_are_found(ids: list[str], seed: int, width: int) -> None:
    """Exactly the pairs that have a judgment are judged, with their grade, whatever the ids look like."""
    rng = np.random.default_rng(seed)
    queries = [f"q{i}" for i in range(width)]
    run = {q: {d: float(rng.integers(0, 5)) for d in ids if rng.random() < 0.7} for q in queries}
    qrels = {q: {d: int(rng.integers(-1, 9)) for d in ids if rng.random() < 0.5} | {"x": 1} for q in queries}
    told = run_from(run)
    judged = judge(told, qrels_from(qrels))
    few = judge(told, qrels_from(qrels), judged_rows_only=True)

    for i, query in enumerate(judged.query_ids):
        rows = slice(judged.offsets[i], judged.offsets[i + 1])
        for doc, grade, known in zip(
            documents(judged, told, i), judged.grade[rows].tolist(), judged.judged[rows].tolist(), strict=True
        ):
            assert known == (doc in qrels[query])
            assert grade == qrels[query].get(doc, 0)
    np.testing.assert_array_equal(few.rank, judged.rank[judged.judged])
    np.testing.assert_array_equal(few.grade, judged.grade[judged.judged])
    np.testing.assert_array_equal(few.retrieved, judged.retrieved)


def test_colliding_keys_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where keys of different pairs collide, exact keys are used: the result is the same."""
    run = {"q": {"a": 3.0, "b": 2.0, "c": 1.0}, "r": {"a": 1.0}}
    qrels = {"q": {"a": 1, "c": 2, "d": 1}, "r": {"b": 1}}
    wanted = judged_from(run, qrels_from(qrels))

    def few_keys(ids: pa.StringArray) -> keys.KeysOf:
        def of(query: Codes, doc: Codes) -> keys.Keys:
            return keys.hashed(ids)(query, doc) & np.uint64(1)

        return of

    monkeypatch.setattr(match, "hashed", few_keys)
    got = judged_from(run, qrels_from(qrels))

    np.testing.assert_array_equal(got.judged, wanted.judged)
    np.testing.assert_array_equal(got.grade, wanted.grade)


def test_keys_stand_for_whole_ids() -> None:
    """Ids that share their first or last bytes have different keys, and empty and short ones too."""
    ids = [
        "",
        "a",
        "aa",
        "a" * 8,
        "a" * 9,
        "a" * 16,
        "a" * 17,
        "b" + "a" * 16,
        "a" * 8 + "b" + "a" * 8,
        "\0",
        "\0\0",
    ]
    codes = np.arange(len(ids), dtype=np.int32)

    found = keys.hashed(pa.array(ids))(np.zeros(len(ids), np.int32), codes)
    sliced = keys.hashed(pa.array(["x", *ids]).slice(1))(np.zeros(len(ids), np.int32), codes)

    assert len(set(found.tolist())) == len(ids)
    np.testing.assert_array_equal(found, sliced)


def test_a_document_twice_is_refused_with_both_lines() -> None:
    """A query that holds a document twice is refused; the message names both rows."""
    ids, docs = pa.array(["q"]), pa.array(["a", "b"])
    run = Run("r", ids, docs, np.zeros(3, np.int32), np.array([0, 1, 0], np.int32), np.array([3.0, 2.0, 1.0]))

    with pytest.raises(DataError) as caught:
        judge(run, qrels_from({"q": {"b": 1}}))

    assert caught.value.findings[0].line == 3
    assert "document a again: it is on line 1" in caught.value.findings[0].what


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("judged_rows_only", [False, True])
def test_a_run_in_parts_is_the_same(
    monkeypatch: pytest.MonkeyPatch, shuffled: bool, judged_rows_only: bool
) -> None:
    """A large run is joined in parts, or whole where a query's rows stand apart: nobody can tell."""
    rng = np.random.default_rng(7)
    query = np.repeat(np.arange(30), rng.integers(1, 12, 30)).astype(np.int32)
    doc = np.concatenate([rng.permutation(40)[:n] for n in np.bincount(query)]).astype(np.int32)
    order = rng.permutation(len(query)) if shuffled else np.arange(len(query))
    names, docs = pa.array([f"q{i}" for i in range(30)]), pa.array([f"d{i}" for i in range(40)])
    run = Run("r", names, docs, query[order], doc[order], rng.integers(0, 5, len(query)).astype(np.float64))
    qrels = qrels_from({f"q{i}": {f"d{d}": int(d) % 3 for d in rng.permutation(40)[:15]} for i in range(25)})

    whole = judge(run, qrels, judged_rows_only=judged_rows_only)
    monkeypatch.setattr(join, "PART", 5)
    parts = judge(run, qrels, judged_rows_only=judged_rows_only)

    assert whole.unjudged_queries == 5
    assert whole.tied_queries > 0
    for field in fields(Judged):
        np.testing.assert_array_equal(getattr(parts, field.name), getattr(whole, field.name))


def test_a_wrong_row_of_a_run_in_parts_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong in a part is told with its place in the whole run."""
    monkeypatch.setattr(join, "PART", 2)
    ids, docs = pa.array(["p", "q"]), pa.array(["a", "b"])
    query, doc = np.array([0, 0, 1, 1, 1], np.int32), np.array([0, 1, 0, 1, 1], np.int32)

    with pytest.raises(DataError) as caught:
        judge(Run("r", ids, docs, query, doc, np.arange(5, 0, -1.0)), qrels_from({"q": {"b": 1}}))

    assert [finding.line for finding in caught.value.findings] == [5]
    assert "already" in caught.value.findings[0].what


def test_a_score_that_is_no_number_is_refused() -> None:
    """NaN ranks nowhere: the row is named."""
    with pytest.raises(DataError, match="not a number"):
        judge(
            Run(
                "r",
                pa.array(["q"]),
                pa.array(["a"]),
                np.zeros(1, np.int32),
                np.zeros(1, np.int32),
                np.array([np.nan]),
            ),
            qrels_from({"q": {"a": 1}}),
        )


@pytest.mark.parametrize(
    ("grades", "counted"),
    [({"a": 1, "b": 0}, 1), ({"a": 1, "b": 1}, 0), ({"a": 1}, 1), ({"a": 0}, 0), ({"c": 1}, 0)],
)
def test_ties_that_matter_are_counted(grades: dict[str, int], counted: int) -> None:
    """A query counts as tied where equal scores order documents of different worth."""
    qrels = qrels_from({"q": grades, "other": {"d": 1}})
    judged = judged_from({"q": {"a": 1.0, "b": 1.0, "c": 0.5}}, qrels)

    assert judged.tied_queries == counted


def test_queries_without_judgments_are_out_and_counted() -> None:
    """Queries of the run that nobody judged take no part; their number is kept."""
    judged = judged_from({"q": {"a": 1.0}, "x": {"a": 1.0}, "y": {"a": 1.0}}, qrels_from({"q": {"a": 1}}))

    assert judged.query_ids == ("q",)
    assert judged.unjudged_queries == 2


def test_depth_cuts_after_ranking() -> None:
    """A depth keeps the first documents of the one order, and counts no more."""
    qrels = qrels_from({"q": {"a": 1, "c": 1}})
    judged = judged_from({"q": {"a": 1.0, "b": 2.0, "c": 3.0}}, qrels, depth=2)

    assert judged.rank.tolist() == [1, 2]
    assert judged.retrieved.tolist() == [2]
    assert judged.grade.tolist() == [1, 0]


def test_depth_needs_one_order() -> None:
    """Averaged ties have no first k documents: refused with advice."""
    with pytest.raises(InputError, match="@k"):
        judged_from({"q": {"a": 1.0}}, qrels_from({"q": {"a": 1}}), depth=1, ties="averaged")
