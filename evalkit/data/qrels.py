"""`qrels/*.tsv` of a data set as columns: parsed at once where it is clean, line by line where it is not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv

from evalkit.data.files import Note, content
from evalkit.data.lines import UTF8_MARK, not_utf8
from evalkit.errors import Finding
from evalkit.measures.columns import arrow, mask, numbers, positions, repeated, strings, text
from evalkit.records import LARGEST_GRADE, Bools, Codes, Ints, Qrels

HEADER = ("query-id", "corpus-id", "score")
SHOWN = 50  # findings of one kind that are told one by one


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a file that could be read, the line that each stands on, and what is wrong with others."""

    path: Path
    query: pa.ChunkedArray
    doc: pa.ChunkedArray
    grade: Codes
    line: Ints
    digest: str
    findings: Sequence[Finding]


def join(
    rows: Rows, queries: Sequence[str], documents: Sequence[str], relevant_from: int, note: Note
) -> Qrels:
    """Return the judgments of known queries and documents.

    Rows that name an unknown id or repeat a pair are left out, with a finding each.
    """
    query_ids, doc_ids = strings(list(queries)), strings(list(documents))
    query, doc = positions(rows.query, query_ids), positions(rows.doc, doc_ids)
    known = (query >= 0) & (doc >= 0)
    if not known.all():
        for kind, codes, names in (("query", query, rows.query), ("document", doc, rows.doc)):
            _unknown(rows.path, kind, rows.line, names, codes < 0, note)
        query, doc, rows = query[known], doc[known], _take(rows, known)
    again = repeated(query.astype(np.int64) * len(doc_ids) + doc)
    if again.any():
        _twice(rows, again, note)
        query, doc, rows = query[~again], doc[~again], _take(rows, ~again)
    if not len(rows.grade):
        note(Finding(str(rows.path), None, "no judgments", "Write a row a judged document"))
    return _of_judged_queries(Qrels(query_ids, doc_ids, query, doc, rows.grade, relevant_from))


def rows_of(qrels: Qrels, kept: Bools) -> Qrels:
    """Return some rows of `qrels`; a query without any row left is not one of its queries any more."""
    return _of_judged_queries(
        replace(qrels, query=qrels.query[kept], doc=qrels.doc[kept], grade=qrels.grade[kept])
    )


def _of_judged_queries(qrels: Qrels) -> Qrels:
    judged = np.bincount(qrels.query, minlength=len(qrels.query_ids)) > 0
    place = np.cumsum(judged, dtype=np.int32) - 1
    return replace(
        qrels,
        query_ids=qrels.query_ids.take(arrow(np.flatnonzero(judged))),
        query=place[qrels.query].astype(np.int32, copy=False),
    )


def read_rows(path: Path) -> Rows:
    """Return every row that has three cells and a whole number for a grade; the others have findings."""
    findings: list[Finding] = []
    data = content(path, findings.append)
    digest = hashlib.sha256(data).hexdigest()
    if data.startswith(UTF8_MARK):
        what, remedy = "the file starts with a byte-order mark", "Save it as UTF-8 without one"
        findings.append(Finding(str(path), 1, what, remedy, severity="warning"))
        data = data.removeprefix(UTF8_MARK)
    first = data.split(b"\n", 1)[0]
    skip = int(tuple(cell.strip() for cell in first.decode("utf-8", "replace").split("\t")) == HEADER)
    table = _parse(data, skip)
    if table is not None:
        line = np.arange(table.num_rows, dtype=np.int64) + 1 + skip
        grade = numbers(table["grade"], np.int32)
        return Rows(path, table["query"], table["doc"], grade, line, digest, findings)
    good = list(_lines(path, data, skip, findings.append))
    return Rows(
        path,
        pa.chunked_array([strings([row[0] for row in good])]),
        pa.chunked_array([strings([row[1] for row in good])]),
        np.array([row[2] for row in good], np.int32),
        np.array([row[3] for row in good], np.int64),
        digest,
        findings,
    )


def _parse(data: bytes, skip: int) -> pa.Table | None:
    """Return the three columns, or None where any line needs a closer look."""
    blanks = b" " in data and any(pattern in data for pattern in (b" \t", b"\t ", b" \n", b"\n "))
    if not data or data.isspace() or blanks or b"\r" in data or b"\x00" in data:
        return None
    types = {"query": pa.string(), "doc": pa.string(), "grade": pa.int32()}
    try:
        table = pc_csv.read_csv(
            pa.BufferReader(data),
            read_options=pc_csv.ReadOptions(column_names=list(types), skip_rows=skip, block_size=1 << 24),
            parse_options=pc_csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
            convert_options=pc_csv.ConvertOptions(
                column_types=types,
                strings_can_be_null=False,
                null_values=[],
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    empty = any(pc.any(pc.equal(table[name], text(""))).as_py() for name in ("query", "doc"))
    return None if empty or not table.num_rows else table


def _lines(path: Path, data: bytes, skip: int, note: Note) -> Iterator[tuple[str, str, int, int]]:
    for number, raw in enumerate(data.split(b"\n"), start=1):
        if number <= skip or not raw.strip():
            continue
        try:
            cells = [cell.strip() for cell in raw.decode("utf-8").split("\t")]
        except UnicodeDecodeError as error:
            note(not_utf8(path, number, error))
            continue
        if len(cells) != len(HEADER):
            what = f"{len(cells)} columns instead of 3"
            remedy = "Write query-id, corpus-id and score with tabs between"
            note(Finding(str(path), number, what, remedy))
            continue
        grade = whole(cells[2])
        if grade is None:
            what = f"the grade {cells[2]!r} is no integer"
            note(Finding(str(path), number, what, "Write a whole number"))
            continue
        yield cells[0], cells[1], grade, number


def whole(text: str) -> int | None:
    """Return the whole number that `text` writes plainly, None where it writes none (`1.5`, `1_000`, `٣`)."""
    digits = text.removeprefix("-").removeprefix("+") if text.count("-") + text.count("+") < 2 else ""
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 10 or int(digits) > LARGEST_GRADE:
        return None
    return int(text)


def _unknown(path: Path, kind: str, line: Ints, names: pa.Array, missing: Bools, note: Note) -> None:
    rows = np.flatnonzero(missing)
    for row in rows[:SHOWN].tolist():
        what = f"a judgment names the unknown {kind} {names[row].as_py()!r}"
        note(Finding(str(path), int(line[row]), what, f"Add the {kind} or remove the row"))
    if len(rows) > SHOWN:
        what = f"{len(rows) - SHOWN} more judgments name an unknown {kind}"
        note(Finding(str(path), None, what, f"Add the {kind} or remove the rows"))


def _twice(rows: Rows, again: Bools, note: Note) -> None:
    places = np.flatnonzero(again)
    for row in places[:SHOWN].tolist():
        what = f"document {rows.doc[row].as_py()!r} is judged twice for query {rows.query[row].as_py()!r}"
        note(Finding(str(rows.path), int(rows.line[row]), what, "Keep one of the two rows"))
    if len(places) > SHOWN:
        what = f"{len(places) - SHOWN} more pairs are judged twice"
        note(Finding(str(rows.path), None, what, "Keep one of the rows of each"))


def _take(rows: Rows, kept: Bools) -> Rows:
    wanted = mask(kept)
    return replace(
        rows,
        query=rows.query.filter(wanted),
        doc=rows.doc.filter(wanted),
        grade=rows.grade[kept],
        line=rows.line[kept],
    )
