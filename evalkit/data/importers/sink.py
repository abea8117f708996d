"""Where importers put what they find: documents go to disk at once, queries and ratings wait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from evalkit.data.corpus import LINE, plain
from evalkit.data.importers.options import Options
from evalkit.data.importers.tally import Books
from evalkit.data.importers.written import Written
from evalkit.data.lines import MAX_LINE, Block
from evalkit.errors import InputError
from evalkit.measures.columns import arrow

IDENTICAL = "repeated word for word"
WORDS = pa.dictionary(pa.int32(), pa.string())  # few, and each in many rows
RATINGS = pa.schema(
    [("query", pa.string()), ("doc", pa.string()), ("grade", WORDS), ("rater", WORDS),
     ("line", pa.int64()), ("path", WORDS)]
)  # fmt: skip
BATCH = 50_000


@dataclass(slots=True)
class FoundQuery:
    """A query as it came in, with every category that it was given."""

    text: str
    path: str
    line: int | None
    categories: list[str]
    metadata: dict[str, Any] = field(default_factory=dict)


class Sink:
    """Takes what an importer finds, in any order, and books every item as written or left out.

    Without a `corpus` file documents are counted and not kept. `line` is where an item stands in `path`,
    None where the format has no lines.
    """

    def __init__(self, corpus: Path | None, options: Options) -> None:
        self.books = Books()
        self.options = options
        self.documents: dict[str, int] = {}  # id -> ordinal of its line in the file
        self.superseded: set[int] = set()
        self.queries: dict[str, FoundQuery] = {}
        self.ratings: list[pa.Table] = []
        self.columns: set[str] = set()  # of all tables that were read, where --map names some
        self._documents = self.books.accounts["documents"]
        self._written = Written(corpus)
        self._one_by_one: list[tuple[str, str, str | None, str | None, int | None, str]] = []

    def close(self) -> None:
        """Write what is buffered."""
        self._flush()
        self._written.close()

    def meet(self, columns: Iterable[str]) -> None:
        """Note the columns of a table, or of a row; those that --map names must be among them in the end."""
        if self.options.columns:
            self.columns.update(columns)

    def document(
        self,
        path: Path | str,
        line: int | None,
        identifier: object,
        text: str = "",
        title: str = "",
        fields: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Take a document; one with the id of an earlier one is settled by `options.twice`."""
        account = self._documents
        account.read += 1
        name = self._name("documents", path, line, identifier)
        if name is None:
            return
        encoded = self._encode(path, line, name, text, title, fields, metadata)
        if encoded is None:
            return
        earlier = self.documents.get(name)
        if earlier is not None:
            if LINE.decode(self._written[earlier]) == LINE.decode(encoded):
                self.books.leave_out("documents", IDENTICAL)
                return
            if not self._settled("documents", path, line, name):
                return
            self.superseded.add(earlier)
            account.written -= 1
        self.documents[name] = self._written.line(encoded)
        account.written += 1

    def written_line(self, name: str, line: bytes) -> bool:
        """Take a document whose line is as we write it; return False where it needs a look of its own."""
        if not (name.isascii() and name.isprintable() and name.strip() == name) or name in self.documents:
            return False
        self.documents[name] = self._written.line(line)
        self._documents.read += 1
        self._documents.written += 1
        return True

    def written_block(self, names: Sequence[str], block: Block) -> bool:
        """Take documents whose lines are as we write them; return False where any needs a look of its own."""
        first = self._written.count
        new = dict(zip(names, range(first, first + len(names)), strict=True))
        if not plain(names) or len(new) < len(names) or not self.documents.keys().isdisjoint(new):
            return False
        self._written.block(block)
        self.documents.update(new)
        self._documents.read += len(names)
        self._documents.written += len(names)
        return True

    def query(
        self,
        path: Path | str,
        line: int | None,
        identifier: object,
        text: object,
        categories: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Take a query; the categories of one that comes again with the same text are collected."""
        account = self.books.accounts["queries"]
        account.read += 1
        name = self._name("queries", path, line, identifier)
        if name is None:
            return
        if not isinstance(text, str) or not text.strip() or not _writable(text):
            self.books.tell("queries without text", path, line, f"query {name!r} has no text", "Give it text")
            self.books.leave_out("queries", "without text")
            return
        found = [category for category in categories if category]
        earlier = self.queries.get(name)
        if earlier is not None and earlier.text == text:
            earlier.categories += [one for one in found if one not in earlier.categories]
            earlier.metadata = {**(metadata or {}), **earlier.metadata}
            self.books.leave_out("queries", IDENTICAL)
            return
        if earlier is not None:
            if not self._settled("queries", path, line, name):
                return
            account.written -= 1
        self.queries[name] = FoundQuery(text, str(path), line, found, dict(metadata or {}))
        account.written += 1

    def rating(
        self,
        path: Path | str,
        line: int | None,
        query: object,
        document: object,
        grade: object,
        rater: object = None,
    ) -> None:
        """Take one rating; a grade of None is a pair that somebody saw and did not rate."""
        told = None if grade is None else _plain_number(grade)
        who = None if rater is None else str(rater)
        self._one_by_one.append((_word(query), _word(document), told, who, line, str(path)))
        if len(self._one_by_one) >= BATCH:
            self._flush()

    def ratings_table(
        self, path: Path | str, query: pa.Array, document: pa.Array, grade: pa.Array, line: pa.Array
    ) -> None:
        """Take many ratings at once, as string arrays and the lines that they stand on."""
        same = arrow(np.zeros(len(query), np.int32))
        nobody, here = (
            pa.DictionaryArray.from_arrays(same, pa.array([one], pa.string())) for one in (None, str(path))
        )
        self._take(pa.table([query, document, grade.cast(WORDS), nobody, line, here], schema=RATINGS))

    def _flush(self) -> None:
        if self._one_by_one:
            columns = list(zip(*self._one_by_one, strict=True))
            arrays = [pa.array(column, kind.type) for column, kind in zip(columns, RATINGS, strict=True)]
            self._take(pa.table(arrays, schema=RATINGS))
            self._one_by_one = []

    def _take(self, table: pa.Table) -> None:
        self.books.accounts["ratings"].read += table.num_rows
        self.ratings.append(table)

    def _name(self, kind: str, path: Path | str, line: int | None, identifier: object) -> str | None:
        plain = type(identifier) is str and identifier.isascii() and identifier.isprintable()
        name = _word(identifier)
        if name and plain:
            return name
        if name and not {"\t", "\n", "\r"} & set(name) and _writable(name):
            return name
        what = f"no id ({identifier!r:.60})" if not name else f"the id {name!r:.60} cannot stand in a file"
        self.books.tell(f"{kind} without an id", path, line, what, "Give it an id without tabs or line ends")
        self.books.leave_out(kind, "without an id")
        return None

    def _encode(
        self,
        path: Path | str,
        line: int | None,
        name: str,
        text: str,
        title: str,
        fields: Mapping[str, Any] | None,
        metadata: Mapping[str, Any] | None,
    ) -> bytes | None:
        record: dict[str, Any] = {"_id": name, "title": title, "text": text}
        if fields is not None:
            record["fields"] = dict(fields)
        if metadata:
            record["metadata"] = dict(metadata)
        try:
            encoded = msgspec.json.encode(record) + b"\n"
        except (UnicodeEncodeError, msgspec.MsgspecError, TypeError, RecursionError) as error:
            what = f"document {name!r:.60} cannot be written: {error}"
            self.books.tell("documents that JSON cannot hold", path, line, what, "Correct the text")
            self.books.leave_out("documents", "not writable as JSON")
            return None
        if len(encoded) > MAX_LINE:
            what = f"document {name!r:.60} is longer than {MAX_LINE >> 20} MiB"
            self.books.tell("documents beyond all length", path, line, what, "Cut it into passages")
            self.books.leave_out("documents", "too long")
            return None
        return encoded

    def _settled(self, kind: str, path: Path | str, line: int | None, name: str) -> bool:
        """Book an id that comes again with other content; return whether the new one replaces the old."""
        if self.options.twice is None:
            what = f"the id {name!r:.60} came before with other content"
            self.books.tell(f"{kind} with the id of another", path, line, what, "Say --twice first or last")
        reason = (
            "of an id that is taken" if self.options.twice is None else "of an id that is taken (--twice)"
        )
        self.books.leave_out(kind, reason)
        return self.options.twice == "last"


class TextIds:
    """Ids for texts that come without one: `q1`, `q2` ... in the order of their first appearance."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._ids: dict[str, str] = {}

    def __getitem__(self, text: str) -> str:
        """Return the id of `text`; blanks around and inside it do not make another."""
        return self._ids.setdefault(" ".join(text.split()), f"{self._prefix}{len(self._ids) + 1}")

    def known(self, text: str, identifier: str) -> None:
        """Let `text` have an id that it has elsewhere."""
        self._ids.setdefault(" ".join(text.split()), identifier)


def need(found: object, path: Path | str, what: str) -> None:
    """Refuse a source that lacks a whole part.

    Raises:
        InputError: `found` is nothing.
    """
    if not found:
        raise InputError(f"{path}: {what}")


def _word(identifier: object) -> str:
    if type(identifier) is str:
        return identifier.strip()
    if isinstance(identifier, bool) or identifier is None:
        return ""
    return _plain_number(identifier).strip()


def _plain_number(value: object) -> str:
    """Return 3.0 as `3`: spreadsheets and JSON writers make floats of whole numbers."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _writable(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)
