"""`huggingface`: a data set of the hub in MTEB's layout, where the package `datasets` is installed."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evalkit.data.importers import parts
from evalkit.data.importers.options import Options
from evalkit.data.importers.sink import Sink
from evalkit.errors import InputError

QRELS = ("qrels", "default")


def package(name: str, install: str) -> Any:
    """Return an optional package.

    Raises:
        InputError: it is not installed, with what to install.
    """
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:  # a mere folder of that name is no package
        raise InputError(f"this format needs the package {install!r}. Install it: pip install {install}")
    return importlib.import_module(name)


def read(source: str, options: Options, sink: Sink) -> None:
    """Read the configurations `corpus`, `queries` and `qrels` (or `default`) of the data set `source`."""
    library = package("datasets", "datasets")
    configurations = library.get_dataset_config_names(source)
    judged = next((name for name in QRELS if name in configurations), None)
    if judged is None or not {"corpus", "queries"} <= set(configurations):
        raise InputError(
            f"{source}: corpus, queries and qrels are needed, there are {', '.join(configurations)}"
        )
    place, places = Path(source) / "corpus", parts.Places(options.columns)
    for row in _all(library.load_dataset(source, "corpus")):
        columns = places.of(row)
        parts.document(sink, place, None, row, row.get(columns["doc_id"]), columns)
    for row in _all(library.load_dataset(source, "queries")):
        sink.query(f"{source}/queries", None, _identifier(row), row.get("text", row.get("query")))
    splits = library.load_dataset(source, judged)
    if options.split not in splits:
        raise InputError(f"{source}: no split {options.split!r}; say --split {' or '.join(splits)}")
    for row in splits[options.split]:
        query, document = (
            row[parts.named(row, options.columns, ours) or ours] for ours in ("query_id", "doc_id")
        )
        sink.rating(f"{source}/{judged}", None, query, document, row.get("score"))


def _all(splits: Mapping[str, Iterable[Mapping[str, Any]]]) -> Iterable[Mapping[str, Any]]:
    return (row for split in splits.values() for row in split)


def _identifier(row: Mapping[str, Any]) -> object:
    return next((row[name] for name in parts.OWN_ID if name in row), None)
