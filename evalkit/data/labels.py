"""Labels: from a filled-in pool or a labelling session into a data set, with who, when and how."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from evalkit.data import beir
from evalkit.data.agreement import Agreement
from evalkit.data.files import write_file
from evalkit.data.importers.bring import write_qrels
from evalkit.data.importers.options import Options
from evalkit.data.importers.settle import settle
from evalkit.data.importers.sink import FoundQuery, Sink
from evalkit.data.importers.sources import form, only_file
from evalkit.data.importers.tabular import records
from evalkit.data.importers.tally import Account
from evalkit.data.qrels import whole
from evalkit.errors import DataError, Finding, InputError
from evalkit.records import Dataset

LOG = "labels.jsonl"
REPLACED = "replaced by the same rater later"
FILE = "file"
FORMULA = ("=", "+", "-", "@")  # a spreadsheet computes a cell that starts with one of these


@dataclass(frozen=True)
class Label:
    """One rater's grade of a pair; None: seen and not rated, or taken back."""

    query_id: str
    doc_id: str
    grade: str | None
    rater: str
    at: str
    how: str
    line: int | None = None

    def to_line(self) -> dict[str, Any]:
        """Return it as a line of the provenance log."""
        told = {name: getattr(self, name) for name in ("query_id", "doc_id", "grade", "rater", "at", "how")}
        number = whole(self.grade or "")
        return told | {"grade": self.grade if number is None else number}


@dataclass(frozen=True)
class Merged:
    """What a merge wrote: its books, warnings, the raters' agreement, and how many judgments are new."""

    folder: Path
    account: Account
    findings: tuple[Finding, ...]
    agreement: Agreement | None
    new: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "folder": str(self.folder),
            "labels": self.account.to_dict(),
            "findings": [finding._asdict() for finding in self.findings],
            "agreement": None if self.agreement is None else self.agreement.to_dict(),
            "new_judgments": self.new,
        }


def merge(source: str, folder: str | Path, rater: str, options: Options | None = None) -> Merged:
    """Merge the labels in `source` into the data set `folder`; those that name no rater are `rater`'s.

    A label that contradicts a judgment, or another rater, is settled by `options.several` ("first" keeps
    what the data set has). Every label goes to `qrels/labels.jsonl` with its rater, time and source.

    Raises:
        DataError: labels of unknown ids, without a meaning, or contradicting; nothing is written then.
    """
    path, folder, options = only_file(Path(source)), Path(folder), options or Options()
    dataset = beir.load(folder, options.split)
    sink = Sink(None, replace(options, scale=options.scale or _scale(dataset)))
    sink.documents = {name: place for place, name in enumerate(dataset.corpus)}
    sink.queries = {
        name: FoundQuery(query.text, str(folder), None, []) for name, query in dataset.queries.items()
    }
    found = list(_read(sink, path, rater))
    before = _existing(sink, dataset, folder, options.split)
    last = {(one.query_id, one.doc_id, one.rater): place for place, one in enumerate(found)}
    for place, one in enumerate(found):
        current = last[one.query_id, one.doc_id, one.rater] == place
        if current:
            sink.rating(path, one.line, one.query_id, one.doc_id, one.grade, one.rater)
        else:
            sink.books.accounts["ratings"].read += 1
            sink.books.leave_out("ratings", REPLACED)
    sink.close()
    settled = settle(sink)
    account = sink.books.accounts["ratings"]
    if sink.books.errors:
        raise DataError(sink.books.all_findings())
    qrels = folder / "qrels" / f"{options.split}.tsv"
    if not qrels.exists():
        raise InputError(f"{qrels} is packed. Unpack it first: `gunzip {qrels}.gz`")
    _append(folder / "qrels" / LOG, found)
    write_qrels(qrels, sink, settled)
    findings = tuple(sink.books.all_findings())
    return Merged(folder, account, findings, settled.agreement, len(settled.grade) - before)


def _read(sink: Sink, path: Path, rater: str) -> Iterator[Label]:
    """Yield the labels of a log, or the filled-in rows of a pool; both have query_id, doc_id and grade."""
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    for line, row in records(sink, path):
        if "pool" in row:
            continue  # the first line of a pool
        if not {"query_id", "doc_id", "grade"} <= row.keys():
            what, remedy = "no query_id, doc_id and grade", "Take a file that `evalkit pool` or `label` wrote"
            sink.books.tell("lines that are no label", path, line, what, remedy)
            continue
        grade = row["grade"]
        grade = int(grade) if isinstance(grade, float) and grade.is_integer() else grade
        yield Label(
            unquoted(str(row["query_id"] or "")),
            unquoted(str(row["doc_id"] or "")),
            None if grade in (None, "") else str(grade).strip(),
            str(row.get("rater") or rater),
            str(row.get("at") or written),
            str(row.get("how") or f"{FILE} {form(path).lstrip('.')}"),
            line,
        )


def unquoted(cell: str) -> str:
    """Return a cell without the quote that keeps a spreadsheet from computing it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in FORMULA else cell


def quoted(cell: str) -> str:
    """Return a cell that a spreadsheet shows as text, whatever it starts with."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _existing(sink: Sink, dataset: Dataset, folder: Path, split: str) -> int:
    """Put the data set's own judgments first, without a rater: they take no part in agreement."""
    qrels, path = dataset.qrels, folder / "qrels" / f"{split}.tsv"
    query_ids, doc_ids = qrels.query_ids.to_pylist(), qrels.doc_ids.to_pylist()
    for query, doc, grade in zip(qrels.query.tolist(), qrels.doc.tolist(), qrels.grade.tolist(), strict=True):
        sink.rating(path, None, query_ids[query], doc_ids[doc], grade)
    return len(qrels.grade)


def _scale(dataset: Dataset) -> tuple[int, int] | None:
    declared = sorted(dataset.grades)
    return (declared[0], declared[-1]) if len(declared) > 1 else None


def _append(path: Path, found: list[Label]) -> None:
    earlier = path.read_bytes() if path.exists() else b""
    known = set(earlier.splitlines())
    lines = [msgspec.json.encode(one.to_line()) for one in found]
    new = b"".join(line + b"\n" for line in lines if line not in known)
    write_file(path, earlier + new)
