"""`csv` and `parquet`: rated pairs with their texts, or beside `--corpus` and `--queries`."""

from __future__ import annotations

from pathlib import Path

from evalkit.data.importers import parts
from evalkit.data.importers.options import Options
from evalkit.data.importers.parts import named
from evalkit.data.importers.sink import Sink, TextIds
from evalkit.data.importers.sources import files_of
from evalkit.data.importers.tabular import batches, records


def read(source: str, options: Options, sink: Sink) -> None:
    """Read the columns query_id or query, doc_id or text, grade; also title, category and rater."""
    queries, documents = TextIds("q"), TextIds("d")
    if options.corpus is not None:
        parts.corpus(sink, options.corpus)
    if options.queries is not None:
        parts.queries(sink, options.queries)
        for name, query in sink.queries.items():
            queries.known(query.text, name)
    for path in files_of(source, "*.parquet", "*.csv", "*.csv.gz", "*.tsv", "*.jsonl"):
        columns = _columns(sink, path)
        if options.queries is not None and (options.corpus is not None or "text" not in columns):
            parts.judgments(sink, path, by_text=queries)
        else:
            _wide(sink, path, options, queries, documents)


def _columns(sink: Sink, path: Path) -> set[str]:
    """Return which of our columns the table has."""
    aside = Sink(None, sink.options)  # what is wrong is told when the table is read
    first = next(iter(batches(aside, path)), None)
    present = first.columns if first is not None else {}
    found = {name for name in parts.NAMES if named(present, sink.options.columns, name) is not None}
    return found | ({"fields"} & sink.options.columns.keys())


def _wide(sink: Sink, path: Path, options: Options, queries: TextIds, documents: TextIds) -> None:
    """Read a table whose rows hold the query, the document and the rating together."""
    chosen, places = options.columns, parts.Places(options.columns)
    for count, (line, row) in enumerate(records(sink, path)):
        place = places.of(row)
        has_text = place["text"] in row or "fields" in chosen
        need = {"grade": place["grade"]}
        if place["query_id"] == parts.ABSENT or options.queries is None:
            need["query"] = place["query"]
        if place["doc_id"] == parts.ABSENT:
            lacking = "text" if options.corpus is None and "doc_id" not in chosen else "doc_id"
            need[lacking] = place[lacking]
        if line is None or not count:
            parts.demand(path, row, chosen, need)
        value = {ours: row.get(theirs) for ours, theirs in place.items()}
        query_id = value["query_id"] if value["query_id"] is not None else queries[str(value["query"] or "")]
        if options.queries is None:
            category = [str(value["category"])] if value["category"] else []
            sink.query(path, line, query_id, value["query"], category)
        doc_id = value["doc_id"] if value["doc_id"] is not None else documents[str(value["text"] or "")]
        if options.corpus is None and has_text:
            parts.document(sink, path, line, row, doc_id, place)
        sink.rating(path, line, query_id, doc_id, value["grade"], value["rater"])
