"""TREC files line by line: slower than Arrow, indifferent to blanks, and knows every line that is wrong."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from evalkit.data.lines import UTF8_MARK
from evalkit.errors import DataError, Finding
from evalkit.measures.columns import arrow, strings
from evalkit.records import LARGEST_GRADE, Ints

JUDGMENT = 4  # columns of a line
WHOLE, NUMBER = re.compile(r"[+-]?[0-9]+"), re.compile(r"[+-]?([0-9.]+(e[+-]?[0-9]+)?|inf(inity)?|nan)", re.I)


class _Line(NamedTuple):
    number: int
    query: str
    doc: str
    value: float


def by_line(
    place: str, data: bytes, columns: tuple[str, ...], types: dict[str, Any]
) -> tuple[pa.Table, Ints]:
    """Return the columns of `types`, and the line of each row; `columns` names all that a line has.

    Raises:
        DataError: lines that are not of this form, each with its number.
    """
    data = data.removeprefix(UTF8_MARK)
    value = next(name for name in types if name not in ("query", "doc"))
    rows, findings = [], []
    for number, raw in enumerate(data.split(b"\n"), start=1):
        cells = raw.split()
        if not cells:
            continue
        row = _line(number, cells, columns, value)
        if isinstance(row, _Line):
            rows.append(row)
        else:
            findings.append(Finding(place, number, row, f"Write {' '.join(columns)}"))
    if findings:
        raise DataError(findings)
    table = pa.table(
        {
            "query": strings([row.query for row in rows]).cast(types["query"]),
            "doc": strings([row.doc for row in rows]).cast(types["doc"]),
            value: arrow(np.array([row.value for row in rows], np.int32 if value == "grade" else np.float64)),
        }
    )
    return table, np.array([row.number for row in rows], np.int64)


def _line(number: int, cells: list[bytes], columns: tuple[str, ...], value: str) -> _Line | str:
    """Return what a line holds, or what is wrong with it; more columns than wanted are no matter."""
    if len(cells) < len(columns):
        judgments = len(cells) == JUDGMENT and value == "score"
        hint = ": is it a judgment? Judgments are named first, runs after them" if judgments else ""
        return f"{len(cells)} columns instead of {len(columns)}{hint}"
    try:
        query, doc, told = (cells[columns.index(name)].decode() for name in ("query", "doc", value))
    except UnicodeDecodeError:
        return "the line is not UTF-8"
    if not (WHOLE if value == "grade" else NUMBER).fullmatch(told):
        return f"{told!r} is no {value}" + (": grades are whole numbers" if value == "grade" else "")
    try:
        amount = float(told)
    except ValueError:
        return f"{told!r} is no {value}"
    if value == "grade" and abs(amount) > LARGEST_GRADE:
        return f"grade {told} is out of range"
    return _Line(number, query, doc, amount)
