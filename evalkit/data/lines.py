"""Text files line by line, with everything that is wrong with their encoding as findings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from evalkit.data.files import Note, blocks
from evalkit.errors import Finding

UTF8_MARK = b"\xef\xbb\xbf"
UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
MAX_LINE = 1 << 24  # bytes; far beyond any document that a model could read
T = TypeVar("T")


class Lines:
    """The lines of a file (`.gz` too) as bytes without their ends, its digest, findings about its form.

    Iterate once; `digest` (SHA-256 of the decompressed bytes) is complete afterwards. A line of more than
    `MAX_LINE` bytes is reported and read as empty, so that line numbers stay true.
    """

    def __init__(self, path: Path, note: Note) -> None:
        self.path = path
        self._note = note
        self._hash = hashlib.sha256()
        self._returns = False  # whether any carriage return was seen

    @property
    def digest(self) -> str:
        """Return the hexadecimal digest of what has been read so far."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        """Yield each line without its line end."""
        carriage_returns = 0
        first = True
        for lines in self._split():
            if first and lines:
                first = False
                if lines[0].startswith(UTF8_MARK):
                    lines[0] = lines[0].removeprefix(UTF8_MARK)
                    self._warn(1, "the file starts with a byte-order mark", "Save it as UTF-8 without one")
            if self._returns:
                carriage_returns += sum(line.endswith(b"\r") for line in lines)
                lines = [line.rstrip(b"\r") for line in lines]
            yield from lines
        if carriage_returns:
            what = f"{carriage_returns} lines end in CR LF"
            self._warn(None, what, "They are read; save the file with LF to be safe elsewhere")

    def text(self) -> Iterator[str]:
        """Yield each line as text; one that is not UTF-8 is reported and read as empty."""
        for number, raw in enumerate(self, start=1):
            try:
                yield raw.decode("utf-8")
            except UnicodeDecodeError as error:
                self._note(not_utf8(self.path, number, error))
                yield ""

    def _split(self) -> Iterator[list[bytes]]:
        """Yield the lines of each block: the work of a line is what a million of them cost."""
        rest, number, skipping = b"", 0, False
        for block in blocks(self.path, self._note):
            self._hash.update(block)
            self._returns = self._returns or b"\r" in block
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            if skipping and lines:
                lines[0], skipping = b"", False
            if len(rest) > MAX_LINE or skipping:
                if not skipping:
                    what = f"the line is longer than {MAX_LINE >> 20} MiB"
                    remedy = "It is left out; cut the document into passages"
                    self._note(Finding(str(self.path), number + len(lines) + 1, what, remedy))
                rest, skipping = b"", True
            number += len(lines)
            yield lines
        if rest or skipping:
            yield [rest]

    def _warn(self, line: int | None, what: str, remedy: str) -> None:
        self._note(Finding(str(self.path), line, what, remedy, severity="warning"))


def not_utf8(path: Path, line: int | None, error: UnicodeDecodeError) -> Finding:
    """Return the finding of a line that is not UTF-8."""
    return Finding(
        str(path), line, f"byte {error.start + 1} of the line is not UTF-8", "Convert the file to UTF-8"
    )


def read_objects(lines: Lines, note: Note) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) for each JSON object; a line that is none becomes a finding."""
    yield from read_json(lines, note, msgspec.json.Decoder(dict[str, Any]))


def read_json(
    lines: Lines, note: Note, decoder: msgspec.json.Decoder[T], explain: Any = None
) -> Iterator[tuple[int, T]]:
    """Yield (line number, value) for each line that `decoder` takes; the others become findings.

    `explain(line, raw)` may tell better than the decoder what is wrong with a line that is a JSON object; it
    notes its own findings.
    """
    decode = decoder.decode
    for number, raw in enumerate(lines, start=1):
        try:
            value = decode(raw)
        except UNREADABLE as error:
            if raw and not raw.isspace():
                _explain(lines.path, number, raw, error, note, explain)
        else:
            yield number, value


def one_object(path: Path, number: int, raw: bytes, note: Note) -> Iterator[dict[str, Any]]:
    """Yield the JSON object on a line; nothing where there is none, which is a finding unless it is blank."""
    try:
        yield msgspec.json.decode(raw, type=dict[str, Any])
    except UNREADABLE as error:
        if raw and not raw.isspace():
            _explain(path, number, raw, error, note, None)


def _explain(path: Path, number: int, raw: bytes, error: Exception, note: Note, explain: Any) -> None:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as broken:
        note(not_utf8(path, number, broken))
        return
    if explain is not None and isinstance(error, msgspec.ValidationError):
        try:
            value = msgspec.json.decode(raw)
        except (msgspec.DecodeError, RecursionError):
            value = None
        if isinstance(value, dict):
            explain(number, value)
            return
    if "surrogate" in str(error):
        what = "a text holds half a surrogate pair, which is no character"
        note(Finding(str(path), number, what, r"Write the whole character, or \ufffd in its place"))
        return
    problem = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    note(Finding(str(path), number, f"not a JSON object: {problem}", "Write one JSON object a line"))
