"""Work in a second thread: the same results in the same order, and nothing left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from evalkit.data.beside import ahead, beside
from evalkit.data.files import content, watched

SECONDS = 30  # far beyond what any thread needs; a test that waits so long has failed


@pytest.mark.parametrize("n", range(5))
def test_items_come_in_order(n: int) -> None:
    """None is lost or doubled, however few there are."""
    assert list(ahead(iter(range(n)))) == list(range(n))


def test_the_next_item_is_made_while_one_is_worked_on() -> None:
    """Whoever holds an item sees the one after it begun."""
    begun = [threading.Event() for _ in range(4)]

    def items() -> Iterator[int]:
        for number, event in enumerate(begun):
            event.set()
            yield number

    for number in ahead(items()):
        if number == 2:  # the first two come without a thread
            assert begun[number + 1].wait(SECONDS)


def test_what_making_an_item_raises_is_raised_in_its_place() -> None:
    """The items before it come first."""

    def items() -> Iterator[int]:
        yield from range(3)
        raise OSError("the disk is gone")

    seen = []
    with pytest.raises(OSError, match="the disk is gone"):
        for number in ahead(items()):
            seen.append(number)

    assert seen == [0, 1, 2]


def test_an_iteration_that_is_left_leaves_no_thread() -> None:
    """Nor one that was never finished."""
    before = threading.active_count()
    items = ahead(iter(range(10)))
    for number in items:
        if number == 4:
            break
    items.close()  # type: ignore[attr-defined]

    assert threading.active_count() == before


def test_work_is_done_in_order_and_watched_as_its_callers(tmp_path: Path) -> None:
    """A progress bar counts what the second thread reads too."""
    path, told, done = tmp_path / "file", list[int](), list[int]()
    path.write_bytes(b"x" * 1000)
    with watched(told.append), beside() as begin:
        read = begin(content, path, print)
        for number in range(5):
            begin(done.append, number)

    assert read.result() == path.read_bytes()
    assert (sum(told), done) == (1000, [0, 1, 2, 3, 4])
