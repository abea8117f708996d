"""Reading a BEIR folder: `corpus.jsonl`, `queries.jsonl`, `qrels/test.tsv`, and its `dataset.yaml`."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from evalkit.data import qrels as judgments
from evalkit.data.beside import Begin, beside
from evalkit.data.card import Card, read_card
from evalkit.data.corpus import LINE as DOCUMENT
from evalkit.data.corpus import Corpus, plain
from evalkit.data.files import refusal
from evalkit.data.lines import Block, Lines, at_once, read_json
from evalkit.documents import Document
from evalkit.errors import DataError, Finding
from evalkit.records import Dataset, Qrels, Query

NOTHING: Mapping[str, Any] = {}


class Line(msgspec.Struct, rename={"id": "_id"}, gc=False):
    """A line of the corpus or of the queries."""

    id: str
    text: str | None = None
    title: str | None = None
    fields: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None


LINE = msgspec.json.Decoder(Line)


def load(folder: str | Path, split: str = "test") -> Dataset:
    """Read the data set in `folder`, with the judgments of `split`.

    Raises:
        DataError: something in it is wrong; all errors at once, each with file, line and remedy.
    """
    dataset, findings = inspect(folder, split)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors or dataset is None:
        raise DataError(errors)
    return dataset


def inspect(folder: str | Path, split: str = "test") -> tuple[Dataset | None, list[Finding]]:
    """Read the data set in `folder` as far as it goes, with all findings: errors and warnings.

    The data set is None where a whole file is missing. Nothing is dropped in silence: what could not be
    read has its finding.
    """
    with reading(folder, split) as found:
        return found.result()


@contextmanager
def reading(folder: str | Path, split: str = "test") -> Iterator[Reading]:
    """Yield a data set whose texts are read; inside the block its judgments are joined beside other work."""
    with _collector_paused(), beside() as begin:
        yield Reading(Path(folder), split, begin)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the garbage collector from walking millions of new objects that all stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Reading:
    """One pass over the files of a folder, collecting findings: `corpus` and `queries` are there at once.

    Both are empty where a whole file is missing.
    """

    def __init__(self, folder: Path, split: str, begin: Begin) -> None:
        self.folder = folder
        self.findings: list[Finding] = []
        self.digests: dict[str, str] = {}
        self.corpus, self.queries = Corpus(), dict[str, Query]()
        corpus, queries, judged = map(self._find, ("corpus.jsonl", "queries.jsonl", f"qrels/{split}.tsv"))
        self.card = read_card(folder, self.findings)
        self._judged, self._qrels = judged, None
        if corpus is None or queries is None or judged is None:
            return
        parsed = begin(judgments.read_rows, judged)
        self._read_corpus(corpus)
        self._read_queries(queries)
        rows = parsed.result()
        self.findings += rows.findings
        self.digests["qrels"] = rows.digest
        ids, note = (list(self.queries), list(self.corpus)), self.findings.append
        self._qrels = begin(judgments.join, rows, *ids, self.card.relevant_from, note)

    def result(self) -> tuple[Dataset | None, list[Finding]]:
        """Return the data set, None where a whole file is missing, and the findings."""
        if self._qrels is None or self._judged is None:
            return None, self.findings
        qrels = self._qrels.result()
        self._count_unjudged(self._judged, qrels)
        dataset = Dataset(
            name=self.card.name or self.folder.resolve().name,
            corpus=self.corpus,
            queries=self.queries,
            qrels=self._with_gains(qrels),
            digests=self.digests,
            render=self.card.render,
            grades=self.card.grades,
            licence=self.card.licence,
        )
        return dataset, self.findings

    def _find(self, name: str) -> Path | None:
        path, packed = self.folder / name, self.folder / f"{name}.gz"
        path = packed if packed.exists() and not path.exists() else path
        if refused := refusal(path, self.folder):
            self.findings.append(refused)
            return None
        return path

    def _read_corpus(self, path: Path) -> None:
        corpus, lines = self.corpus, Lines(path, self.findings.append)
        for block in lines.blocks():
            found = at_once(block, DOCUMENT)
            ids = [document.id for document in found or ()]
            if not (found and _all_sound(found, ids) and corpus.add(block, ids)):
                corpus.add(*self._one_by_one(lines, block))
        if not corpus:
            self._error(path, None, "no documents", "Write one JSON object a line")
        self.digests["corpus"] = lines.digest

    def _one_by_one(self, lines: Lines, block: Block) -> tuple[Block, list[str]]:
        """Return the documents of a block in which something is wrong or unusual, as lines, and their ids."""
        path, corpus, documents = lines.path, self.corpus, dict[str, Document]()
        for number, line in lines.values(block, LINE, partial(self._explain, path)):
            name, text, title, fields = line.id, line.text, line.title or "", line.fields
            if name in corpus or name in documents or _is_odd(name):
                self._odd(path, number, name, name in corpus or name in documents)
            elif text is None and fields is None:
                self._error(path, number, "no `text`", 'Give the line a "text", a string')
            else:
                document = Document(name, title, text or "", fields, line.metadata or {})
                if not _has_text(document) and not title.strip():
                    remedy = "Give it text; it stays in the collection and is never a candidate"
                    self._warn(path, number, f"document {name!r} is empty", remedy)
                documents[name] = document
        content = b"".join(msgspec.json.encode(document) + b"\n" for document in documents.values())
        return Block.of(block.number, content), list(documents)

    def _read_queries(self, path: Path) -> None:
        queries, corpus = self.queries, self.corpus
        for number, line in self._lines("queries", path):
            text = line.text
            if line.id in queries or _is_odd(line.id):
                self._odd(path, number, line.id, line.id in queries)
                continue
            if text is None:
                self._error(path, number, "no `text`", 'Give the line a "text", a string')
                continue
            query = as_query(line.id, text, line.metadata or NOTHING, self.card)
            if not text.strip():
                self._error(path, number, f"query {query.id!r} is empty", "Give it text or remove it")
            for unknown in sorted(set(query.excluded) - corpus.keys()) if query.excluded else ():
                what = f"query {query.id!r} excludes the unknown document {unknown!r}"
                self._warn(path, number, what, "Correct the id in metadata.excluded_ids")
            queries[query.id] = query
        if not queries:
            self._error(path, None, "no queries", "Write one JSON object a line")

    def _lines(self, name: str, path: Path) -> Iterator[tuple[int, Line]]:
        lines = Lines(path, self.findings.append)
        yield from read_json(lines, LINE, partial(self._explain, path))
        self.digests[name] = lines.digest

    def _explain(self, path: Path, number: int, raw: Mapping[str, Any]) -> None:
        """Say what is wrong with a JSON object that is no line of ours."""
        identifier = raw.get("_id")
        if identifier is None:
            self._error(path, number, "no `_id`", 'Give every line its own "_id", a string')
        elif not isinstance(identifier, str):
            what = f"`_id` is not a string: {str(identifier)[:50]}"
            self._error(path, number, what, 'Give every line its own "_id", a string')
        for key in ("text", "title"):
            if not isinstance(raw.get(key), str | None):
                self._error(path, number, f"`{key}` is not a string", f'Give the line a "{key}", a string')
        for key in ("fields", "metadata"):
            if not isinstance(raw.get(key), dict | None):
                self._error(path, number, f"`{key}` is not an object", f"Write {key} as {{name: value}}")

    def _odd(self, path: Path, number: int, name: str, taken: bool) -> None:
        if taken:
            self._error(path, number, f"the id {name!r} stands on an earlier line too", "Make ids unique")
            return
        what = f"the id {name!r} has blanks that qrels cannot hold" if name.strip() else "no `_id`"
        self._error(path, number, what, 'Give every line its own "_id", a string')

    def _with_gains(self, qrels: Qrels) -> Qrels:
        """Return the judgments with the gains that the card declares, which must cover every grade."""
        gains = self.card.gains
        grades = [grade for grade in np.unique(qrels.grade).tolist() if grade > 0]
        missing = [grade for grade in grades if grade not in gains] if gains else []
        if missing:
            what = f"`gains` says nothing of the grades {', '.join(map(str, missing))}, which judgments have"
            self._error(self.folder / "dataset.yaml", None, what, "Say what every positive grade is worth")
        return replace(qrels, gains=gains)

    def _count_unjudged(self, path: Path, qrels: Qrels) -> None:
        missing = len(self.queries) - len(qrels.query_ids)
        if missing:
            what = f"{missing} of {len(self.queries)} queries have no judgment"
            self._warn(path, None, what, "They take no part in measures; judge them or leave them")

    def _error(self, path: Path, line: int | None, what: str, remedy: str) -> None:
        self.findings.append(Finding(str(path), line, what, remedy))

    def _warn(self, path: Path, line: int | None, what: str, remedy: str) -> None:
        self.findings.append(Finding(str(path), line, what, remedy, severity="warning"))


def _has_text(document: Document) -> bool:
    return bool(document.fields) or bool(document.text and not document.text.isspace())


def _all_sound(documents: list[Document], ids: list[str]) -> bool:
    """Return whether no document needs a finding; nearly always one look at all of them tells."""
    texts = [document.text for document in documents]
    full = "" not in texts and not any(map(str.isspace, texts))
    return (full or all(map(_has_text, documents))) and (plain(ids) or not any(map(_is_odd, ids)))


def _is_odd(name: str) -> bool:
    return not name or name.strip() != name or "\t" in name or "\n" in name or "\r" in name


def as_query(identifier: str, text: str, metadata: Mapping[str, Any], card: Card) -> Query:
    """Return a query; its category, group and excluded documents come from its metadata."""
    category, group = metadata.get(card.category), metadata.get(card.group)
    excluded = metadata.get("excluded_ids")
    return Query(
        id=identifier,
        text=text,
        category="" if category is None else str(category),
        group="" if group is None else str(group),
        excluded=tuple(str(name) for name in excluded) if isinstance(excluded, list) else (),
        metadata=metadata,
    )
