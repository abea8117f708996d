"""Work in a second thread while the first one decodes: reading, hashing and Arrow need no turn of Python's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
END: Any = object()


@contextmanager
def beside() -> Iterator[Callable[..., Future[Any]]]:
    """Yield `begin(work, *given)`, which has the work done in one thread, in order, and returns its future.

    Whoever watches the caller's reading watches the thread's too. The block ends when the work has.
    """
    from concurrent.futures import ThreadPoolExecutor  # not at every start

    with ThreadPoolExecutor(1) as pool:
        yield partial(pool.submit, copy_context().run)


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the items, each made while the one before it is worked on; what making one raises is raised."""
    beginning = list(islice(items, 2))
    yield from beginning
    if len(beginning) < 2:  # a small file needs no thread
        return
    with beside() as begin:
        coming = begin(next, items, END)
        while (item := coming.result()) is not END:
            coming = begin(next, items, END)
            yield item
