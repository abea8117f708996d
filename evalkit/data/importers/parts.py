"""Corpus, queries and judgments that lie in tables of their own: what most formats share."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from evalkit.data.importers.sink import Sink, TextIds
from evalkit.data.importers.sources import form, only_file
from evalkit.data.importers.tabular import batches, records
from evalkit.errors import DataError, Finding, InputError
from evalkit.measures.columns import arrow, strings

NAMES: Mapping[str, tuple[str, ...]] = {
    "query_id": ("query_id", "query-id", "qid", "q_id", "topic", "topic_id"),
    "query": ("query", "query_text", "question", "user_input", "input"),
    "doc_id": ("doc_id", "docid", "document_id", "corpus-id", "corpus_id", "pid", "product_id"),
    "text": ("text", "document", "doc_text", "passage", "contents", "content", "body"),
    "title": ("title", "name", "doc_title"),
    "grade": ("grade", "rating", "relevance", "label", "judgment", "judgement", "score"),
    "rater": ("rater", "rater_id", "annotator", "user", "user_email", "judge"),
    "category": ("category", "query_class", "query_category"),
}
OWN_ID = ("_id",)
ABSENT = "\x00"  # no column is called this
MOST_SHAPES = 1000  # sets of columns that are remembered


def named(
    columns: Iterable[str], chosen: Mapping[str, str], ours: str, own: tuple[str, ...] = ()
) -> str | None:
    """Return the column that holds `ours`: the one that `--map` names, or the first of its usual names.

    One `--map` serves all tables of a source, so a table may lack its column; `unmet` tells of what all lack.
    """
    present = set(columns)
    if chosen.get(ours) in present:
        return chosen[ours]
    usual = (*own, *NAMES.get(ours, (ours,)), *(("id",) if own else ()))
    return next((name for name in usual if name in present), None)


def demand(
    path: Path, columns: Iterable[str], chosen: Mapping[str, str], found: Mapping[str, str | None]
) -> None:
    """Refuse a table that lacks a column.

    Raises:
        DataError: with the columns that it has, and how to name the right one.
    """
    columns = list(columns)
    lacking = [ours for ours, theirs in found.items() if theirs is None or theirs not in columns]
    if lacking:
        findings = [
            Finding(
                str(path),
                1,
                f"no column for `{ours}`" + (f" called {chosen[ours]!r}" if ours in chosen else ""),
                f"Say --map {ours}=COLUMN; the columns are {', '.join(map(str, columns))}",
            )
            for ours in lacking
        ]
        raise DataError(findings)


def refuse_unknown(chosen: Mapping[str, str], known: Iterable[str]) -> None:
    """Refuse a `--map` of a column that is none of ours.

    Raises:
        InputError: with what we call the columns.
    """
    unknown = [ours for ours in chosen if ours not in set(known)]
    if unknown:
        told = ", ".join(f"--map {ours}={chosen[ours]}" for ours in unknown)
        raise InputError(f"{told}: on the left stands one of our names: {', '.join(known)}")


def unmet(sink: Sink, source: str, chosen: Mapping[str, str]) -> Iterator[Finding]:
    """Yield every `--map` whose column no table had: most likely it is misspelt."""
    for ours, theirs in chosen.items():
        for name in theirs.split(",") if ours == "fields" else (theirs,):
            if name.strip() not in sink.columns:
                what = f"--map {ours}={theirs}: no table has a column {name.strip()!r}"
                found = ", ".join(sorted(sink.columns)) or "none"
                yield Finding(source, None, what, f"Correct it; the columns are {found}")


class Places:
    """Which column of a row holds which of our names, looked up once for each set of columns."""

    def __init__(self, chosen: Mapping[str, str]) -> None:
        self._chosen = chosen
        self._known: dict[tuple[str, ...], dict[str, str]] = {}

    def of(self, row: Mapping[str, Any]) -> dict[str, str]:
        """Return the columns of `row` by our names, ABSENT where it has none; ids may be called `_id`."""
        columns = tuple(row)
        found = self._known.get(columns)
        if found is None:
            if len(self._known) > MOST_SHAPES:
                self._known.clear()
            own = {"query_id": OWN_ID, "doc_id": OWN_ID}
            found = {ours: named(columns, self._chosen, ours, own.get(ours, ())) or ABSENT for ours in NAMES}
            self._known[columns] = found
        return found


def corpus(sink: Sink, path: Path, folder: Path | None = None) -> None:
    """Take every document of a table: `_id`, `title`, `text`, `fields`, `metadata`, or as `--map` says."""
    places = Places(sink.options.columns)
    for line, row in records(sink, only_file(path, folder)):
        place = places.of(row)
        document(sink, path, line, row, row.get(place["doc_id"]), place)


def document(
    sink: Sink,
    path: Path,
    line: int | None,
    row: Mapping[str, Any],
    identifier: object,
    place: Mapping[str, str],
) -> None:
    """Take the document of a row; `--map fields=a,b` makes a structured one of those columns."""
    chosen = sink.options.columns
    text, title = row.get(place["text"]) or "", row.get(place["title"]) or ""
    fields, metadata = row.get("fields"), row.get("metadata")
    if "fields" in chosen:
        wanted = [name.strip() for name in chosen["fields"].split(",")]
        fields = {name: row[name] for name in wanted if row.get(name) is not None}
        text = text if "text" in chosen else ""
        title = title if "title" in chosen else ""
    if fields is not None or metadata is not None:
        fields = _object(sink, path, line, "fields", fields)
        metadata = _object(sink, path, line, "metadata", metadata)
    sink.document(path, line, identifier, _text(text), _text(title), fields, metadata)


def queries(sink: Sink, path: Path, folder: Path | None = None) -> None:
    """Take every query of a table: `_id`, `text`, `metadata`, `category`, or as `--map` says."""
    places = Places(sink.options.columns)
    for line, row in records(sink, only_file(path, folder)):
        place = places.of(row)
        key, text = place["query_id"], place["query"] if place["query"] in row else "text"
        metadata = dict(_object(sink, path, line, "metadata", row.get("metadata")) or {})
        category = row.get(place["category"]) or metadata.pop("category", None)
        found = [str(one) for one in (category if isinstance(category, list) else [category]) if one]
        sink.query(path, line, row.get(key), row.get(text), found, metadata)


def judgments(sink: Sink, path: Path, folder: Path | None = None, by_text: TextIds | None = None) -> None:
    """Take every rating of a table; with `by_text`, queries are named by their text where they have no id."""
    chosen = sink.options.columns
    for batch in batches(sink, only_file(path, folder)):
        key = named(batch.columns, chosen, "query_id")
        text = named(batch.columns, chosen, "query")
        found = {
            "doc_id": named(batch.columns, chosen, "doc_id"),
            "grade": named(batch.columns, chosen, "grade"),
        }
        by = "query_id" if by_text is None or key is not None else "query"
        demand(path, batch.columns, chosen, {by: key if by == "query_id" else text, **found})
        names = batch.columns[key] if key is not None else None
        if names is None and by_text is not None and text is not None:
            names = strings([by_text[one or ""] for one in batch.columns[text].to_pylist()])
        rater = named(batch.columns, chosen, "rater")
        columns = [batch.columns[str(found[ours])] for ours in ("doc_id", "grade")]
        if rater is None or rater not in batch.columns:
            sink.ratings_table(path, _ids(names), _ids(columns[0]), columns[1], arrow(batch.numbers))
            continue
        rows = zip(*(c.to_pylist() for c in (names, *columns, batch.columns[rater])), strict=True)
        for number, (query, doc, grade, who) in zip(batch.numbers.tolist(), rows, strict=True):
            sink.rating(path, number, query, doc, grade, who)


def tables_of(sink: Sink) -> None:
    """Take the tables that `--corpus`, `--queries` and `--qrels` name."""
    options = sink.options
    if options.corpus is not None:
        corpus(sink, options.corpus)
    if options.queries is not None:
        queries(sink, options.queries)
    if options.qrels is not None:
        judgments(sink, options.qrels)


def is_table(path: Path) -> bool:
    """Return whether the name says CSV, TSV, JSON or Parquet."""
    return form(path) in (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")


def _ids(column: Any) -> pa.Array:
    import pyarrow.compute as pc

    return pc.fill_null(pc.utf8_trim_whitespace(column), "")


def _object(sink: Sink, path: Path, line: int | None, name: str, value: object) -> Mapping[str, Any] | None:
    """Return an object, also where a table holds it as JSON; anything else is a finding."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(value) if value.strip() else None
    if value is None or isinstance(value, Mapping):
        return value
    what = f"`{name}` is no object"
    sink.books.tell(f"{name} that are no object", path, line, what, f"Write {name} as {{name: value}}")
    return None


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
