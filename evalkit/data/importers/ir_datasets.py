"""`ir_datasets`: any judged collection of that package, where it is installed."""

from __future__ import annotations

from typing import Any

from evalkit.data.importers.options import Options
from evalkit.data.importers.packages import Blamed, package
from evalkit.data.importers.sink import Sink
from evalkit.errors import InputError

TEXTS = ("text", "body", "default_text", "abstract")


def read(source: str, options: Options, sink: Sink) -> None:  # noqa: ARG001  # every format has this signature
    """Read the collection called `source`, such as `cranfield` or `beir/scifact/test`."""
    library = package("ir_datasets", "ir-datasets")
    asked = Blamed("ir_datasets", source, (OSError, ValueError, RuntimeError))
    try:
        collection = asked.call(library.load, source)
    except KeyError:
        raise InputError(f"ir_datasets has no collection called {source!r}") from None
    lacking = [kind for kind in ("docs", "queries", "qrels") if not getattr(collection, f"has_{kind}")()]
    if lacking:
        raise InputError(f"{source} has no {' and no '.join(lacking)}. Name a collection with all three")
    for document in asked.rows(collection.docs_iter):
        text = _text(document)
        sink.document(source, None, document.doc_id, text, str(getattr(document, "title", "") or ""))
    for query in asked.rows(collection.queries_iter):
        text = next((value for name in ("text", "query", "title") if (value := getattr(query, name, ""))), "")
        sink.query(source, None, query.query_id, text)
    for judged in asked.rows(collection.qrels_iter):
        sink.rating(source, None, judged.query_id, judged.doc_id, judged.relevance)


def _text(document: Any) -> str:
    for name in TEXTS:
        value = getattr(document, name, None)
        value = value() if callable(value) else value
        if isinstance(value, str) and value:
            return value
    return ""
