"""One rater's way through a pool; all that counts is in the log, so that a killed session loses nothing."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from evalkit.data.importers.options import Options
from evalkit.data.importers.sink import Sink
from evalkit.data.importers.sources import only_file
from evalkit.data.importers.tabular import records
from evalkit.data.labels import Label, unquoted
from evalkit.errors import DataError, InputError

HOW = "evalkit label"
DEFAULT_GRADES = {0: "does not help", 1: "related", 2: "answers in part", 3: "answers completely"}
Key = tuple[str, str]


class Item(NamedTuple):
    """A pair to judge, its texts as the models saw them."""

    query_id: str
    doc_id: str
    query: str
    document: str
    category: str

    @property
    def key(self) -> Key:
        """What a judgment is about."""
        return self.query_id, self.doc_id


class Session:
    """Items in the pool's order, the rater's grades so far, and the log that they are appended to.

    Use as a context manager: while it is open no other session writes to the same log.
    """

    def __init__(self, pool: str | Path, log: str | Path, rater: str) -> None:
        self.rater = rater
        self.log = Path(log)
        self.items, self.grades = read_pool(Path(pool))
        self.judged: dict[Key, int] = {}
        self.skipped: dict[Key, None] = {}
        self._done: list[Key] = []  # in the order of judging, for undo
        self._places = {item.key: place for place, item in enumerate(self.items)}
        self._file: Any = None

    def __enter__(self) -> Session:
        """Open the log and read what is in it.

        Raises:
            InputError: another session has it, or it holds something else.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.log.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise InputError(
                f"{self.log} is open in another session. End it, or name another --log"
            ) from None
        try:
            self._resume()
        except InputError:
            self._file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close the log: everything is on disk already."""
        self._file.close()

    @property
    def next(self) -> Item | None:
        """The first item without a grade that was not skipped, then the skipped ones, then None."""
        for item in self.items:
            if item.key not in self.judged and item.key not in self.skipped:
                return item
        waiting = next((key for key in self.skipped if key not in self.judged), None)
        return None if waiting is None else self.items[self._places[waiting]]

    def judge(self, key: Key, grade: int) -> None:
        """Put a grade on disk.

        Raises:
            InputError: the pool has no such pair, or the scale no such grade.
        """
        self._known(key)
        if grade not in self.grades:
            raise InputError(f"no grade {grade}; there are {', '.join(map(str, sorted(self.grades)))}")
        self._append(key, grade)
        self.judged[key] = grade
        self.skipped.pop(key, None)
        self._done.append(key)

    def skip(self, key: Key) -> None:
        """Put a pair at the end of the line; a second time, behind those that wait there."""
        self._known(key)
        self.skipped.pop(key, None)
        self.skipped[key] = None

    def undo(self) -> Item | None:
        """Take the last grade back, on disk too, and return its item; None where nothing was judged."""
        if not self._done:
            return None
        key = self._done[-1]
        self._append(key, None)
        self._done.pop()
        del self.judged[key]
        return self.items[self._places[key]]

    def _known(self, key: Key) -> None:
        if key not in self._places:
            raise InputError("the pool has no such pair: load the page again")

    def _append(self, key: Key, grade: int | None) -> None:
        """Write one line and wait until the disk has it."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        label = Label(key[0], key[1], None if grade is None else str(grade), self.rater, now, HOW)
        self._file.write(msgspec.json.encode(label.to_line()) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _resume(self) -> None:
        """Read this rater's lines; a last line that was cut short by a crash is taken off."""
        self._file.seek(0)
        whole, _, torn = self._file.read().rpartition(b"\n")
        if torn:
            self._file.truncate(len(whole) + 1 if whole else 0)
        for number, line in enumerate(whole.split(b"\n") if whole else [], start=1):
            try:
                told = msgspec.json.decode(line, type=dict[str, Any])
                key, grade, rater = (told["query_id"], told["doc_id"]), told["grade"], told["rater"]
            except (msgspec.DecodeError, KeyError):
                raise InputError(f"{self.log}:{number}: no label. Name another file with --log") from None
            if rater != self.rater or key not in self._places:
                continue
            self._done = [one for one in self._done if one != key]
            self.judged.pop(key, None)
            if isinstance(grade, int):
                self.judged[key] = grade
                self._done.append(key)


def read_pool(path: Path) -> tuple[tuple[Item, ...], Mapping[int, str]]:
    """Return the items of a pool and what its grades mean.

    Raises:
        DataError: a line that is no pair.
        InputError: the pool is empty.
    """
    sink = Sink(None, Options())
    grades, items = DEFAULT_GRADES, []
    for line, row in records(sink, only_file(path)):
        if "pool" in row:
            declared = row.get("grades")
            if isinstance(declared, dict) and declared:
                grades = {int(grade): str(meaning) for grade, meaning in declared.items()}
            continue
        cells = [row.get(name) for name in Item._fields]
        if not all(isinstance(cell, str) for cell in cells[:4]):
            remedy = "Take a file that `evalkit pool` wrote"
            sink.books.tell("lines that are no pair", path, line, "no pair of texts", remedy)
            continue
        items.append(Item(*(unquoted(str(cell or "")) for cell in cells)))
    if sink.books.errors:
        raise DataError(sink.books.all_findings())
    if not items:
        raise InputError(f"{path} has nothing to judge: every candidate has a judgment, or it is no pool")
    return tuple({item.key: item for item in items}.values()), grades
