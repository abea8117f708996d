"""`elasticsearch`: the requests of `_rank_eval`, with the ratings that they carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evalkit.data.importers import parts
from evalkit.data.importers.options import Options
from evalkit.data.importers.sink import Sink
from evalkit.data.importers.sources import files_of, json_of, listed, mapped
from evalkit.errors import Finding

TEXT_KEYS = ("query_string", "query", "query_text", "q", "text")
MATCHES = ("match", "match_phrase", "match_bool_prefix", "term", "semantic", "text_expansion")
DEPTH = 12


def read(source: str, options: Options, sink: Sink) -> None:
    """Read the `requests` of a `_rank_eval` body; a query's text is its template's parameter or its match."""
    if options.corpus is not None:
        parts.corpus(sink, options.corpus)
    if options.queries is not None:
        parts.queries(sink, options.queries)
    for path in files_of(source, "*.json"):
        value = json_of(sink, path)
        requests = value.get("requests") if isinstance(value, Mapping) else None
        if not isinstance(requests, list):
            if value is not None:
                sink.books.note(
                    Finding(str(path), None, "no list of `requests`", "Save the body of _rank_eval")
                )
            continue
        for request in requests:
            _request(sink, path, mapped(sink, path, request, "a request"))


def _request(sink: Sink, path: Path, request: Mapping[str, Any]) -> None:
    query = request.get("id")
    if sink.options.queries is None:
        text = _text_of(request)
        if text is None and query:
            what = f"the text of the request {query!r:.60} is in no match and no parameter"
            sink.books.tell("requests without a text", path, None, what, "Name the texts with --queries")
        sink.query(path, None, query, text if text is not None else query)
    ratings = listed(sink, path, request.get("ratings"), "ratings")
    ratings = [mapped(sink, path, one, "a rating") for one in ratings]
    indices = {str(one.get("_index")) for one in ratings}
    for one in ratings:
        name = one.get("_id")
        name = f"{one.get('_index')}/{name}" if len(indices) > 1 and name else name
        sink.rating(path, None, query, name, one.get("rating"))


def _text_of(request: Mapping[str, Any]) -> str | None:
    parameters = request.get("params")
    if isinstance(parameters, Mapping):
        named = [parameters.get(key) for key in TEXT_KEYS] + list(parameters.values())
        return next((one for one in named if isinstance(one, str) and one.strip()), None)
    return next(_texts(request.get("request"), DEPTH), None)


def _texts(value: Any, depth: int) -> Iterator[str]:
    """Yield the texts that a query DSL looks for, outermost and first ones first."""
    if not depth:
        return
    if isinstance(value, list):
        for inner in value:
            yield from _texts(inner, depth - 1)
    if not isinstance(value, Mapping):
        return
    for key, inner in value.items():
        if key in MATCHES and isinstance(inner, Mapping):
            for looked_for in inner.values():
                if isinstance(looked_for, Mapping):
                    looked_for = next(
                        (looked_for[one] for one in ("query", "value") if one in looked_for), None
                    )
                if isinstance(looked_for, str):
                    yield looked_for
        elif key == "query" and isinstance(inner, str):
            yield inner
        else:
            yield from _texts(inner, depth - 1)
