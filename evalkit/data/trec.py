"""TREC files: qrels of four columns, runs of six, separated by blanks; `.gz` too.

Arrow parses files with one blank between columns; any other file is read line by line, which is slower and
knows every line that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv

from evalkit.data.blocks import over_blocks
from evalkit.errors import DataError, Finding, InputError
from evalkit.measures.columns import numbers, offsets, repeated, strings
from evalkit.measures.join import Join, Part, Scattered, judge
from evalkit.measures.keys import hashed
from evalkit.measures.slots import Slots
from evalkit.records import Codes, Ints, Judged, Qrels, Run

QRELS_COLUMNS = ("query", "iteration", "doc", "grade")
RUN_COLUMNS = ("query", "q0", "doc", "rank", "score", "tag")
BLOCK = 4 << 20  # bytes that Arrow parses at a time; larger blocks cost memory and win no time
CODED = pa.dictionary(pa.int32(), pa.string())
RUN_TYPES = {"query": CODED, "doc": pa.string(), "score": pa.float64()}


def read_qrels(path: str | Path) -> Qrels:
    """Read judgments: `query iteration document grade`, one a line; the iteration is not used.

    Raises:
        InputError: there is no such file.
        DataError: lines that are no judgment, or a pair that is judged twice; each with its line.
    """
    path = Path(path)
    table, lines = _read(path, QRELS_COLUMNS, {"query": CODED, "doc": pa.string(), "grade": pa.int32()})
    query_ids, query = coded(table["query"])
    doc_ids = table["doc"].combine_chunks()
    again = _judged_twice(query, doc_ids)
    if len(again):
        findings = [
            Finding(
                str(path),
                row + 1 if lines is None else int(lines[row]),
                f"query {query_ids[query[row]]} has another grade for document {doc_ids[row]} before",
                "Keep one grade a pair",
            )
            for row in again.tolist()
        ]
        raise DataError(findings)
    doc = np.arange(len(query), dtype=np.int32)
    return Qrels(query_ids, doc_ids, query, doc, joined(table["grade"], np.int32))


def _judged_twice(query: Codes, doc_ids: pa.StringArray) -> Ints:
    """Return the rows whose query and document an earlier row has."""
    keys = hashed(doc_ids)(query, np.arange(len(query), dtype=np.int32))
    if not len(Slots(keys).repeated()):
        return np.empty(0, np.int64)
    doc = numbers(doc_ids.dictionary_encode().indices, np.int32)  # two pairs may have one key: ask the ids
    return np.flatnonzero(repeated(query.astype(np.int64) * len(doc_ids) + doc))


def read_run(path: str | Path) -> Run:
    """Read a run: `query Q0 document rank score tag`, one a line.

    Rank and tag are not used: the scores decide, as in trec_eval. Document ids stay the column that they are.

    Raises:
        InputError: there is no such file.
        DataError: lines that are no result, each with its line.
    """
    path = Path(path)
    table, lines = _read(path, RUN_COLUMNS, RUN_TYPES)
    return _run(path, table, lines)


def judge_run(path: str | Path, qrels: Qrels, **options: Any) -> Judged:
    """Return what `judge(read_run(path), qrels, **options)` returns, without holding the whole run.

    Raises:
        InputError: as `read_run` and `judge`.
        DataError: as `read_run` and `judge`.
    """
    path = Path(path)
    categories = options.pop("categories", None)
    join = Join(qrels, **options)
    blank, other = _blanks(path)

    def part(block: pa.Buffer) -> Part:
        table = _parse(pa.BufferReader(block), RUN_COLUMNS, RUN_TYPES, blank, block.size)
        if any(_odd(table[name], other) for name in ("query", "doc")):
            raise pa.ArrowInvalid("blanks are mixed")
        return join.part(_run(path, table, None))

    try:
        with opened(path) as stream:
            return join.judged(over_blocks(stream, blank.encode(), part), categories)
    except (pa.ArrowInvalid, DataError, Scattered):
        # Rows of a query stand apart, or something is wrong: as a whole, the run can say on which line.
        return judge(read_run(path), qrels, categories=categories, **options)


def _run(path: Path, table: pa.Table, lines: Ints | None) -> Run:
    query_ids, query = coded(table["query"])
    score = joined(table["score"], np.float64)
    doc = np.arange(len(score), dtype=np.int32)
    doc_ids = table["doc"].combine_chunks()
    return Run(name_of(path), query_ids, doc_ids, query, doc, score, path=str(path), lines=lines)


def name_of(path: Path) -> str:
    """Return the name of a run: its file's, without suffixes."""
    return path.name.removesuffix(".gz").rsplit(".", 1)[0]


def coded(column: pa.ChunkedArray) -> tuple[pa.StringArray, Codes]:
    """Return the distinct values of a dictionary column in order of appearance, and a code per row."""
    column = column.unify_dictionaries()
    if column.num_chunks == 0:
        return strings([]), np.empty(0, np.int32)
    codes = np.concatenate([numbers(chunk.indices, np.int32) for chunk in column.chunks])
    return column.chunk(column.num_chunks - 1).dictionary, codes


def joined(column: pa.ChunkedArray, dtype: Any) -> Any:
    """Return a column of numbers without nulls as one array."""
    parts = [numbers(chunk, dtype) for chunk in column.chunks]
    return np.concatenate(parts) if parts else np.empty(0, dtype)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Yield the decompressed bytes of a file as an Arrow stream.

    Raises:
        InputError: there is no such file, or its bytes end or break before they should.
    """
    try:
        with pa.input_stream(str(path), compression="gzip" if path.suffix == ".gz" else None) as stream:
            yield stream
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file. Check the path") from None
    except OSError as error:
        raise InputError(f"{path}: it cannot be read: {error}") from error


def _read(path: Path, columns: tuple[str, ...], types: dict[str, Any]) -> tuple[pa.Table, Ints | None]:
    """Return the columns of `types`, and the line of each row (None: row i is on line i + 1)."""
    blank, other = _blanks(path)
    try:
        with opened(path) as stream:
            table = _parse(stream, columns, types, blank, BLOCK)
        if not any(_odd(table[name], other) for name in ("query", "doc")):
            return table, None
    except pa.ArrowInvalid:
        pass  # line by line, it can say where
    from evalkit.data.trec_lines import by_line

    with opened(path) as stream:
        return by_line(str(path), stream.read(), columns, types)


def _blanks(path: Path) -> tuple[str, str]:
    """Return the blank between the columns of the first line, and the other one."""
    with opened(path) as stream:
        first = stream.read(1 << 12).split(b"\n", 1)[0]
    return ("\t", " ") if b"\t" in first else (" ", "\t")


def _parse(stream: Any, columns: tuple[str, ...], types: dict[str, Any], blank: str, size: int) -> pa.Table:
    return pc_csv.read_csv(
        stream,
        read_options=pc_csv.ReadOptions(
            column_names=list(columns), block_size=size, use_threads=size == BLOCK
        ),
        parse_options=pc_csv.ParseOptions(delimiter=blank, quote_char=False, ignore_empty_lines=False),
        convert_options=pc_csv.ConvertOptions(
            include_columns=list(types), column_types=types, strings_can_be_null=False, null_values=[]
        ),
    )


def _odd(column: pa.ChunkedArray, blank: str) -> bool:
    """Return whether an id is empty or has a blank in it, as where blanks are mixed or repeated."""
    for chunk in column.chunks:
        texts = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
        ends = offsets(texts)
        data = np.frombuffer(texts.buffers()[2] or b"", np.uint8)[: ends[-1]]
        if (ends[1:] == ends[:-1]).any() or (data == ord(blank)).any():
            return True
    return False
