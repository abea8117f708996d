"""The corpus of an import while it is written: lines go to disk, and any of them can be read back."""

from __future__ import annotations

import io
from bisect import bisect_right
from pathlib import Path

from evalkit.data.lines import Block
from evalkit.records import Ints


class Written:
    """A file of lines that only grows (in memory, where there is no path); a line is known by its place."""

    def __init__(self, path: Path | None) -> None:
        self.count = 0
        self._file = path.open("w+b") if path is not None else io.BytesIO()
        self._size = 0
        self._firsts: list[int] = []  # the place of the first line of each write
        self._starts: list[int] = []  # and where in the file that begins
        self._ends: dict[int, Ints] = {}  # where the lines end, of writes that have several

    def close(self) -> None:
        """Write what is buffered."""
        self._file.close()

    def line(self, content: bytes) -> int:
        """Append a line, with its end, and return its place."""
        return self._append(content, 1)

    def block(self, block: Block) -> int:
        """Append a block and return the place of its first line."""
        self._ends[len(self._firsts)] = block.ends
        return self._append(block.content, len(block.ends))

    def __getitem__(self, place: int) -> bytes:
        """Return a line with its end."""
        write = bisect_right(self._firsts, place) - 1
        start, row = self._starts[write], place - self._firsts[write]
        if write in self._ends:
            ends = self._ends[write]
            end = start + int(ends[row]) + 1
            start += int(ends[row - 1]) + 1 if row else 0
        else:
            end = self._starts[write + 1] if write + 1 < len(self._starts) else self._size
        self._file.seek(start)
        content = self._file.read(end - start)
        self._file.seek(0, io.SEEK_END)
        return content

    def _append(self, content: bytes, count: int) -> int:
        place = self.count
        self._firsts.append(place)
        self._starts.append(self._size)
        self._file.write(content)
        self.count += count
        self._size += len(content)
        return place
