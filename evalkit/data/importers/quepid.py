"""`quepid`: exported books (several raters, unrated pairs) and cases, as JSON or CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalkit.data.importers import parts
from evalkit.data.importers.options import Options
from evalkit.data.importers.sink import Sink, TextIds, need
from evalkit.data.importers.sources import files_of, form, json_of, listed, mapped
from evalkit.data.importers.tabular import records
from evalkit.errors import Finding

CASE_COLUMNS = {"Query Text": "query", "Doc ID": "doc_id", "Title": "title", "Rating": "grade"}
NOBODY = "anonymous"


def read(source: str, options: Options, sink: Sink) -> None:
    """Read the JSON export of a book or a case, or a CSV export; texts that it lacks come from `--corpus`."""
    if options.corpus is not None:
        parts.corpus(sink, options.corpus)
    queries = TextIds("q")
    for path in files_of(source, "*.json", "*.csv"):
        if form(path) == ".json":
            _export(sink, path, json_of(sink, path), queries)
        else:
            _table(sink, path, queries)


def _export(sink: Sink, path: Path, value: Any, queries: TextIds) -> None:
    pairs, cases = (
        value.get(key) if isinstance(value, Mapping) else None for key in ("query_doc_pairs", "queries")
    )
    if isinstance(pairs, list):
        for pair in pairs:
            _pair(sink, path, mapped(sink, path, pair, "a pair"), queries)
    elif isinstance(cases, list):
        for case in cases:
            _case(sink, path, mapped(sink, path, case, "a query"), queries)
    elif value is not None:
        what = "neither `query_doc_pairs` (a book) nor `queries` (a case)"
        sink.books.note(Finding(str(path), None, what, "Export the book or the case as JSON"))


def _pair(sink: Sink, path: Path, pair: Mapping[str, Any], queries: TextIds) -> None:
    text, document = str(pair.get("query_text") or ""), pair.get("doc_id")
    query = queries[text]
    sink.query(path, None, query, text)
    fields = pair.get("document_fields")
    if isinstance(fields, str):
        try:
            fields = json.loads(fields)
        except (ValueError, RecursionError):
            what = f"the document_fields of {document!r:.60} are no JSON"
            sink.books.tell("fields that are no JSON", path, None, what, "Export the book again")
            fields = None
    fields = mapped(sink, path, fields, "document_fields")
    if fields and sink.options.corpus is None:
        title = fields.get("title")
        sink.document(path, None, document, "", title if isinstance(title, str) else "", fields)
    for one in listed(sink, path, pair.get("judgements"), "judgements"):
        one = mapped(sink, path, one, "a judgement")
        rated = not (one.get("unrateable") or one.get("judge_later"))
        who = one.get("user_email") or NOBODY
        sink.rating(path, None, query, document, one.get("rating") if rated else None, who)


def _case(sink: Sink, path: Path, case: Mapping[str, Any], queries: TextIds) -> None:
    text = str(case.get("query_text") or case.get("query") or "")
    query = queries[text]
    need_text = {"information_need": case["information_need"]} if case.get("information_need") else None
    sink.query(path, None, query, text, (), need_text)
    for document, grade in mapped(sink, path, case.get("ratings"), "ratings").items():
        sink.rating(path, None, query, document, grade)


def _table(sink: Sink, path: Path, queries: TextIds) -> None:
    """Read `query,docid,rating`, the detailed case export, or the book export with a column a rater."""
    for line, row in records(sink, path):
        place = {ours: theirs for theirs, ours in CASE_COLUMNS.items() if theirs in row}
        query_column, doc_column = place.get("query", "query"), place.get("doc_id", "docid")
        need(
            query_column in row and doc_column in row,
            path,
            f"no columns `query` and `docid` (or `Query Text` and `Doc ID`); there are {', '.join(row)}",
        )
        text, document = str(row[query_column] or ""), row[doc_column]
        query = queries[text]
        sink.query(path, line, query, text)
        if "Query Text" in row or "rating" in row:
            sink.rating(path, line, query, document, row.get("Rating", row.get("rating")))
            continue
        for rater, grade in row.items():
            if rater not in (query_column, doc_column):
                sink.rating(path, line, query, document, grade, rater)
