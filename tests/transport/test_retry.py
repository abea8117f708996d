"""The retry layer: it outlasts a minute, obeys the server, and gives up in the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evalkit.transport.pacing import Pacer
from evalkit.transport.retry import Exhausted, Refused, Retry, Transient, retry_after
from tests.transport.clocks import FakeClock


def failing(*failures: Exception) -> Callable[[], str]:
    """Return a call that fails in these ways, then answers."""
    left = list(failures)

    def send() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return send


def test_the_defaults_outlast_two_minutes_of_refusals() -> None:
    """A quota counted by the minute is waited out, however the waits are jittered."""
    for _ in range(500):
        clock = FakeClock()
        start = clock.now()

        def send(clock: FakeClock = clock, start: float = start) -> str:
            if clock.now() - start < 120:
                raise Transient("too many", too_many=True)
            return "answer"

        assert Retry().call(send, [(Pacer(None, clock), 1.0)], clock) == "answer"


def test_waits_grow_and_are_jittered() -> None:
    """Each wait is about twice the one before, up to the longest, and no two calls wait alike."""
    waits = [Retry().wait(attempt, None) for attempt in range(10)]

    assert all(0.75 * 2**attempt <= wait <= 1.25 * 2**attempt for attempt, wait in enumerate(waits[:5]))
    assert all(22.5 <= wait <= 37.5 for wait in waits[5:])
    assert len({Retry().wait(0, None) for _ in range(20)}) > 10


@pytest.mark.parametrize(("told", "least", "most"), [(7.5, 7.5, 7.5), (0.0, 0.75, 1.25), (None, 0.75, 1.25)])
def test_the_servers_word_goes_first(told: float | None, least: float, most: float) -> None:
    """A Retry-After is obeyed to the fraction; zero and none mean the own backoff."""
    clock = FakeClock()
    Retry().call(failing(Transient("busy", told)), [], clock)

    assert least <= sum(clock.slept) <= most


def test_it_gives_up_after_its_patience() -> None:
    """A call that keeps failing ends, and says how often it was asked."""
    clock = FakeClock()

    with pytest.raises(Exhausted, match=r"down; asked \d times"):
        Retry(patience=30).call(failing(*[Transient("down")] * 99), [], clock)

    assert 10 < sum(clock.slept) <= 30


def test_a_wait_longer_than_its_patience_is_named() -> None:
    """Told to wait for an hour it does not wait at all."""
    clock = FakeClock()

    with pytest.raises(Exhausted, match="asks to wait 3600 s"):
        Retry().call(failing(Transient("busy", 3600.0)), [], clock)

    assert clock.slept == []


def test_what_is_refused_is_not_asked_again() -> None:
    """Only what may pass is asked again."""
    with pytest.raises(Refused):
        Retry().call(failing(Refused("no"), AssertionError("asked again")), [], FakeClock())


def test_one_calls_server_error_does_not_hold_the_others() -> None:
    """A 500 makes its own call wait; a 429 makes the pool wait."""
    clock = FakeClock()
    pacer = Pacer(None, clock)
    Retry().call(failing(Transient("down")), [(pacer, 1.0)], clock)
    slept = sum(clock.slept)
    pacer.wait()

    assert sum(clock.slept) == slept
    assert pacer.per_minute > 1000


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1", 1.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("soon", None),
        (None, None),
        ("inf", None),
        ("nan", None),
    ],
)
def test_retry_after_is_read(value: str | None, seconds: float | None) -> None:
    """Whole, zero, fractional, absent or nonsense."""
    assert retry_after(value, 0.0) == seconds
