"""An import from beginning to end: read, settle, write a BEIR folder, or refuse with every finding."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.compute as pc
import yaml

from evalkit.data.agreement import Agreement
from evalkit.data.files import write_file
from evalkit.data.importers import IMPORTERS
from evalkit.data.importers.options import Options
from evalkit.data.importers.parts import NAMES, refuse_unknown, unmet
from evalkit.data.importers.settle import Settled, settle
from evalkit.data.importers.sink import FoundQuery, Sink
from evalkit.data.importers.tally import Account
from evalkit.data.qrels import HEADER
from evalkit.errors import DataError, Finding, InputError
from evalkit.measures.columns import arrow, offsets, strings

ROWS = 1 << 19  # that are text at the same time
LABEL = "|"  # between the categories of a query that has several


@dataclass(frozen=True)
class Imported:
    """What an import wrote, its books, its warnings, and how several raters agreed."""

    folder: Path
    accounts: dict[str, Account]
    findings: tuple[Finding, ...]
    agreement: Agreement | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "folder": str(self.folder),
            "accounts": {kind: account.to_dict() for kind, account in self.accounts.items()},
            "findings": [finding._asdict() for finding in self.findings],
            "agreement": None if self.agreement is None else self.agreement.to_dict(),
        }


def bring(form: str, source: str, dest: str | Path, options: Options | None = None) -> Imported:
    """Import `source`, in the format `form`, into the new folder `dest`.

    `dest` appears whole or not at all.

    Raises:
        UnknownName: no format is called that.
        DataError: the source is wrong or contradicts itself; all findings, each with its remedy.
        InputError: the source cannot be read at all, or `dest` is taken.
    """
    options = options or Options()
    read, dest = IMPORTERS[form], Path(dest)
    refuse_unknown(options.columns, (*NAMES, "fields"))
    if dest.is_symlink() or (dest.exists() and (not dest.is_dir() or any(dest.iterdir()))):
        raise InputError(f"{dest} holds something already. Name a new folder")
    dest.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{dest.name}.", dir=dest.parent))
    try:
        sink = Sink(work / "corpus.jsonl", options)
        try:
            read(source, options, sink)
        finally:
            sink.close()
        for finding in unmet(sink, source, options.columns):
            sink.books.note(finding)
        imported = _finish(form, source, work, dest, sink)
        work.chmod(0o777 & ~_umask())
        work.rename(dest)  # over an empty folder too
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return imported


def _finish(form: str, source: str, work: Path, dest: Path, sink: Sink) -> Imported:
    books, accounts = sink.books, sink.books.accounts
    settled, wrong = settle(sink), bool(books.errors)  # what was read and is wrong was found
    _settle_categories(sink)
    for kind, count in (("documents", len(sink.documents)), ("queries", len(sink.queries))):
        if not count and not (wrong and accounts[kind].read):
            books.note(Finding(source, None, f"no {kind} were found", _advice(kind)))
    if not len(settled.grade) and not (wrong and accounts["ratings"].read):
        books.note(Finding(source, None, "no ratings were found", "Name their file with --qrels"))
    if sink.options.gains:
        for grade in sorted(set(settled.grade[settled.grade > 0].tolist()) - sink.options.gains.keys()):
            what = f"ratings come to the grade {grade}, for which no gain is given"
            books.note(Finding(source, None, what, f"Say --gain {grade}=WORTH"))
    if books.errors:
        raise DataError(books.all_findings())
    _drop_superseded(work / "corpus.jsonl", sink.superseded)
    _write_queries(work / "queries.jsonl", sink.queries, sink.options.categories)
    write_qrels(work / "qrels" / "test.tsv", sink, settled)
    _write_card(work / "dataset.yaml", form, source, dest, sink.options)
    lost = [kind for kind, account in accounts.items() if not account.balanced]
    if lost:
        raise AssertionError(f"the books of {lost} do not balance: {accounts}")
    return Imported(dest, accounts, tuple(books.all_findings()), settled.agreement)


def _advice(kind: str) -> str:
    if kind == "documents":
        return "This source has ids only: name a file of their texts with --corpus"
    return "Name a file of them with --queries"


def _settle_categories(sink: Sink) -> None:
    for name, query in sink.queries.items():
        if len(query.categories) > 1 and sink.options.categories is None:
            what = f"query {name!r:.60} has the categories {', '.join(query.categories)}"
            remedy = "Say --categories first or join"
            sink.books.tell("queries of several categories", query.path, query.line, what, remedy)


def _write_queries(path: Path, queries: dict[str, FoundQuery], how: str | None) -> None:
    def lines() -> Iterator[bytes]:
        for name, query in queries.items():
            metadata = dict(query.metadata)
            if query.categories:
                joined = LABEL.join(query.categories) if how == "join" else query.categories[0]
                metadata["category"] = joined
            yield msgspec.json.encode({"_id": name, "text": query.text, "metadata": metadata}) + b"\n"

    with path.open("wb") as file:
        file.writelines(lines())


def write_qrels(path: Path, sink: Sink, settled: Settled) -> None:
    """Write the settled judgments as `query-id corpus-id score`, whole or not at all."""
    queries, documents = strings(list(sink.queries)), strings(list(sink.documents))
    grades = arrow(settled.grade).dictionary_encode()
    ends = strings([f"{grade}\n" for grade in grades.dictionary.to_pylist()])
    content = [("\t".join(HEADER) + "\n").encode()]
    for start in range(0, len(grades), ROWS):
        rows = slice(start, start + ROWS)
        columns = (queries.take(arrow(settled.query[rows])), documents.take(arrow(settled.doc[rows])))
        lines = pc.binary_join_element_wise(*columns, ends.take(grades.indices[rows]), "\t")
        where = offsets(lines)
        content.append(memoryview(lines.buffers()[2])[where[0] : where[-1]].tobytes())
    write_file(path, b"".join(content))


def _write_card(path: Path, form: str, source: str, dest: Path, options: Options) -> None:
    card: dict[str, Any] = {
        "name": dest.name,
        "description": f"Imported from {form}: {Path(source).name or source}",
        "relevant_from": options.relevant_from,
    }
    if options.grades:
        meanings: dict[int, list[str]] = {}
        for word, grade in options.grades.items():
            if grade is not None:
                meanings.setdefault(grade, []).append(word)
        card["grades"] = {
            grade: " or ".join(words) for grade, words in sorted(meanings.items(), reverse=True)
        }
    if options.gains:
        card["gains"] = dict(sorted(options.gains.items(), reverse=True))
    path.write_text(yaml.safe_dump(card, sort_keys=False, allow_unicode=True), "utf-8")


def _drop_superseded(path: Path, superseded: set[int]) -> None:
    if not superseded:
        return
    kept = path.with_name("corpus.kept")
    with path.open("rb") as old, kept.open("wb") as new:
        new.writelines(line for number, line in enumerate(old) if number not in superseded)
    kept.replace(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
