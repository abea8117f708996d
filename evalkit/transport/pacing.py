"""Pacing: calls leave evenly spaced, so that a rate a minute is kept instead of run into."""

from __future__ import annotations

import threading
from collections import deque

from evalkit.transport.clock import Clock

MINUTE = 60.0
MARGIN = 0.99  # of the allowed rate: 1 % makes up for calls that arrive less evenly than they left
BACK_OFF = 0.5  # of the rate, after the server said "too many"
FLOOR = 0.25  # of the allowed rate: pauses do the rest
RECOVER = 1.1  # of the rate, after each answer since
UNLIMITED = 60_000.0  # calls a minute: beyond it pacing is pointless
UNKNOWN = 1_000.0  # calls a minute that a server without a stated limit is thought to allow once it objects


class Pacer:
    """Lets at most `per_minute` calls (or inputs: a call may cost several) leave in any minute.

    `None` is no limit until the server objects. Shared by a pool's threads: when the server objects, all of
    them wait, then go on at half the rate and recover with each answer. It outlives a pool, as a server's
    minute does: the next pool's threads sleep by its own `clock`.
    """

    def __init__(self, per_minute: float | None, clock: Clock) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._allowed = per_minute or UNLIMITED
        self._rate = self._allowed
        self._free = clock.now()  # when the next call may leave
        self._held = self._free  # nobody leaves before
        self._left: deque[tuple[float, float]] = deque()  # (when, cost) of what left in the last minute

    @property
    def per_minute(self) -> float:
        """The rate at present."""
        return self._rate

    def wait(self, cost: float = 1.0) -> None:
        """Return when a call of this cost may leave.

        Raises:
            Stopped: the pool was told to stop.
        """
        while True:
            with self._lock:
                leave = max(self.clock.now(), self._free, self._held)
                self._free = leave + cost * self._interval
            self.clock.sleep(leave - self.clock.now())
            with self._lock:
                if self._held <= leave:
                    self._note(leave, cost)
                    return

    def learn(self, per_minute: float) -> None:
        """Keep to a rate that the server has told; what left within the last minute counts against it."""
        with self._lock:
            if self._allowed == per_minute:
                return
            self._allowed = self._rate = per_minute
            self._forget()
            if self._left:
                spent = sum(cost for _, cost in self._left)
                self._free = max(self._free, self._left[0][0] + spent * self._interval)

    def object(self, seconds: float) -> None:
        """The server said "too many": all wait `seconds`, then go on at half the rate."""
        with self._lock:
            now = self.clock.now()
            if now >= self._held:  # once for all the calls that met the same objection
                self._forget()
                recent = sum(cost for _, cost in self._left) or 1.0
                floor = FLOOR * min(self._allowed, UNKNOWN)
                self._rate = max(min(self._rate, recent) * BACK_OFF, floor)
            self._held = max(self._held, now + seconds)
            self._free = self._held

    def succeeded(self) -> None:
        """The server answered: recover a little of the rate."""
        if self._rate < self._allowed:
            with self._lock:
                self._rate = min(self._rate * RECOVER, self._allowed)

    @property
    def _interval(self) -> float:
        return 0.0 if self._rate >= UNLIMITED else MINUTE / (self._rate * MARGIN)

    def _note(self, when: float, cost: float) -> None:
        self._left.append((when, cost))
        self._forget()

    def _forget(self) -> None:
        past = self.clock.now() - MINUTE
        while self._left and self._left[0][0] < past:
            self._left.popleft()
