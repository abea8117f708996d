"""Text files line by line, with everything that is wrong with their encoding as findings."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

import jsonlines

from evalkit.errors import Finding

UTF8_MARK = b"\xef\xbb\xbf"
Note = Callable[[Finding], None]


class Lines:
    """The decoded lines of a UTF-8 file (`.gz` too), their digest, and findings about their encoding.

    Iterate once; `digest` (SHA-256 of the file's decompressed bytes) is complete afterwards. A line that is
    not UTF-8 is reported and read as empty, so that line numbers stay true.
    """

    def __init__(self, path: Path, note: Note) -> None:
        self.path = path
        self._note = note
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        """Return the hexadecimal digest of what has been read so far."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[str]:
        """Yield each line without its line end."""
        carriage_returns = 0
        with self._open() as file:
            for number, raw in enumerate(file, start=1):
                self._hash.update(raw)
                if number == 1 and raw.startswith(UTF8_MARK):
                    raw = raw.removeprefix(UTF8_MARK)
                    self._warn(1, "the file starts with a byte-order mark", "Save it as UTF-8 without one")
                if raw.endswith(b"\r\n"):
                    carriage_returns += 1
                yield self._decode(number, raw.rstrip(b"\r\n"))
        if carriage_returns:
            what = f"{carriage_returns} lines end in CR LF"
            self._warn(None, what, "They are read; save the file with LF to be safe elsewhere")

    def _open(self) -> IO[bytes]:
        if self.path.suffix == ".gz":
            return cast(IO[bytes], gzip.open(self.path, "rb"))
        return self.path.open("rb")

    def _decode(self, number: int, raw: bytes) -> str:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            what = f"byte {error.start + 1} of the line is not UTF-8"
            self._note(Finding(str(self.path), number, what, "Convert the file to UTF-8"))
            return ""

    def _warn(self, line: int | None, what: str, remedy: str) -> None:
        self._note(Finding(str(self.path), line, what, remedy, severity="warning"))


def read_objects(lines: Lines, note: Note) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) for each JSON object; a line that is none becomes a finding."""
    counted = _Counted(lines)
    reader = jsonlines.Reader(counted)
    while True:
        try:
            value = reader.read(type=dict, skip_empty=True)
        except jsonlines.InvalidLineError as error:
            problem = str(error).split(" (")[0]
            remedy = "Write one JSON object a line"
            note(Finding(str(lines.path), error.lineno, f"not a JSON object: {problem}", remedy))
        except EOFError:
            return
        else:
            yield counted.number, value


class _Counted:
    """An iterator that remembers how many lines it gave: jsonlines keeps that number to itself."""

    def __init__(self, lines: Lines) -> None:
        self._lines = iter(lines)
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        return line
