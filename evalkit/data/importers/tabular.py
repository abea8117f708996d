"""Tables row by row or in batches of string columns: CSV, TSV, Parquet, JSON lines, JSON arrays.

What is told of a row of a CSV file names the line that it begins on, whatever stands above it.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv

from evalkit.data.csv_lines import lines_of
from evalkit.data.files import Note, blocks, count_read
from evalkit.data.importers.sink import Sink
from evalkit.data.importers.sources import form, json_of
from evalkit.data.lines import UTF8_MARK, Lines, read_objects
from evalkit.errors import DataError, Finding
from evalkit.records import Ints

CSV_BLOCK = 1 << 24


class Batch(NamedTuple):
    """Some rows of a table as string columns, and the number of each: its line, except in a CSV file.

    There it counts rows from the header on, of the right length or not; `Books.rows` knows their lines.
    """

    columns: dict[str, pa.Array]
    numbers: Ints


def records(sink: Sink, path: Path) -> Iterator[tuple[int | None, dict[str, Any]]]:
    """Yield (line, record) of a table: JSON lines, a JSON array of objects, CSV, TSV or Parquet."""
    for line, row in _records(sink, path):
        sink.meet(row)
        yield line, row


def _records(sink: Sink, path: Path) -> Iterator[tuple[int | None, dict[str, Any]]]:
    kind = form(path)
    if kind in (".jsonl", ".ndjson"):
        yield from read_objects(Lines(path, sink.books.note))
    elif kind == ".json":
        yield from ((None, row) for row in _array(sink, path))
    elif kind == ".parquet":
        rows = itertools.chain.from_iterable(batch.to_pylist() for batch in _parquet(sink, path))
        yield from enumerate(rows, start=1)
    else:
        for part in batches(sink, path):
            names = list(part.columns)
            cells = zip(*(part.columns[name].to_pylist() for name in names), strict=True)
            for number, row in zip(part.numbers.tolist(), cells, strict=True):
                yield number, dict(zip(names, row, strict=True))


def _array(sink: Sink, path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON array, or the only one; what is none is a finding."""
    value = json_of(sink, path)
    rows = value if isinstance(value, list) else [value] if isinstance(value, dict) else []
    if value is not None and not rows:
        sink.books.note(Finding(str(path), None, "no list of objects", "Write a JSON array of objects"))
    for place, row in enumerate(rows, start=1):
        if isinstance(row, dict):
            yield row
        else:
            sink.books.note(Finding(str(path), None, f"item {place} is no object", "Write objects"))


def batches(sink: Sink, path: Path) -> Iterator[Batch]:
    """Yield the rows of a CSV, TSV, JSON or Parquet table in batches of string columns."""
    kind = form(path)
    if kind in (".json", ".jsonl", ".ndjson"):
        yield from _from_records(sink, path)
        return
    skipped: list[int] = []
    row = 1 if kind == ".parquet" else 2
    stream = _parquet(sink, path) if kind == ".parquet" else _csv(sink, path, skipped)
    for batch in stream:
        columns = {name: texts(batch.column(place)) for place, name in enumerate(batch.schema.names)}
        numbers = _numbers(row, batch.num_rows, skipped)
        sink.meet(columns)
        yield Batch(columns, numbers)
        row = int(numbers[-1]) + 1 if len(numbers) else row


def _numbers(first: int, count: int, skipped: Sequence[int]) -> Ints:
    """Return the next `count` numbers from `first` on that are not among those skipped."""
    left_out = [number for number in skipped if number >= first]
    numbers = np.arange(first, first + count + len(left_out), dtype=np.int64)
    return np.asarray(np.setdiff1d(numbers, left_out)[:count])


def texts(column: pa.Array) -> pa.Array:
    """Return a column as strings; whole floats lose their point, lists and objects become JSON."""
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_large_string(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.string())
    if pa.types.is_dictionary(kind):
        return texts(column.dictionary_decode())
    if pa.types.is_floating(kind) and pc.all(pc.equal(pc.floor(column), column)).as_py():
        column = pc.if_else(pc.is_nan(column), None, column)
        if pc.less(pc.max(pc.abs(column)), 2**53).as_py():
            return column.cast(pa.int64()).cast(pa.string())
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        return pa.array([_json_text(value) for value in column.to_pylist()], pa.string())
    return column.cast(pa.string())


def _json_text(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _from_records(sink: Sink, path: Path) -> Iterator[Batch]:
    numbered = (
        (place if line is None else line, one) for place, (line, one) in enumerate(records(sink, path), 1)
    )
    while some := list(itertools.islice(numbered, 10_000)):
        names = dict.fromkeys(name for _, row in some for name in row)
        columns = {name: pa.array([_cell(row.get(name)) for _, row in some], pa.string()) for name in names}
        yield Batch(columns, np.array([line for line, _ in some], np.int64))


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else _json_text(value)


def _parquet(sink: Sink, path: Path) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            _refuse_twice(path, file.schema_arrow.names)
            for batch in file.iter_batches():
                batch.validate(full=True)
                count_read(batch.nbytes)
                yield batch
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        what = f"not a whole Parquet file: {_first_line(error)}"
        sink.books.note(Finding(str(path), None, what, "Export it again"))


def _csv(sink: Sink, path: Path, skipped: list[int]) -> Iterator[pa.RecordBatch]:
    """Yield batches; a row of the wrong length is a finding, left out, and its number in `skipped`."""
    stream = io.BufferedReader(_Stream(_utf8(path, sink.books.note)), CSV_BLOCK)
    start = stream.peek(1 << 16)[: 1 << 16]
    if not start and sink.books.errors:
        return  # it cannot be read, which is told
    names, delimiter = _header(path, start)
    sink.books.rows.know(str(path), lambda: lines_of(_opened_again(path), delimiter))

    def odd(row: Any) -> str:
        where = None if row.number is None else int(row.number)
        if where is not None:
            skipped.append(where)
        what = f"{row.actual_columns} columns instead of {row.expected_columns}"
        sink.books.tell("rows of another length", path, where, what, "Quote cells that hold the delimiter")
        return "skip"

    try:
        reader = pc_csv.open_csv(
            stream,
            read_options=pc_csv.ReadOptions(use_threads=False, block_size=CSV_BLOCK),
            parse_options=pc_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=odd
            ),
            convert_options=pc_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
            ),
        )
        yield from reader
    except (pa.ArrowException, OSError) as error:
        sink.books.note(Finding(str(path), None, _not_read(error), "Mend the file, or export it again"))


def _header(path: Path, start: bytes) -> tuple[list[str], str]:
    first = start.removeprefix(UTF8_MARK).split(b"\n", 1)[0].rstrip(b"\r")
    line = first.decode("utf-8", "replace")
    delimiter = max("\t,;", key=line.count)
    try:
        names = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error as error:
        what = f"the header cannot be read: {error}"
        raise DataError([Finding(str(path), 1, what, "Write the columns' names")]) from None
    if not any(name.strip() for name in names):
        raise DataError([Finding(str(path), 1, "no header", "Name the columns in the first line")])
    _refuse_twice(path, names)
    return names, delimiter


def _opened_again(path: Path) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedReader(_Stream(_utf8(path, lambda _: None))), "utf-8", "replace", newline=""
    )


def _utf8(path: Path, note: Note) -> Iterator[bytes]:
    """Yield the file's lines before the first one that is not UTF-8, which is a finding."""
    decoder, lines = codecs.getincrementaldecoder("utf-8")(), 1
    waiting = b""  # a block goes on when the next one shows that no letter was cut short at its end
    for block in itertools.chain(blocks(path, note), [b""]):
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            line = lines + waiting.count(b"\n") + error.object.count(b"\n", 0, error.start)
            note(Finding(str(path), line, "a byte is not UTF-8", "Convert the file to UTF-8"))
            sound = max(0, error.start - (len(error.object) - len(block)))
            read = waiting + block[:sound]
            yield read[: read.rfind(b"\n") + 1]
            return
        lines += waiting.count(b"\n")
        if waiting:
            yield waiting
        waiting = block


def _refuse_twice(path: Path, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        what = f"columns of the same name: {', '.join(twice)}"
        raise DataError([Finding(str(path), 1, what, "Give each column its own name")])


def _not_read(error: Exception) -> str:
    if "straddling" in str(error):
        return f"a row is longer than {CSV_BLOCK >> 20} MiB, or a quote is never closed"
    return f"not a table: {_first_line(error)}"


class _Stream(io.RawIOBase):
    """Blocks as a file, so that the bounds on archives hold for CSV too."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._parts, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:200]
