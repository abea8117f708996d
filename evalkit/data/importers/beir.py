"""`beir` and its variants: judgments as TSV with or without a header or as JSON lines, of any split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from evalkit.data import qrels
from evalkit.data.beside import beside
from evalkit.data.importers import parts
from evalkit.data.importers.options import Options
from evalkit.data.importers.sink import Sink, need
from evalkit.data.importers.sources import find, form
from evalkit.data.lines import OBJECT, UNREADABLE, Lines, at_once
from evalkit.measures.columns import arrow


def read(source: str, options: Options, sink: Sink) -> None:
    """Read `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv` or `.jsonl` in the folder `source`."""
    folder = Path(source)
    need(folder.is_dir(), source, "a BEIR data set is a folder; for single files take the format `csv`")
    corpus = [options.corpus] if options.corpus else find(folder, "corpus.jsonl", "corpus.jsonl.gz")
    queries = [options.queries] if options.queries else find(folder, "queries.jsonl", "queries.jsonl.gz")
    split = options.split
    judged = (
        [options.qrels]
        if options.qrels
        else find(
            folder,
            *(
                f"{place}{split}{kind}"
                for place in ("qrels/", "qrels.", "")
                for kind in (".tsv", ".tsv.gz", ".jsonl")
            ),
            "qrels.tsv",
            "qrels.jsonl",
        )
    )
    splits = ", ".join(sorted({path.name.split(".")[0] for path in folder.glob("qrels/*")})) or "none"
    need(corpus, source, "no corpus.jsonl; name it with --corpus")
    need(queries, source, "no queries.jsonl; name it with --queries")
    need(judged, source, f"no judgments of the split {split!r} (there are: {splits}); say --split or --qrels")
    with beside() as begin:
        tables = {path: begin(qrels.read_rows, path) for path in judged if form(path) == ".tsv"}
        for path in corpus:
            documents(sink, path)
        for path in queries:
            parts.queries(sink, path)
    for path in judged:
        if path in tables:
            tsv(sink, tables[path].result())
        else:
            parts.judgments(sink, path)


def documents(sink: Sink, path: Path) -> None:
    """Take the documents: a line that is one of ours goes through as it is, others as of any table."""
    if sink.options.columns or form(path) != ".jsonl":
        parts.corpus(sink, path)
        return
    lines, places = Lines(path, sink.books.note), parts.Places({})
    for block in lines.blocks():
        found = at_once(block, PLAIN)
        if found is not None and sink.written_block([line.id for line in found], block):
            continue
        for number, raw in enumerate(lines.split(block), start=block.number):
            try:
                line = PLAIN.decode(raw)
                if line.id and sink.written_line(line.id, raw + b"\n"):
                    continue
            except UNREADABLE:
                pass
            for row in lines.value(number, raw, OBJECT):
                place = places.of(row)
                parts.document(sink, path, number, row, row.get(place["doc_id"]), place)


class Plain(msgspec.Struct, rename={"id": "_id"}, forbid_unknown_fields=True, gc=False):
    """A line of a corpus that needs no second look."""

    id: str
    text: str
    title: str = ""
    metadata: dict[str, Any] = {}


PLAIN = msgspec.json.Decoder(Plain)


def tsv(sink: Sink, rows: qrels.Rows) -> None:
    """Take the rows of a qrels table of three columns; a row that could not be read is a finding."""
    for finding in rows.findings:
        sink.books.note(finding)
    encoded = arrow(rows.grade).dictionary_encode()
    grade = pa.DictionaryArray.from_arrays(encoded.indices, encoded.dictionary.cast(pa.string()))
    sink.ratings_table(rows.path, rows.query, rows.doc, grade, arrow(rows.line))
