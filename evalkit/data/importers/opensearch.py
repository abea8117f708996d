"""`opensearch`: judgment lists and query sets of the Search Relevance Workbench, sent or searched for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evalkit.data.importers import parts
from evalkit.data.importers.options import Options
from evalkit.data.importers.sink import Sink, TextIds
from evalkit.data.importers.sources import files_of, json_of, listed, mapped
from evalkit.errors import Finding

DEPTH = 8  # a search's answer has hits.hits[]._source


def read(source: str, options: Options, sink: Sink) -> None:
    """Read `judgmentRatings` and `querySetQueries` wherever they stand; texts come from `--corpus`."""
    if options.corpus is not None:
        parts.corpus(sink, options.corpus)
    queries = TextIds("q")
    for path in files_of(source, "*.json"):
        value = json_of(sink, path)
        found = False
        for kind, part in _parts(value, DEPTH):
            found = True
            if kind == "querySetQueries":
                _query_set(sink, path, part, queries)
            else:
                _judgments(sink, path, part, queries)
        if value is not None and not found:
            what = "neither `judgmentRatings` nor `querySetQueries`"
            sink.books.note(Finding(str(path), None, what, "Save the body of the judgment list or query set"))


def _parts(value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield the two parts that we read, however deep an answer wraps them."""
    if depth and isinstance(value, Mapping):
        for key, inner in value.items():
            if key in ("querySetQueries", "judgmentRatings"):
                yield key, inner
            else:
                yield from _parts(inner, depth - 1)
    elif depth and isinstance(value, list):
        for inner in value:
            yield from _parts(inner, depth - 1)


def _query_set(sink: Sink, path: Path, part: Any, queries: TextIds) -> None:
    for one in part if isinstance(part, list) else [part]:
        if isinstance(one, Mapping):
            text = str(one.get("queryText") or "")
            answer = {"reference_answer": one["referenceAnswer"]} if one.get("referenceAnswer") else None
        else:
            text, answer = str(one or ""), None
        sink.query(path, None, queries[text], text, (), answer)


def _judgments(sink: Sink, path: Path, part: Any, queries: TextIds) -> None:
    """Read `[{query, ratings: [{docId, rating}]}]`, or `{query: [{docId, rating}]}` of version 3.0."""
    if isinstance(part, Mapping):
        part = [{"query": query, "ratings": ratings} for query, ratings in part.items()]
    for one in listed(sink, path, part, "judgmentRatings"):
        judged = mapped(sink, path, one, "a query's ratings")
        text = str(judged.get("query") or "")
        query = queries[text]
        sink.query(path, None, query, text)
        for rating in listed(sink, path, judged.get("ratings"), "ratings"):
            rating = mapped(sink, path, rating, "a rating")
            sink.rating(path, None, query, rating.get("docId"), rating.get("rating"))
