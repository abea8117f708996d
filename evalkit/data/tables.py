"""Tables of judgments and of runs: CSV, JSON Lines, Parquet, ranx-JSON, DataFrames and dicts.

    query_id, doc_id, grade   judgments; a row without a grade is unjudged
    query_id, doc_id, score   a run

A table that has both is read as either. BEIR's `query-id` and `corpus-id` are read as well. Text files may
be gzipped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from evalkit.data.csv_lines import at_lines
from evalkit.data.trec import coded, joined, name_of, opened
from evalkit.errors import DataError, Finding, InputError
from evalkit.measures.columns import arrow, bits, offsets, repeated
from evalkit.records import LARGEST_GRADE, Bools, Codes, Floats, Qrels, Run

if TYPE_CHECKING:
    import pandas as pd

    Tabular = str | Path | pd.DataFrame | Mapping[str, Mapping[str, float]]

COLUMNS = ("query_id", "doc_id", "score", "grade", "category")
PIPELINE = "pipeline"  # a column of a run directory's scores
OTHER_NAMES = {"query-id": "query_id", "corpus-id": "doc_id"}


def qrels_of_table(given: Tabular) -> Qrels:
    """Return the judgments in a table; rows without a grade are unjudged and left out.

    Raises:
        DataError: rows that cannot be read, with their lines.
        InputError: a column is missing, or the file cannot be read.
    """
    table = _Table.of(given, "grade")
    return table.qrels("grade" if "grade" in table.names else "score")


def run_of_table(given: Tabular, name: str = "run") -> Run:
    """Return the run in a table.

    Raises:
        DataError: rows that cannot be read, with their lines.
        InputError: a column is missing, or the file cannot be read.
    """
    return _Table.of(given, "score", f"the run {name!r}").run(name)


class _Table:
    """Columns of a table, checked as they are asked for."""

    def __init__(self, table: pa.Table, place: str, first_line: int) -> None:
        names = [OTHER_NAMES.get(name, name) for name in table.column_names]
        self._table, self.names = table.rename_columns(names), names
        self._place, self._first_line = place, first_line
        self._findings: list[tuple[int, str, str]] = []  # row, what is wrong, what to do
        self.need("query_id", "doc_id")
        self._refuse_several()
        self._nameless, self._odd = (np.zeros(len(table), np.bool_) for _ in range(2))
        self._query_ids, self._query = self._ids("query_id")
        self._doc_ids, self._doc = self._ids("doc_id")

    @classmethod
    def of(cls, given: Any, value: str, place: str = "the table") -> _Table:
        """Return the table in a file, a DataFrame or a dict of dicts; `value` names a dict's numbers."""
        if isinstance(given, str | Path):
            path = Path(given)
            return cls(*_read(path, value))
        if isinstance(given, Mapping):
            return cls(_of_dicts(given, value, place), place, 1)
        if hasattr(given, "columns"):
            wanted = _known(given.columns)
            return cls(pa.Table.from_pandas(given[wanted], preserve_index=False), place, 1)
        kind = type(given).__name__
        raise InputError(f"give a path, a DataFrame or {{query: {{document: {value}}}}}, not a {kind}")

    def need(self, *names: str) -> None:
        """Refuse a table that lacks one of these columns."""
        lacking = [name for name in names if name not in self.names]
        if lacking:
            raise InputError(
                f"{self._place}: no column {', '.join(lacking)} (it has {', '.join(self.names)}); "
                f"the columns are {', '.join(COLUMNS)}"
            )

    def run(self, name: str) -> Run:
        """Return the rows as a run."""
        self.need("score")
        score, present = self._numbers("score")
        self._note(~present & ~self._odd, "no score", "Write a number, or leave the row out")
        self._refuse_noted()
        path = "" if self._place.startswith("the ") else self._place
        lines = np.arange(len(score), dtype=np.int64) + self._first_line
        name = name_of(Path(path)) if path else name
        return Run(name, self._query_ids, self._doc_ids, self._query, self._doc, score, None, path, lines)

    def _refuse_several(self) -> None:
        """Refuse the scores of a run directory, which hold every pipeline's rows."""
        if PIPELINE not in self.names:
            return
        held = self._table[PIPELINE].cast(pa.string()).unique().to_pylist()
        if len(held) > 1:
            raise InputError(
                f"{self._place}: it holds the runs of {len(held)} pipelines ({', '.join(map(str, held))}): "
                "keep the rows of one in a file of its own, or add measures to the suite and run it again, "
                "which asks no model twice"
            )

    def qrels(self, column: str) -> Qrels:
        """Return the rows that have a grade as judgments."""
        self.need(column)
        grade, present = self._numbers(column)
        odd = present & ((grade != np.rint(grade)) | (np.abs(grade) > LARGEST_GRADE))
        self._note(odd, "the grade is no whole number", "Grades are whole numbers; empty is unjudged")
        query, doc = self._query[present], self._doc[present]
        again = np.zeros(len(present), np.bool_)
        again[present] = repeated(query.astype(np.int64) * max(len(self._doc_ids), 1) + doc)
        self._note(
            again & ~self._nameless, "the pair of query and document is judged twice", "Keep one row a pair"
        )
        self._refuse_noted()
        judged, of_judged = np.unique(query, return_inverse=True)
        ids = self._query_ids.take(arrow(judged))
        grades = grade[present].astype(np.int32)
        return Qrels(ids, self._doc_ids, of_judged.astype(np.int32), doc, grades)

    def _ids(self, name: str) -> tuple[pa.StringArray, Codes]:
        column = self._table[name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        column = column.cast(pa.string())
        lacking = ~_valid(column) | _empty(column)
        if lacking.any():
            self._note(lacking, f"no {name}", "Give every row its ids")
            self._nameless |= lacking
            column = column.fill_null("")
        return coded(column.dictionary_encode())

    def _numbers(self, name: str) -> tuple[Floats, Bools]:
        column = self._table[name]
        try:
            column = column.cast(pa.float64())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            texts = column.cast(pa.string()).to_pylist()
            odd = np.array([not _is_number(text) for text in texts], np.bool_)
            self._note(odd, f"the {name} is no number", "Write a number")
            self._odd = odd
            values = [
                float(text) if text and not wrong else None
                for text, wrong in zip(texts, odd.tolist(), strict=True)
            ]
            column = pa.chunked_array([pa.array(values, pa.float64())])
        present = _valid(column)
        values = joined(column, np.float64)
        return values, present & ~np.isnan(values)

    def _note(self, rows: Bools, what: str, remedy: str) -> None:
        """Note something wrong about each of these rows."""
        self._findings += [(row, what, remedy) for row in np.flatnonzero(rows).tolist()]

    def _refuse_noted(self) -> None:
        """Raise all that was noted, in the order of rows."""
        if self._findings:
            noted = sorted(self._findings, key=lambda one: one[0])
            findings = [
                Finding(self._place, row + self._first_line, what, remedy) for row, what, remedy in noted
            ]
            raise DataError(at_lines(Path(self._place), findings))


def _read(path: Path, value: str) -> tuple[pa.Table, str, int]:
    """Return the table in a file, its name for messages, and the line of its first row."""
    kind = Path(path.name.removesuffix(".gz")).suffix
    try:
        if kind == ".parquet":
            import pyarrow.parquet as pq

            if not path.is_file():
                raise InputError(f"{path}: there is no such file. Check the path")
            names = pq.read_schema(path).names
            return pq.read_table(path, columns=_known(names) or names), str(path), 1
        with opened(path) as stream:
            if kind == ".json":
                import json

                told = json.loads(stream.read(), object_pairs_hook=_once)
                return _of_dicts(told, value, str(path)), str(path), 1
            if kind == ".jsonl":
                import pyarrow.json as pa_json

                return pa_json.read_json(stream), str(path), 1
            return _csv(stream, "\t" if kind == ".tsv" else ","), str(path), 2
    except (pa.ArrowInvalid, ValueError) as error:
        told = str(error).splitlines()[0]
        raise InputError(f"{path}: it cannot be read as {kind[1:]}: {told}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; Python would keep the last of two equal names in silence."""
    made = dict(pairs)
    if len(made) < len(pairs):
        again = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"{again!r} stands twice in one object: keep one")
    return made


def _csv(stream: Any, delimiter: str) -> pa.Table:
    import pyarrow.csv as pc_csv

    text = {name: pa.string() for name in (*OTHER_NAMES, "query_id", "doc_id", "category")}
    return pc_csv.read_csv(
        stream,
        parse_options=pc_csv.ParseOptions(delimiter=delimiter, newlines_in_values=delimiter == ","),
        convert_options=pc_csv.ConvertOptions(column_types=text, null_values=[""], strings_can_be_null=True),
    )


def _known(names: Iterable[str]) -> list[str]:
    """Return the names that mean something here, as they are written."""
    return [name for name in names if OTHER_NAMES.get(name, name) in (*COLUMNS, PIPELINE)]


def _of_dicts(given: Any, value: str, place: str) -> pa.Table:
    """Return `{query: {document: number}}`, as ranx and ir_measures have it, as a table."""
    if not isinstance(given, Mapping) or not all(isinstance(of, Mapping) for of in given.values()):
        raise InputError(f"{place}: JSON and dicts are {{query: {{document: {value}}}}}")
    numbers = [number for of in given.values() for number in of.values()]
    odd = [number for number in numbers if not isinstance(number, int | float | np.number)]
    if odd:
        raise InputError(f"{place} has a {value} that is no number: {odd[0]!r}")
    return pa.table(
        {
            "query_id": pa.array([str(query) for query, of in given.items() for _ in of], pa.string()),
            "doc_id": pa.array([str(doc) for of in given.values() for doc in of], pa.string()),
            value: pa.array([float(number) for number in numbers], pa.float64()),
        }
    )


def _valid(column: pa.ChunkedArray) -> Bools:
    parts = [bits(chunk.is_valid()) for chunk in column.chunks]
    return np.concatenate(parts) if parts else np.zeros(0, np.bool_)


def _empty(column: pa.ChunkedArray) -> Bools:
    parts = [np.diff(offsets(chunk)) == 0 for chunk in column.chunks]
    return np.concatenate(parts) if parts else np.zeros(0, np.bool_)


def _is_number(text: str | None) -> bool:
    if not text:
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True
