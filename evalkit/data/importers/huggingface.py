"""`huggingface`: a data set of the hub in MTEB's layout, where the package `datasets` is installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from evalkit.data.importers import parts
from evalkit.data.importers.options import Options
from evalkit.data.importers.packages import Blamed, package
from evalkit.data.importers.sink import Sink
from evalkit.errors import InputError

Row = Mapping[str, Any]
QRELS = ("qrels", "default")


def read(source: str, options: Options, sink: Sink) -> None:
    """Read the configurations `corpus`, `queries` and `qrels` (or `default`) of the data set `source`."""
    library = package("datasets", "datasets")
    asked = Blamed("datasets", source, (OSError, ValueError, library.exceptions.DatasetsError))
    configurations = asked.call(library.get_dataset_config_names, source)
    judged = next((name for name in QRELS if name in configurations), None)
    if judged is None or not {"corpus", "queries"} <= set(configurations):
        raise InputError(
            f"{source}: corpus, queries and qrels are needed, there are {', '.join(configurations)}"
        )
    place, places = Path(source) / "corpus", parts.Places(options.columns)
    for row in _all(asked, asked.call(library.load_dataset, source, "corpus")):
        sink.meet(row)
        columns = places.of(row)
        parts.document(sink, place, None, row, row.get(columns["doc_id"]), columns)
    for row in _all(asked, asked.call(library.load_dataset, source, "queries")):
        sink.query(f"{source}/queries", None, _identifier(row), row.get("text", row.get("query")))
    splits = asked.call(library.load_dataset, source, judged)
    if options.split not in splits:
        raise InputError(f"{source}: no split {options.split!r}; say --split {' or '.join(splits)}")
    for row in asked.rows(lambda: splits[options.split]):
        sink.meet(row)
        query, document = (
            row[parts.named(row, options.columns, ours) or ours] for ours in ("query_id", "doc_id")
        )
        sink.rating(f"{source}/{judged}", None, query, document, row.get("score"))


def _all(asked: Blamed, splits: Mapping[str, Iterable[Row]]) -> Iterator[Row]:
    for name in splits:
        yield from asked.rows(partial(splits.__getitem__, name))


def _identifier(row: Mapping[str, Any]) -> object:
    return next((row[name] for name in parts.OWN_ID if name in row), None)
