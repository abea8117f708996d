"""Reading a BEIR folder: `corpus.jsonl`, `queries.jsonl`, `qrels/test.tsv`, and its `dataset.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from evalkit.data.card import Card, read_card
from evalkit.data.lines import Lines, read_objects
from evalkit.errors import DataError, Finding
from evalkit.records import Dataset, Document, Qrels, Query

QRELS_HEADER = ("query-id", "corpus-id", "score")


def load(folder: str | Path) -> Dataset:
    """Read the data set in `folder`.

    Raises:
        DataError: something in it is wrong; all errors at once, each with file, line and remedy.
    """
    dataset, findings = inspect(folder)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors or dataset is None:
        raise DataError(errors)
    return dataset


def inspect(folder: str | Path) -> tuple[Dataset | None, list[Finding]]:
    """Read the data set in `folder` as far as it goes, with all findings: errors and warnings.

    The data set is None where a whole file is missing. Nothing is dropped in silence: what could not be
    read has its finding.
    """
    return _Reader(Path(folder)).read()


class _Reader:
    """One pass over the files of a folder, collecting findings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.findings: list[Finding] = []
        self.digests: dict[str, str] = {}

    def read(self) -> tuple[Dataset | None, list[Finding]]:
        paths = {
            "corpus": self._find("corpus.jsonl"),
            "queries": self._find("queries.jsonl"),
            "qrels": self._find("qrels/test.tsv"),
        }
        card = read_card(self.folder, self.findings)
        if any(path is None for path in paths.values()):
            return None, self.findings
        found = {name: path for name, path in paths.items() if path is not None}
        corpus = self._read_corpus(found["corpus"])
        queries = self._read_queries(found["queries"], card, corpus)
        qrels = self._read_qrels(found["qrels"], card, corpus, queries)
        dataset = Dataset(
            name=card.name or self.folder.resolve().name,
            corpus=corpus,
            queries=queries,
            qrels=qrels,
            digests=self.digests,
            render=card.render,
            grades=card.grades,
            licence=card.licence,
        )
        return dataset, self.findings

    def _find(self, name: str) -> Path | None:
        for path in (self.folder / name, self.folder / f"{name}.gz"):
            if path.is_file():
                return path
        self._error(self.folder / name, None, "there is no such file", "A data set needs it: see the guide")
        return None

    def _read_corpus(self, path: Path) -> dict[str, Document]:
        corpus: dict[str, Document] = {}
        for number, raw in self._objects("corpus", path):
            document = self._document(path, number, raw)
            if document is None or self._is_taken(path, number, document.id, corpus):
                continue
            if not (document.title.strip() or document.text.strip() or document.fields):
                remedy = "Give it text; it stays in the collection and is never a candidate"
                self._warn(path, number, f"document {document.id!r} is empty", remedy)
            corpus[document.id] = document
        if not corpus:
            self._error(path, None, "no documents", "Write one JSON object a line")
        return corpus

    def _read_queries(self, path: Path, card: Card, corpus: Mapping[str, Document]) -> dict[str, Query]:
        queries: dict[str, Query] = {}
        for number, raw in self._objects("queries", path):
            query = self._query(path, number, raw, card)
            if query is None or self._is_taken(path, number, query.id, queries):
                continue
            if not query.text.strip():
                self._error(path, number, f"query {query.id!r} is empty", "Give it text or remove it")
            for unknown in sorted(set(query.excluded) - corpus.keys()):
                what = f"query {query.id!r} excludes the unknown document {unknown!r}"
                self._warn(path, number, what, "Correct the id in metadata.excluded_ids")
            queries[query.id] = query
        if not queries:
            self._error(path, None, "no queries", "Write one JSON object a line")
        return queries

    def _read_qrels(
        self, path: Path, card: Card, corpus: Mapping[str, Document], queries: Mapping[str, Query]
    ) -> Qrels:
        doc_codes = {name: code for code, name in enumerate(corpus)}
        query_codes = {name: code for code, name in enumerate(queries)}
        rows: dict[tuple[int, int], int] = {}
        lines = Lines(path, self.findings.append)
        for number, line in enumerate(lines, start=1):
            cells = tuple(cell.strip() for cell in line.split("\t"))
            if (number == 1 and cells == QRELS_HEADER) or not line.strip():
                continue
            grade = self._grade(path, number, cells)
            if grade is None or not self._is_known(path, number, cells, queries, corpus):
                continue
            pair = (query_codes[cells[0]], doc_codes[cells[1]])
            if pair in rows:
                what = f"document {cells[1]!r} is judged twice for query {cells[0]!r}"
                self._error(path, number, what, "Keep one of the two rows")
                continue
            rows[pair] = grade
        self.digests["qrels"] = lines.digest
        if not rows:
            self._error(path, None, "no judgments", "Write a row a judged document")
        self._count_unjudged(path, queries, {pair[0] for pair in rows})
        pairs = np.array(list(rows), dtype=np.int32).reshape(-1, 2)
        return Qrels(
            query_ids=pa.array(list(queries), pa.string()),
            doc_ids=pa.array(list(corpus), pa.string()),
            query=np.ascontiguousarray(pairs[:, 0]),
            doc=np.ascontiguousarray(pairs[:, 1]),
            grade=np.array(list(rows.values()), dtype=np.int32),
            relevant_from=card.relevant_from,
        )

    def _objects(self, name: str, path: Path) -> list[tuple[int, dict[str, Any]]]:
        lines = Lines(path, self.findings.append)
        objects = list(read_objects(lines, self.findings.append))
        self.digests[name] = lines.digest
        return objects

    def _document(self, path: Path, number: int, raw: dict[str, Any]) -> Document | None:
        identifier = self._identifier(path, number, raw)
        if identifier is None:
            return None
        fields = raw.get("fields")
        if fields is not None and not isinstance(fields, dict):
            self._error(path, number, "`fields` is not an object", "Write fields as {name: value}")
            return None
        title = self._text(path, number, raw, "title", required=False)
        text = self._text(path, number, raw, "text", required=fields is None)
        if title is None or text is None:
            return None
        return Document(identifier, title, text, fields, raw.get("metadata") or {})

    def _query(self, path: Path, number: int, raw: dict[str, Any], card: Card) -> Query | None:
        identifier = self._identifier(path, number, raw)
        text = self._text(path, number, raw, "text", required=True)
        if identifier is None or text is None:
            return None
        metadata = raw.get("metadata") or {}
        return Query(
            id=identifier,
            text=text,
            category=str(metadata.get(card.category, "")),
            group=str(metadata.get(card.group, "")),
            excluded=tuple(str(name) for name in metadata.get("excluded_ids", ())),
            metadata=metadata,
        )

    def _identifier(self, path: Path, number: int, raw: dict[str, Any]) -> str | None:
        value = raw.get("_id")
        if isinstance(value, str) and value.strip():
            return value
        what = "no `_id`" if value in (None, "") else f"`_id` is not a string: {value!r}"
        self._error(path, number, what, 'Give every line its own "_id", a string')
        return None

    def _text(self, path: Path, number: int, raw: dict[str, Any], key: str, required: bool) -> str | None:
        value = raw.get(key)
        if isinstance(value, str):
            return value
        if value is None and not required:
            return ""
        what = f"no `{key}`" if value is None else f"`{key}` is not a string"
        self._error(path, number, what, f'Give the line a "{key}", a string')
        return None

    def _grade(self, path: Path, number: int, cells: tuple[str, ...]) -> int | None:
        if len(cells) != len(QRELS_HEADER):
            what = f"{len(cells)} columns instead of 3"
            self._error(path, number, what, "Write query-id, corpus-id and score with tabs between")
            return None
        try:
            return int(cells[2])
        except ValueError:
            self._error(path, number, f"the grade {cells[2]!r} is no integer", "Write a whole number")
            return None

    def _is_known(
        self,
        path: Path,
        number: int,
        cells: tuple[str, ...],
        queries: Mapping[str, Query],
        corpus: Mapping[str, Document],
    ) -> bool:
        known = True
        for kind, name, names in (("query", cells[0], queries), ("document", cells[1], corpus)):
            if name not in names:
                what = f"a judgment names the unknown {kind} {name!r}"
                self._error(path, number, what, f"Add the {kind} or remove the row")
                known = False
        return known

    def _is_taken(self, path: Path, number: int, name: str, taken: Mapping[str, object]) -> bool:
        if name in taken:
            self._error(path, number, f"the id {name!r} stands on an earlier line too", "Make ids unique")
        return name in taken

    def _count_unjudged(self, path: Path, queries: Mapping[str, Query], judged: set[int]) -> None:
        missing = len(queries) - len(judged)
        if missing:
            what = f"{missing} of {len(queries)} queries have no judgment"
            self._warn(path, None, what, "They take no part in measures; judge them or leave them")

    def _error(self, path: Path, line: int | None, what: str, remedy: str) -> None:
        self.findings.append(Finding(str(path), line, what, remedy))

    def _warn(self, path: Path, line: int | None, what: str, remedy: str) -> None:
        self.findings.append(Finding(str(path), line, what, remedy, severity="warning"))
