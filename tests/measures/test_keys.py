"""Keys of ids, and columns of them, against Python's own strings, whatever the ids, slices and codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.data.sources import qrels_from
from evalkit.errors import DataError
from evalkit.measures import join, judge, keys, match
from evalkit.measures.columns import arrow, mask, strings
from evalkit.measures.keys import Texts
from evalkit.measures.rows import at_ranks
from evalkit.measures.slots import Slots
from evalkit.records import Codes, Qrels, Run

# Ids that share their first or last bytes, end on a word's border, or are longer than a cache line.
LENGTHS = (0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 130)
IDS = st.one_of(
    st.sampled_from([start + "a" * n for n in LENGTHS for start in ("", "b", "é", "\0")]),
    st.text(max_size=20),
)
PAIRS = st.tuples(
    st.sampled_from("pqrs"), st.sampled_from([f"{'x' * n}{end}" for n in (0, 70) for end in "abcd"])
)


def spans(draw: st.DrawFn, ids: Sequence[str]) -> tuple[pa.StringArray, Codes]:
    """Draw a slice of a longer array with these ids, and codes into it: a range, or in any order."""
    before, after = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    column = strings(["before"] * before + list(ids) + ["after"] * after).slice(before, len(ids))
    low = draw(st.integers(0, len(ids)))
    codes = draw(
        st.one_of(
            st.just(list(range(low, len(ids)))),
            st.lists(st.integers(0, len(ids) - 1), max_size=20) if ids else st.just([]),
        )
    )
    return column, np.array(codes, np.int32)


@settings(max_examples=150)
@given(ids=st.lists(IDS, max_size=12), data=st.data())
def test_texts_are_pythons(ids: list[str], data: st.DataObject) -> None:
    """Keys are equal where strings are, `equal` says so, and `falling` orders by bytes."""
    column, codes = data.draw(st.composite(lambda draw: spans(draw, ids))())
    texts, own = Texts(column), [ids[code] for code in codes.tolist()]
    found = texts.keys(codes).tolist()

    assert [[one == two for two in found] for one in found] == [[one == two for two in own] for one in own]
    np.testing.assert_array_equal(
        texts.equal(codes, Texts(strings(ids[::-1])), codes[::-1]),
        [a == b for a, b in zip(own, [ids[::-1][code] for code in codes[::-1].tolist()], strict=True)],
    )
    order = np.lexsort(texts.falling(codes)) if len(codes) else []
    assert [own[i] for i in order] == sorted(own, key=str.encode, reverse=True)


@given(
    found=st.lists(st.integers(0, 9), max_size=60),
    shift=st.sampled_from([0, 30, 57, 60]),  # all in one slot, or in slots of their own
)
def test_exactly_the_rows_that_repeat_are_found(found: list[int], shift: int) -> None:
    """`Slots.repeated` returns every row whose key is there twice, and no other, however slots are shared."""
    count = Counter(found)
    wanted = [row for row, key in enumerate(found) if count[key] > 1]

    assert Slots(np.array(found, np.uint64) << np.uint64(shift)).repeated().tolist() == wanted


@pytest.mark.parametrize(
    "shape", ["{}", "{:08}", "{:x}", "doc-{:06}", "{:06}-doc", "https://example.org/pages/{}.html"]
)
def test_ids_in_a_row_spread_over_the_slots(shape: str) -> None:
    """Of 32,000 ids that differ in few characters, fewer than an eighth share a slot: the rest stays fast."""
    queries, documents = 32, 1_000
    ids = [shape.format(i) for i in range(queries * documents)]
    query = np.repeat(np.arange(queries, dtype=np.int32), documents)
    slots = Slots(keys.hashed(strings(ids))(query, np.arange(len(ids), dtype=np.int32)))

    assert len(slots._lost) < len(ids) / 8
    assert not len(slots.repeated())


def test_a_long_query_takes_a_smaller_table() -> None:
    """Two hundred thousand rows, many of which share a slot: all are found."""
    keys_of = keys.hashed(strings([str(i) for i in range(200_000)]))
    found = keys_of(np.zeros(200_000, np.int32), np.arange(200_000, dtype=np.int32))
    row, place = Slots(found).find(found[::7])

    assert row.tolist() == list(range(0, 200_000, 7))
    assert len(place) == len(row)


@given(
    found=st.lists(st.integers(0, 9), max_size=60, unique=True),
    wanted=st.lists(st.integers(0, 9), max_size=20),
    shift=st.sampled_from([0, 30, 57, 60]),
)
def test_rows_are_found_by_key(found: list[int], wanted: list[int], shift: int) -> None:
    """`Slots.find` returns the row of every wanted key that a row has, however slots are shared."""
    slots = Slots(np.array(found, np.uint64) << np.uint64(shift))
    row, place = slots.find(np.array(wanted, np.uint64) << np.uint64(shift))

    assert list(zip(row.tolist(), place.tolist(), strict=True)) == [
        (found.index(key), i) for i, key in enumerate(wanted) if key in found
    ]


@pytest.mark.parametrize("collide", [False, True])
@settings(max_examples=120)
@given(
    judged=st.dictionaries(PAIRS, st.integers(-1, 3), min_size=1, max_size=20),
    returned=st.lists(
        st.tuples(PAIRS, st.sampled_from([0.0, 1.0, 2.0])), max_size=30, unique_by=lambda row: row[0]
    ),
    named_once=st.booleans(),
    data=st.data(),
)
def test_the_join_is_that_of_python(
    collide: bool,
    judged: dict[tuple[str, str], int],
    returned: list[tuple[tuple[str, str], float]],
    named_once: bool,
    data: st.DataObject,
) -> None:
    """Rows of any order in parts and blocks of any size meet their judgments, though few keys be at hand."""
    pairs = data.draw(st.permutations(list(judged)))
    qrels = columns(pairs, [judged[pair] for pair in pairs], named_once)
    query_ids, query = np.unique([q for (q, _), _ in returned] or ["p"], return_inverse=True)
    run = Run(
        "run",
        strings(query_ids.tolist()),
        strings([doc for (_, doc), _ in returned]),
        query[: len(returned)].astype(np.int32),
        np.arange(len(returned), dtype=np.int32),
        np.array([score for _, score in returned], np.float64),
    )

    def few_keys(ids: pa.StringArray) -> keys.KeysOf:
        of = keys.hashed(ids)
        return lambda query, doc: of(query, doc) & np.uint64(3)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(join, "PART", data.draw(st.sampled_from([2, 5, 1 << 19])))
        patch.setattr(match, "BLOCK", data.draw(st.sampled_from([1, 4, 1 << 15])))
        if collide:
            patch.setattr(match, "hashed", few_keys)
        got = judge(run, qrels)

    for i, one in enumerate(got.query_ids):
        rows = slice(got.offsets[i], got.offsets[i + 1])
        own = sorted((-score, doc) for (q, doc), score in returned if q == one)
        own.sort(key=lambda row: row[1].encode(), reverse=True)
        own.sort(key=lambda row: row[0])
        assert [returned[row][0][1] for row in got.row[rows].tolist()] == [doc for _, doc in own]
        assert got.judged[rows].tolist() == [(one, doc) in judged for _, doc in own]
        assert got.grade[rows].tolist() == [judged.get((one, doc), 0) for _, doc in own]


def columns(pairs: Sequence[tuple[str, str]], grades: Sequence[int], named_once: bool) -> Qrels:
    """Return judgments in this order of rows; `doc_ids` as a file's column, or with each document once."""
    query_ids, query = np.unique([q for q, _ in pairs], return_inverse=True)
    docs = [doc for _, doc in pairs]
    ids = sorted(set(docs)) if named_once else docs
    doc = [ids.index(one) for one in docs] if named_once else range(len(docs))
    columns = (np.array(list(one), np.int32) for one in (query, doc, grades))
    return Qrels(strings(query_ids.tolist()), strings(ids), *columns)


@settings(max_examples=100)
@given(returned=st.lists(PAIRS, min_size=1, max_size=30), block=st.sampled_from([1, 3, 1 << 15]))
def test_every_repeated_row_of_a_judged_query_is_named(returned: list[tuple[str, str]], block: int) -> None:
    """Each row that holds a pair again has its line in the error; rows of unjudged queries do not matter."""
    judged_queries = {"p", "q", "r"}
    again = [i for i, pair in enumerate(returned) if pair[0] in judged_queries and pair in returned[:i]]
    query_ids, query = np.unique([q for q, _ in returned], return_inverse=True)
    run = Run(
        "run",
        strings(query_ids.tolist()),
        strings([doc for _, doc in returned]),
        query.astype(np.int32),
        np.arange(len(returned), dtype=np.int32),
        np.ones(len(returned)),
    )
    qrels = qrels_from({query: {"a": 1} for query in judged_queries})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(match, "BLOCK", block)
        if not again:
            judge(run, qrels)
            return
        with pytest.raises(DataError) as caught:
            judge(run, qrels)

    assert [finding.line for finding in caught.value.findings] == [row + 1 for row in again]


@given(
    texts=st.lists(st.text(), max_size=20),
    numbers=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=40),
    data=st.data(),
)
def test_columns_are_arrows(texts: list[str], numbers: list[int], data: st.DataObject) -> None:
    """Columns made of buffers are those that Arrow makes of the values, nulls too."""
    known = data.draw(st.lists(st.booleans(), min_size=len(numbers), max_size=len(numbers)))
    values = [number if there else None for number, there in zip(numbers, known, strict=True)]
    made = arrow(np.array(numbers, np.int32), np.array(known, np.bool_))

    made.validate(full=True)
    assert made.equals(pa.array(values, pa.int32()))
    assert made.null_count == values.count(None)
    assert strings(texts).equals(pa.array(texts, pa.string()))
    assert mask(np.array(known, np.bool_)).equals(pa.array(known, pa.bool_()))


@given(st.lists(st.integers(1, 500), max_size=30))
def test_what_a_rank_is_worth_is_the_worth_of_the_rank(ranks: list[int]) -> None:
    """Computed once a rank or once a row: the same."""
    found = np.array(ranks, np.int32)

    np.testing.assert_array_equal(
        at_ranks(lambda rank: 1 / np.log2(rank + 1), found), 1 / np.log2(found + 1.0)
    )
