"""A large text file in blocks that end where the first column changes, worked on by all cores.

Memory is touched once and used again: on first use it costs more than parsing what is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice
from queue import SimpleQueue
from typing import Any, TypeVar

import pyarrow as pa

from evalkit.measures import cores

T = TypeVar("T")

SIZE = 4 << 20


def over_blocks(stream: Any, blank: bytes, work: Callable[[pa.Buffer], T], size: int = SIZE) -> list[T]:
    """Return `work(block)` for every block of the stream, in order; `blank` ends the first column.

    Where lines of equal first columns stand together, no block has a part of such lines only. `work` must not
    keep its block: the memory is used again. What `work` raises is raised.
    """
    free: SimpleQueue[bytearray] = SimpleQueue()
    for _ in range(pa.cpu_count() + 1):
        free.put(bytearray())

    def done(filled: tuple[bytearray, int]) -> T:
        buffer, end = filled
        try:
            return work(pa.py_buffer(memoryview(buffer)[:end]))
        finally:
            free.put(buffer)

    blocks = _filled(stream, blank, free, size)
    beginning = list(islice(blocks, 2))
    if len(beginning) < 2:
        return [done(filled) for filled in beginning]
    with cores.pool() as threads:
        futures = [threads.submit(done, filled) for filled in chain(beginning, blocks)]
        return [future.result() for future in futures]


def _filled(
    stream: Any, blank: bytes, free: SimpleQueue[bytearray], size: int
) -> Iterator[tuple[bytearray, int]]:
    """Yield free buffers, filled, and where their block ends; what is behind that starts the next one."""
    rest = b""
    while True:
        buffer = free.get()
        if len(buffer) < size + len(rest):
            buffer = bytearray(size + len(rest))
        buffer[: len(rest)] = rest
        filled = len(rest) + _fill(stream, memoryview(buffer)[len(rest) :])
        if filled < len(buffer):
            if filled:
                yield buffer, filled
            return
        end = border(buffer, filled, blank)
        rest = bytes(memoryview(buffer)[end:filled])
        if end:
            yield buffer, end
        else:
            free.put(buffer)


def _fill(stream: Any, view: memoryview) -> int:
    """Read until the view is full or the stream ends; return how many bytes came."""
    filled = 0
    while filled < len(view):
        read = stream.readinto(view[filled:])
        if not read:
            break
        filled += read
    return filled


def border(text: bytearray, end: int, blank: bytes) -> int:
    """Return where the lines begin that share the first column of the last whole line before `end`.

    0 where all lines share it. Assumes that equal first columns stand together.
    """
    last = text.rfind(b"\n", 0, max(text.rfind(b"\n", 0, end), 0)) + 1
    key = bytes(text[last : text.find(blank, last, end) + 1])
    low, high = 0, last  # a line at `high` has the key; one at `low` is still to be looked at
    while low < high:
        middle = text.rfind(b"\n", low, (low + high) // 2) + 1 or low
        if text.startswith(key, middle):
            high = middle
        else:
            low = text.find(b"\n", middle, end) + 1
    return high
