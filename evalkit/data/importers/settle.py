"""From ratings to judgments: known ids, whole grades, one grade a pair, and nothing lost on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evalkit.data.agreement import Agreement, agreement
from evalkit.data.importers import alike
from evalkit.data.importers.grading import grade
from evalkit.data.importers.sink import IDENTICAL, RATINGS, Sink
from evalkit.data.importers.tally import SHOWN
from evalkit.measures.columns import numbers, positions, repeated, strings
from evalkit.records import Bools, Codes, Ints

SETTLED = "settled with others of the pair (--several)"


@dataclass(frozen=True, eq=False)
class Settled:
    """One row a judged pair, as positions in the sink's queries and documents; and how raters agreed."""

    query: Codes
    doc: Codes
    grade: Codes
    agreement: Agreement | None


def settle(sink: Sink) -> Settled:
    """Return the judgments that the ratings in `sink` come to; contradictions are findings in its books."""
    other_queries, other_documents = alike.settle(sink)
    table = pa.concat_tables(sink.ratings) if sink.ratings else RATINGS.empty_table()
    query = _codes(sink, "query", table["query"], list(sink.queries), other_queries)
    doc = _codes(sink, "document", table["doc"], list(sink.documents), other_documents)
    known = (query >= 0) & (doc >= 0)
    if not known.all():
        _unknown(sink, table, query, doc)
        table, query, doc = table.filter(pa.array(known)), query[known], doc[known]
    value, keeps = grade(sink, table["grade"], table)
    if not keeps.all():
        table, query, doc, value = table.filter(pa.array(keeps)), query[keeps], doc[keeps], value[keeps]
    pair = query.astype(np.int64) * max(len(sink.documents), 1) + doc
    agreed = _agreement(table, pair, value)
    kept, value = _one_a_pair(sink, table, pair, value)
    sink.books.accounts["ratings"].written = int(kept.sum())
    return Settled(query[kept], doc[kept], value[kept], agreed)


def _codes(sink: Sink, kind: str, names: pa.ChunkedArray, known: list[str], other: dict[str, str]) -> Codes:
    """Return the position of each name in `known`, -1 where it is nowhere, also in another spelling."""
    place = positions(names, strings(known))
    lost = place < 0
    if not lost.any():
        return place
    words = names.filter(pa.array(lost)).unique().to_pylist()
    target = {name: other[name] for name in words if name in other}
    target |= alike.elsewhere(sink, kind, [name for name in words if name not in target], known)
    if target:
        spelling = {name: target.get(name, name) for name in words}
        renamed = [spelling.get(name, name) for name in names.to_pylist()]
        place = positions(strings(renamed), strings(known))
    return place


def _unknown(sink: Sink, table: pa.Table, query: Codes, doc: Codes) -> None:
    missing = (query < 0) | (doc < 0)
    count = int(missing.sum())
    reason = "of an unknown query or document"
    if sink.options.drop_unknown:
        sink.books.leave_out("ratings", f"{reason} (--drop-unknown)", count)
        return
    sink.books.leave_out("ratings", reason, count)
    rows = np.flatnonzero(missing)
    for row in rows[:SHOWN].tolist():
        kind, name = ("query", "query") if query[row] < 0 else ("document", "doc")
        what = f"a rating names the unknown {kind} {table[name][row].as_py()!r:.60}"
        _tell(sink, "ratings of unknown ids", table, row, what, "Add it, or say --drop-unknown")
    if count > SHOWN:
        what = f"{count} ratings name an unknown query or document; {SHOWN} of them are told"
        sink.books.tell(
            "all ratings of unknown ids", "ratings", None, what, "Add them, or say --drop-unknown"
        )


def _agreement(table: pa.Table, pair: Ints, value: Codes) -> Agreement | None:
    """Return the agreement where at least two raters are named."""
    named = numbers(pc.is_valid(table["rater"]).combine_chunks().cast(pa.uint8()), np.bool_)
    if not named.any():
        return None
    rater = table["rater"].combine_chunks().filter(pa.array(named)).dictionary_encode()
    names = rater.dictionary.to_pylist()
    if len(names) < 2:
        return None
    return agreement(pair[named], numbers(rater.indices, np.int32), names, value[named])


def _one_a_pair(sink: Sink, table: pa.Table, pair: Ints, value: Codes) -> tuple[Bools, Codes]:
    """Return which rows stay (the first of each pair) and all grades, with what its ratings come to there."""
    kept = ~repeated(pair)
    if kept.all():
        return kept, value
    order = np.argsort(pair, kind="stable")
    starts = np.flatnonzero(kept[order])
    sizes = np.diff(np.r_[starts, len(pair)])
    sorted_value = value[order]
    low, high = np.minimum.reduceat(sorted_value, starts), np.maximum.reduceat(sorted_value, starts)
    differ = low != high
    several = sink.options.several
    if differ.any() and several is None:
        for place in np.flatnonzero(differ)[:SHOWN].tolist():
            row = int(order[starts[place] + 1])
            what = f"document {table['doc'][row].as_py()!r:.60} has several grades for this query"
            remedy = "Say --several majority, mean, max, first or last"
            _tell(sink, "pairs with several grades", table, row, what, remedy)
        if differ.sum() > SHOWN:
            what = f"{differ.sum()} pairs have several grades; {SHOWN} of them are told"
            remedy = "Say --several majority, mean, max, first or last"
            sink.books.tell("all pairs with several grades", "ratings", None, what, remedy)
    agreeing = int((sizes - 1)[~differ].sum())
    sink.books.leave_out("ratings", f"{IDENTICAL} (same pair, same grade)", agreeing)
    sink.books.leave_out("ratings", SETTLED, int((sizes - 1)[differ].sum()))
    settled = value.copy()
    settled[order[starts]] = _combine(sorted_value, starts, sizes, several or "first")
    return kept, settled


def _combine(value: Codes, starts: Ints, sizes: Ints, how: str) -> Codes:
    """Return one grade a group. A mean is rounded, halves up; the lower grade wins a tied majority."""
    if how in ("first", "last"):
        rows = starts if how == "first" else starts + sizes - 1
        return np.asarray(value[rows])
    if how == "max":
        return np.asarray(np.maximum.reduceat(value, starts))
    if how == "mean":
        mean = np.add.reduceat(value.astype(np.int64), starts) / sizes
        return np.asarray(np.floor(mean + 0.5), np.int32)
    group = np.repeat(np.arange(len(starts)), sizes)
    votes, counts = np.unique(np.stack([group, value]), axis=1, return_counts=True)
    best = np.lexsort((votes[1], -counts, votes[0]))
    first = np.searchsorted(votes[0][best], np.arange(len(starts)))
    return np.asarray(votes[1][best][first], np.int32)


def _tell(sink: Sink, kind: str, table: pa.Table, row: int, what: str, remedy: str) -> None:
    sink.books.tell(kind, table["path"][row].as_py(), table["line"][row].as_py(), what, remedy)
