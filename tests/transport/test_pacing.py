"""Pacing: no minute has more calls than allowed, and nearly as many where there is work."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.transport.clock import Stopped, WallClock
from evalkit.transport.pacing import Pacer
from tests.transport.clocks import FakeClock


def departures(pacer: Pacer, clock: FakeClock, count: int, cost: float = 1.0) -> list[float]:
    """Return when each of `count` calls may leave, all of them waiting from now on."""
    left = []
    for _ in range(count):
        pacer.wait(cost)
        left.append(clock.now())
    return left


def busiest_minute(left: list[float]) -> int:
    """Return the greatest number of calls in any 60 seconds."""
    times = np.array(left)
    return int((np.searchsorted(times, times + 60.0, side="left") - np.arange(len(times))).max())


@given(rate=st.floats(1, 2000), count=st.integers(1, 300))
def test_no_minute_has_more_than_allowed(rate: float, count: int) -> None:
    """Whatever the rate, no 60 seconds see more calls than it, rounded up."""
    clock = FakeClock()

    assert busiest_minute(departures(Pacer(rate, clock), clock, count)) <= np.ceil(rate)


def test_nearly_the_whole_rate_is_used() -> None:
    """With enough work at least 97 % of the allowed calls leave."""
    clock = FakeClock()
    left = departures(Pacer(600, clock), clock, 1200)

    assert 1199 / (left[-1] - left[0]) * 60 >= 0.97 * 600


def test_a_call_may_cost_several() -> None:
    """A limit on inputs counts a batch by its texts: 96 of 2,000 a minute leave 2.9 seconds apart."""
    clock = FakeClock()
    left = departures(Pacer(2000, clock), clock, 40, cost=96)

    assert np.diff(left) == pytest.approx(96 / 1980 * 60)


def test_idle_time_is_not_saved_up() -> None:
    """After a pause there is no burst."""
    clock = FakeClock()
    pacer = Pacer(60, clock)
    pacer.wait()
    clock.time += 600

    assert min(np.diff(departures(pacer, clock, 5))) > 0.99


def test_without_a_limit_nothing_waits() -> None:
    """No rate, no waiting."""
    clock = FakeClock()

    assert departures(Pacer(None, clock), clock, 100)[-1] == clock.time == 1000.0


def test_a_learnt_limit_counts_what_has_left_already() -> None:
    """Five calls left at once, then the answer says ten a minute: still no minute has more than ten."""
    clock = FakeClock()
    pacer = Pacer(None, clock)
    before = departures(pacer, clock, 5)
    pacer.learn(10)

    assert busiest_minute(before + departures(pacer, clock, 40)) <= 10


def test_an_objection_makes_all_wait_and_halves_the_rate() -> None:
    """After a 429 nobody leaves before its wait is over; then calls are at least twice as far apart."""
    clock = FakeClock()
    pacer = Pacer(60, clock)
    departures(pacer, clock, 60)
    pacer.object(20.0)
    left = departures(pacer, clock, 3)

    assert left[0] == pytest.approx(clock.slept and 1000 + 59 * 60 / 59.4 + 20.0)
    assert np.diff(left).min() > 1.9


def test_calls_that_met_the_same_objection_slow_down_once() -> None:
    """Sixteen threads with a 429 each do not divide the rate by 65,536."""
    clock = FakeClock()
    pacer = Pacer(60, clock)
    departures(pacer, clock, 60)
    for _ in range(16):
        pacer.object(1.0)

    assert pacer.per_minute == pytest.approx(30, rel=0.05)


def test_the_rate_recovers_with_answers() -> None:
    """Answers bring the rate back, never above what is allowed."""
    clock = FakeClock()
    pacer = Pacer(60, clock)
    departures(pacer, clock, 60)
    pacer.object(1.0)
    for _ in range(50):
        pacer.succeeded()

    assert pacer.per_minute == 60


def test_a_sleeper_in_another_thread_heeds_an_objection() -> None:
    """A call that already waits for its turn when the 429 comes waits for its end, too."""
    clock = WallClock()
    pacer = Pacer(600, clock)
    pacer.wait()
    left: list[float] = []
    thread = threading.Thread(target=lambda: (pacer.wait(), left.append(time.monotonic())))
    start = time.monotonic()
    thread.start()
    time.sleep(0.02)
    pacer.object(0.5)
    thread.join()

    assert left[0] - start >= 0.5


def test_a_stopped_clock_wakes_all() -> None:
    """Told to stop, a waiting call ends at once and no other leaves."""
    clock = WallClock()
    pacer = Pacer(1, clock)
    pacer.wait()
    ended: list[bool] = []

    def wait() -> None:
        with pytest.raises(Stopped):
            pacer.wait()
        ended.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    clock.stop()
    thread.join(10)

    assert ended == [True]
    with pytest.raises(Stopped):
        Pacer(None, clock).wait()
