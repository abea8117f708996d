"""On which line of a CSV file a row begins: looked up only where something is told of a row."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evalkit.errors import Finding


def lines_of(text: Iterable[str], delimiter: str) -> list[int]:
    """Return the line that each row begins on, of a file read with its line ends as they are.

    The header is a row, blank lines are none.
    Rows are numbered as Arrow numbers them. A file that cannot be read to its end has the rows before that.
    """
    lines, last = [], 0
    reader = csv.reader(text, delimiter=delimiter)
    with _any_length():
        try:
            for row in reader:
                if row:
                    lines.append(last + 1)
                last = reader.line_num
        except csv.Error:
            pass  # what is wrong with the file has its own finding
    return lines


def at_lines(path: Path, findings: Sequence[Finding]) -> list[Finding]:
    """Return findings on rows of a CSV file (the header is row 1) with the lines that these begin on."""
    if path.name.removesuffix(".gz").endswith(".csv") and any(one.line is not None for one in findings):
        opener: Any = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8", errors="replace", newline="") as text:
            lines = lines_of(text, ",")
        return [one._replace(line=_line(lines, one.line)) for one in findings]
    return list(findings)


def _line(lines: Sequence[int], row: int | None) -> int | None:
    return lines[row - 1] if row is not None and 0 < row <= len(lines) else row


class Rows:
    """The rows of some files, which are read again when the first of them is asked for."""

    def __init__(self) -> None:
        self._openers: dict[str, Callable[[], list[int]]] = {}
        self._lines: dict[str, list[int]] = {}

    def know(self, path: str, read: Callable[[], list[int]]) -> None:
        """Let `read` say on which lines the rows of `path` begin."""
        self._openers[path] = read

    def line(self, path: str, row: int | None) -> int | None:
        """Return the line of a row, the first is 1; the number itself where the file's rows are its lines."""
        if row is None or path not in self._openers:
            return row
        if path not in self._lines:
            self._lines[path] = self._openers[path]()
        return _line(self._lines[path], row)


@contextmanager
def _any_length() -> Iterator[None]:
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)
