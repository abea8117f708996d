"""TREC files: qrels of four columns, runs of six; separated by white space, `.gz` too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv

from evalkit.errors import DataError, Finding, InputError
from evalkit.measures.columns import numbers
from evalkit.records import Qrels, Run

QRELS_COLUMNS = ["query", "iteration", "doc", "grade"]
RUN_COLUMNS = ["query", "q0", "doc", "rank", "score", "tag"]
ID = pa.dictionary(pa.int32(), pa.string())


def read_qrels(path: str | Path) -> Qrels:
    """Read judgments: `query iteration document grade`, one a line.

    Raises:
        DataError: lines that are no judgment, or a pair that is judged twice; each with its line.
    """
    table = _read(Path(path), QRELS_COLUMNS, {"query": ID, "doc": ID, "grade": pa.int32()})
    query_ids, query = _codes(table["query"])
    doc_ids, doc = _codes(table["doc"])
    return Qrels(query_ids, doc_ids, query, doc, _numbers(table["grade"], np.int32))


def read_run(path: str | Path) -> Run:
    """Read a run: `query Q0 document rank score tag`, one a line; the rank is not used, as in trec_eval.

    Raises:
        DataError: lines that are no result, each with its line.
    """
    path = Path(path)
    table = _read(path, RUN_COLUMNS, {"query": ID, "doc": ID, "score": pa.float64()})
    query_ids, query = _codes(table["query"])
    doc_ids, doc = _codes(table["doc"])
    name = path.name.removesuffix(".gz").rsplit(".", 1)[0]
    return Run(name, query_ids, doc_ids, query, doc, _numbers(table["score"], np.float64))


def _read(path: Path, columns: list[str], types: dict[str, Any]) -> pa.Table:
    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            data = stream.read()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    first = data.lstrip()[:4096].split(b"\n", 1)[0]
    delimiter = "\t" if b"\t" in first else " "
    try:
        return _parse(data, columns, types, delimiter)
    except pa.ArrowInvalid:
        pass
    try:
        return _parse(_single_tabs(data), columns, types, "\t")
    except pa.ArrowInvalid:
        raise DataError(_findings(path, data, columns, types)) from None


def _parse(data: bytes, columns: list[str], types: dict[str, Any], delimiter: str) -> pa.Table:
    table = pc_csv.read_csv(
        pa.BufferReader(data),
        read_options=pc_csv.ReadOptions(column_names=columns, block_size=1 << 22),
        parse_options=pc_csv.ParseOptions(delimiter=delimiter, quote_char=False),
        convert_options=pc_csv.ConvertOptions(
            include_columns=list(types), column_types=types, strings_can_be_null=False, null_values=[]
        ),
    )
    for name in ("query", "doc"):
        for chunk in table[name].chunks:
            text = chunk.dictionary.buffers()[2]
            if text is not None and any(blank in memoryview(text).tobytes() for blank in (b" ", b"\t")):
                raise pa.ArrowInvalid("more than one blank between columns")
    return table


def _single_tabs(data: bytes) -> bytes:
    return re.sub(rb"(?m)^\t|[\t\r]+$", b"", re.sub(rb"[ \t]+", b"\t", data))


def _findings(path: Path, data: bytes, columns: list[str], types: dict[str, Any]) -> list[Finding]:
    found = []
    number = int if "grade" in types else float
    place = columns.index("grade" if "grade" in types else "score")
    form = " ".join(columns)
    for line, text in enumerate(data.split(b"\n"), start=1):
        fields = text.split()
        if not fields:
            continue
        if len(fields) < len(columns):
            what = f"{len(fields)} columns instead of {len(columns)}"
            found.append(Finding(str(path), line, what, f"Write {form}"))
            continue
        try:
            number(fields[place])
        except ValueError:
            what = f"{fields[place].decode(errors='replace')!r} is no {columns[place]}"
            found.append(Finding(str(path), line, what, f"Write {form}"))
    return found


def _codes(column: pa.ChunkedArray) -> tuple[pa.StringArray, Any]:
    column = column.unify_dictionaries()
    if column.num_chunks == 0:
        return pa.array([], pa.string()), np.empty(0, np.int32)
    codes = [numbers(chunk.indices, np.int32) for chunk in column.chunks]
    return column.chunk(column.num_chunks - 1).dictionary, np.concatenate(codes)


def _numbers(column: pa.ChunkedArray, dtype: Any) -> Any:
    if column.num_chunks == 0:
        return np.empty(0, dtype)
    return np.concatenate([numbers(chunk, dtype) for chunk in column.chunks])
