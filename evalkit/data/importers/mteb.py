"""`mteb`: a clone of a retrieval data set of MTEB, its parts as Parquet or JSON lines."""

from __future__ import annotations

from pathlib import Path

from evalkit.data.importers import parts
from evalkit.data.importers.options import Options
from evalkit.data.importers.sink import Sink, need
from evalkit.data.importers.sources import find

KINDS = ("parquet", "jsonl", "jsonl.gz")


def read(source: str, options: Options, sink: Sink) -> None:
    """Read the folders `corpus`, `queries` and `qrels` (or `data`, `default`), or files of these names."""
    folder = Path(source)
    need(folder.is_dir(), source, "name the folder of the data set's clone")
    corpus = [options.corpus] if options.corpus else _files(folder, ("corpus", "data/corpus"))
    queries = [options.queries] if options.queries else _files(folder, ("queries", "data/queries"))
    judged = [options.qrels] if options.qrels else _judged(folder, options.split)
    need(corpus, source, "no corpus; name its file with --corpus")
    need(queries, source, "no queries; name their file with --queries")
    need(judged, source, f"no judgments of the split {options.split!r}; say --split or --qrels")
    for path in corpus:
        parts.corpus(sink, path, folder)
    for path in queries:
        parts.queries(sink, path, folder)
    for path in judged:
        parts.judgments(sink, path, folder)


def _files(folder: Path, places: tuple[str, ...]) -> list[Path]:
    return find(
        folder, *(f"{place}{tail}.{kind}" for place in places for tail in ("/*", "-*", "") for kind in KINDS)
    )


def _judged(folder: Path, split: str) -> list[Path]:
    places = ("qrels", "data", "default")
    tails = (f"/{split}", f"/{split}-*", f"/qrels-{split}*")
    return find(
        folder,
        *(f"{place}{tail}.{kind}" for place in places for tail in tails for kind in KINDS),
        *(f"qrels.{kind}" for kind in KINDS),
    )
