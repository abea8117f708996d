"""The one retry layer: what is worth asking again, how long to wait, when to give up."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar

from evalkit.transport.clock import Clock
from evalkit.transport.pacing import Pacer
from evalkit.words import plural

T = TypeVar("T")
JITTER = 0.25
_random = secrets.SystemRandom()


class Transient(Exception):
    """The call failed in a way that may pass: ask again.

    `retry_after` is the server's own word in seconds, `too_many` says that it wants fewer calls from all.
    """

    def __init__(self, reason: str, retry_after: float | None = None, *, too_many: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.too_many = too_many


class Refused(Exception):
    """The server will not answer this call, however often it is asked; others may fare better."""


class Exhausted(Exception):
    """The patience for one call is used up."""


@dataclass(frozen=True)
class Retry:
    """Waits of `first_wait` seconds, doubling up to `longest_wait`, each jittered, `patience` in all.

    The defaults outlast two full minutes, as quotas are counted by the minute.
    """

    first_wait: float = 1.0
    longest_wait: float = 30.0
    patience: float = 150.0

    def wait(self, attempt: int, told: float | None) -> float:
        """Return the seconds to wait after failure number `attempt`, from 0; the server's word goes first."""
        if told is not None and told > 0:
            return told
        return min(self.first_wait * 2.0**attempt, self.longest_wait) * _random.uniform(
            1 - JITTER, 1 + JITTER
        )

    def call(self, send: Callable[[], T], pacers: Sequence[tuple[Pacer, float]], clock: Clock) -> T:
        """Send when each pacer lets a call of its cost leave; ask again while it may help.

        Raises:
            Exhausted: it kept failing for longer than the patience.
            Stopped: the pool was told to stop.
        """
        waited, attempt = 0.0, 0
        while True:
            for pacer, cost in pacers:
                pacer.wait(cost)
            try:
                answer = send()
            except Transient as failure:
                left = self.patience - waited
                pause = self.wait(attempt, failure.retry_after)
                if not failure.retry_after:  # its own wait is cut to what is left: all of it is used
                    pause = min(pause, left)
                attempt += 1
                waited += pause
                if left <= 0 or pause > left:
                    raise Exhausted(self._given_up(failure, attempt)) from failure
                if failure.too_many:
                    for pacer, _ in pacers:
                        pacer.object(pause)
                else:
                    clock.sleep(pause)
            else:
                for pacer, _ in pacers:
                    pacer.succeeded()
                return answer

    def _given_up(self, failure: Transient, attempts: int) -> str:
        if failure.retry_after is not None and failure.retry_after > self.patience:
            return f"{failure.reason}; it asks to wait {failure.retry_after:g} s"
        return f"{failure.reason}; asked {plural(attempts, 'time')}"


def retry_after(value: str | None, now: float) -> float | None:
    """Return a Retry-After header in seconds: whole, fractional, or an HTTP date; None if it is none.

    >>> retry_after("1.5", 0.0), retry_after("Thu, 01 Jan 1970 00:00:09 GMT", 4.0), retry_after("soon", 0.0)
    (1.5, 5.0, None)
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - now
        except ValueError:
            return None
    return max(seconds, 0.0) if seconds < float("inf") else None
