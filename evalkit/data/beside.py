"""Work in a second thread while the first one decodes: most reading, hashing and parsing needs no Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
END: Any = object()


class Begin(Protocol):
    """What begins work in a second thread."""

    def __call__(self, work: Callable[..., T], *given: Any) -> Future[T]:
        """Have `work(*given)` done after what was begun before."""


@contextmanager
def beside() -> Iterator[Begin]:
    """Yield what begins work in a second thread; the block ends when all of it is done.

    Whoever watches the caller's reading watches the thread's too.
    """
    from concurrent.futures import ThreadPoolExecutor  # not at every start

    context = copy_context()
    with ThreadPoolExecutor(1) as pool:

        def begin(work: Callable[..., T], *given: Any) -> Future[T]:
            return pool.submit(lambda: context.run(work, *given))

        yield begin


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
