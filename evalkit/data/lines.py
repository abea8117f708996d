"""Text files line by line, with everything that is wrong with their encoding as findings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np

from evalkit.data import halves
from evalkit.data.beside import ahead
from evalkit.data.files import Note, blocks
from evalkit.errors import Finding
from evalkit.records import Ints
from evalkit.words import plural

UTF8_MARK = b"\xef\xbb\xbf"
UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
LINE_FEED, OPENING, CLOSING = b"\n{}"
MAX_LINE = 1 << 24  # bytes; far beyond any document that a model could read
PART = 1 << 19  # bytes decoded at once: what comes of them stays in a core's cache
OBJECT = msgspec.json.Decoder(dict[str, Any])
T = TypeVar("T")
Explain = Callable[[int, Mapping[str, Any]], None]


class Block(NamedTuple):
    """Whole lines as they stand in a file: the number of the first, all bytes, where the line ends are."""

    number: int
    content: bytes
    ends: Ints

    @classmethod
    def of(cls, number: int, content: bytes) -> Block:
        """Return the lines in `content`, the last of which has its end too."""
        return cls(number, content, np.flatnonzero(np.frombuffer(content, np.uint8) == LINE_FEED))

    def line(self, place: int) -> bytes:
        """Return one of the lines, the first is 0, without its end."""
        return self.content[int(self.ends[place - 1]) + 1 if place else 0 : int(self.ends[place])]


class Lines:
    """The lines of a file (`.gz` too) as bytes without their ends, its digest, findings about its form.

    Iterate once; `digest` (SHA-256 of the decompressed bytes) is complete afterwards. A line of more than
    `MAX_LINE` bytes is reported and read as empty, so that line numbers stay true.
    """

    def __init__(self, path: Path, note: Note) -> None:
        self.path = path
        self.note = note
        self._hash = hashlib.sha256()
        self._carriage_returns = 0
        self._halves: dict[int, int] = {}  # of surrogate pairs, by line

    @property
    def digest(self) -> str:
        """Return the hexadecimal digest of what has been read so far."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        """Yield each line without its line end."""
        for block in self.blocks():
            yield from self.split(block)

    def text(self) -> Iterator[str]:
        """Yield each line as text; one that is not UTF-8 is reported and read as empty."""
        for number, raw in enumerate(self, start=1):
            try:
                yield raw.decode("utf-8")
            except UnicodeDecodeError as error:
                self.note(not_utf8(self.path, number, error))
                yield ""

    def blocks(self) -> Iterator[Block]:
        """Yield the file as blocks of whole lines: what can be decoded at once."""
        for block in self._whole():
            if block.number == 1 and block.content.startswith(UTF8_MARK):
                block = Block.of(1, block.content.removeprefix(UTF8_MARK))
                self._warn(1, "the file starts with a byte-order mark", "Save it as UTF-8 without one")
            yield block
        if self._carriage_returns:
            what = f"{plural(self._carriage_returns, 'line ends', 'lines end')} in CR LF"
            self._warn(None, what, "They are read; save the file with LF to be safe elsewhere")
        if self._halves:
            self.note(halves.finding(self.path, sum(self._halves.values()), list(self._halves)))

    def split(self, block: Block) -> list[bytes]:
        """Return the lines of a block without their ends; those that end in CR LF are counted."""
        lines = block.content.split(b"\n")
        lines.pop()
        if b"\r" in block.content:
            self._carriage_returns += sum(line.endswith(b"\r") for line in lines)
            lines = [line.rstrip(b"\r") for line in lines]
        return lines

    def values(
        self, block: Block, decoder: msgspec.json.Decoder[T], explain: Explain | None = None
    ) -> Iterator[tuple[int, T]]:
        """Yield (line number, value) for each line of a block that `decoder` takes, as `read_json` does."""
        for number, raw in enumerate(self.split(block), start=block.number):
            for value in self.value(number, raw, decoder, explain):
                yield number, value

    def value(
        self, number: int, raw: bytes, decoder: msgspec.json.Decoder[T], explain: Explain | None = None
    ) -> Iterator[T]:
        """Yield what a line holds; nothing where it cannot be read, a finding unless it is blank.

        Halves of surrogate pairs are read as U+FFFD; one finding counts those of the file.
        """
        raw, replaced = halves.whole(raw)
        try:
            value = decoder.decode(raw)
        except UNREADABLE as error:
            if raw and not raw.isspace():
                _explain(self.path, number, raw, error, self.note, explain)
            return
        if replaced:
            self._halves[number] = replaced
        yield value

    def _whole(self) -> Iterator[Block]:
        """Yield blocks of whole lines, each with its end; a line that is too long is an empty one."""
        rest, number, skipping = b"", 1, False
        late: list[Finding] = []
        for read in ahead(self._hashed(late.append)):
            first, end = read.find(b"\n"), read.rfind(b"\n") + 1
            if not skipping and len(rest) + (first if end else len(read)) > MAX_LINE:
                what = f"the line is longer than {MAX_LINE >> 20} MiB"
                remedy = "It is left out; cut the document into passages"
                self.note(Finding(str(self.path), number, what, remedy))
                rest, skipping = b"", True
            start = first if skipping and end else 0
            while start < end:
                stop = read.rfind(b"\n", start, start + PART) + 1 or read.find(b"\n", start) + 1
                yield (block := Block.of(number, rest + read[start:stop]))
                number += len(block.ends)
                rest, skipping, start = b"", False, stop
            rest += b"" if skipping else read[end:]
        for finding in late:
            self.note(finding)
        if rest or skipping:
            yield Block.of(number, rest + b"\n")

    def _hashed(self, note: Note) -> Iterator[bytes]:
        for read in blocks(self.path, note):
            self._hash.update(read)
            yield read

    def _warn(self, line: int | None, what: str, remedy: str) -> None:
        self.note(Finding(str(self.path), line, what, remedy, severity="warning"))


def not_utf8(path: Path, line: int | None, error: UnicodeDecodeError) -> Finding:
    """Return the finding of a line that is not UTF-8."""
    return Finding(
        str(path), line, f"byte {error.start + 1} of the line is not UTF-8", "Convert the file to UTF-8"
    )


def read_objects(lines: Lines) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) for each JSON object; a line that is none becomes a finding."""
    yield from read_json(lines, OBJECT)


def read_json(
    lines: Lines, decoder: msgspec.json.Decoder[T], explain: Explain | None = None
) -> Iterator[tuple[int, T]]:
    """Yield (line number, value) for each line that `decoder` takes; the others become findings.

    `explain(line, raw)` may tell better than the decoder what is wrong with a line that is a JSON object; it
    notes its own findings.
    """
    for block in lines.blocks():
        values = at_once(block, decoder)
        if values is None:
            yield from lines.values(block, decoder, explain)
        else:
            yield from enumerate(values, start=block.number)


def at_once(block: Block, decoder: msgspec.json.Decoder[T]) -> list[T] | None:
    """Return the value of each line of a block, or None where any line needs a look of its own.

    The decoder takes values wherever they end. Where every line starts with an opening and ends with a
    closing brace, no value goes on in the next line: inside of one, a comma would stand between such braces.
    So with as many values as lines, each line is one value.
    """
    signs, ends = np.frombuffer(block.content, np.uint8), block.ends
    if not (
        signs[0] == OPENING and (signs[ends - 1] == CLOSING).all() and (signs[ends[:-1] + 1] == OPENING).all()
    ):
        return None
    try:
        values = decoder.decode_lines(block.content)
    except UNREADABLE:
        return None
    return values if len(values) == len(ends) else None


def _explain(
    path: Path, number: int, raw: bytes, error: Exception, note: Note, explain: Explain | None
) -> None:
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
    problem = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    note(Finding(str(path), number, f"not a JSON object: {problem}", "Write one JSON object a line"))
