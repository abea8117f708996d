"""`ranx`: its Qrels as JSON, TREC or Parquet; the texts come from `--corpus` and `--queries`."""

from __future__ import annotations

from evalkit.data.importers import parts, trec
from evalkit.data.importers.options import Options
from evalkit.data.importers.sink import Sink, need
from evalkit.data.importers.sources import files_of, form, json_of
from evalkit.errors import Finding


def read(source: str, options: Options, sink: Sink) -> None:
    """Read `{query: {document: grade}}`, a TREC file, or the columns q_id, doc_id, score."""
    need(options.corpus and options.queries, source, "ranx keeps ids only: say --corpus FILE --queries FILE")
    parts.tables_of(sink)
    for path in files_of(source, "*.json", "*.trec", "*.parquet", "*.txt"):
        if form(path) == ".json":
            nested(sink, path, json_of(sink, path))
        elif form(path) == ".parquet":
            parts.judgments(sink, path)
        else:
            trec.qrels(sink, path)


def nested(sink: Sink, path: object, value: object) -> None:
    """Take `{query: {document: grade}}`."""
    if not isinstance(value, dict):
        if value is not None:
            sink.books.note(
                Finding(str(path), None, "no object of queries", "Write {query: {document: grade}}")
            )
        return
    for query, judged in value.items():
        if not isinstance(judged, dict):
            what = f"query {query!r:.60} has no object of documents"
            sink.books.tell("queries without documents", str(path), None, what, "Write {document: grade}")
            continue
        for document, grade in judged.items():
            sink.rating(str(path), None, query, document, grade)
