"""Time for everything that waits: one clock, whose sleepers can be woken to stop."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Stopped(Exception):
    """The pool was told to stop; what has not been sent yet is not sent any more."""


class Clock(Protocol):
    """Seconds that only go up, and sleep."""

    def now(self) -> float:
        """Return the time in seconds from some fixed moment."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            Stopped: the pool was told to stop.
        """
        ...


class WallClock:
    """The real clock; `stop` wakes everyone who sleeps by it."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def now(self) -> float:
        """Return the monotonic time."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`, or less if told to stop."""
        if self._stopped.is_set() or (seconds > 0 and self._stopped.wait(seconds)):
            raise Stopped

    def stop(self) -> None:
        """Wake all sleepers, now and from now on, with `Stopped`."""
        self._stopped.set()
