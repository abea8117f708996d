"""Threads for work in Arrow and NumPy, which leave the interpreter alone while they compute."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

TURN = 1e-4  # seconds that a thread keeps the interpreter; by default 5 ms, longer than most of these calls


@contextmanager
def pool() -> Iterator[ThreadPoolExecutor]:
    """Yield a pool of one thread a core, which take shorter turns at the interpreter."""
    from concurrent.futures import ThreadPoolExecutor  # imports logging: not for small files

    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN)
    try:
        with ThreadPoolExecutor(pa.cpu_count()) as made:
            yield made
    finally:
        sys.setswitchinterval(before)
