"""A pool of calls: paced, within budget, asked again where it helps, committed before they are used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from evalkit.errors import ProviderError
from evalkit.transport.budget import Budget, Cost, OverBudget
from evalkit.transport.clock import Stopped, WallClock
from evalkit.transport.ledger import Entry, Ledger
from evalkit.transport.pacing import Pacer
from evalkit.transport.retry import Exhausted, Refused, Retry

MAX_WORKERS = 16


class Invalid(Exception):
    """A response came with status 200 and cannot be believed; the message says why."""


@dataclass(frozen=True, slots=True)
class Received:
    """A response with status 200: its body as it came, its headers (names in lower case), its latency."""

    body: bytes
    headers: Mapping[str, str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Call:
    """One call to make.

    `send` makes it and raises `Transient`, `Refused` or, to end the whole run, `ProviderError`. `accept`
    turns a response into ledger entries or raises `Invalid`; `raw` makes the entry to keep then. `billed`
    reads what it cost. `inputs` is what the call counts for at a limit of inputs a minute.
    """

    keys: tuple[str, ...]
    expected: Cost
    send: Callable[[], Received]
    accept: Callable[[Received], Sequence[Entry]]
    raw: Callable[[Received], Entry]
    billed: Callable[[bytes], Cost]
    inputs: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the call for `keys`: its entries by key, or why there are none."""

    keys: tuple[str, ...]
    entries: Mapping[str, Entry] = field(default_factory=dict)
    failure: str | None = None
    from_ledger: bool = False


class Pool:
    """Makes calls in up to `workers` threads.

    The first call goes alone: a wrong key or a used-up quota costs one call, and the limits that a trial
    key's first answer tells are known before the others leave. `pacers` is where pools that ask the same
    server one after another keep what left in the last minute.
    """

    def __init__(
        self,
        ledger: Ledger,
        budget: Budget,
        *,
        requests: float | None,
        inputs: float | None = None,
        pacers: dict[str, Pacer] | None = None,
        retry: Retry,
        workers: int = MAX_WORKERS,
        on_answer: Callable[[Received, Pacer], Any] | None = None,
    ) -> None:
        self._ledger = ledger
        self._budget = budget
        self._retry = retry
        self._workers = min(workers, MAX_WORKERS)
        self._on_answer = on_answer
        self._clock = WallClock()
        known = {} if pacers is None else pacers
        self._requests = self._pacer(known, "requests", requests)
        self._inputs = self._pacer(known, "inputs", inputs) if inputs else None
        self._lock = threading.Lock()
        self._answers = 0
        self._gone: str | None = None

    def run(self, calls: Sequence[Call]) -> Iterator[Outcome]:
        """Yield the outcome of each call, in the order in which they end.

        Raises:
            ProviderError: the key, the quota, the budget, the ledger or the server makes it pointless to go
                on; what is in flight is still received and kept.
        """
        if not calls:
            return
        first = self._one(calls[0])
        if self._gone:
            raise ProviderError(f"{self._gone}. Run again to resume")
        yield first
        with ThreadPoolExecutor(self._workers, thread_name_prefix="evalkit") as executor:
            futures = [executor.submit(self._one, call) for call in calls[1:]]
            over: OverBudget | None = None
            try:
                for future in as_completed(futures):
                    try:
                        outcome = future.result()
                    except OverBudget as error:
                        over = over or error  # the calls that the budget still allows are under way
                        continue
                    yield outcome
                if over:
                    raise over
            finally:  # after the last one, an error, Ctrl-C, or a reader who has left
                self._clock.stop()
                executor.shutdown(wait=False, cancel_futures=True)

    def _one(self, call: Call) -> Outcome:
        try:
            return self._ask(call)
        except OverBudget:
            raise
        except BaseException:
            self._clock.stop()  # at once, not when the reader of the outcomes gets to this one
            raise

    def _ask(self, call: Call) -> Outcome:
        if self._gone:
            return Outcome(call.keys, failure=f"not asked, as the server stopped answering: {self._gone}")
        found = self._ledger.get_many(call.keys)  # another process may have asked meanwhile
        if len(found) == len(call.keys):
            return Outcome(call.keys, found, from_ledger=True)
        self._budget.reserve(call.expected)
        billed: Cost | None = None
        answers = self._answers
        try:
            received = self._retry.call(call.send, self._paced(call), self._clock)
            billed = call.billed(received.body)
            self._note(received)
            return self._keep(call, received)
        except Exhausted as given_up:
            if self._answers == answers:
                self._gone = str(given_up)
            return Outcome(call.keys, failure=str(given_up))
        except Refused as refusal:
            return Outcome(call.keys, failure=str(refusal))
        except Stopped:
            return Outcome(call.keys, failure="not asked, as the run was stopped")
        finally:
            self._budget.settle(call.expected, billed)

    def _keep(self, call: Call, received: Received) -> Outcome:
        try:
            entries = call.accept(received)
        except Invalid as reason:
            self._ledger.quarantine(call.raw(received), str(reason))
            return Outcome(
                call.keys, failure=f"the response was not usable and is kept in quarantine: {reason}"
            )
        self._ledger.put_many(entries)
        return Outcome(call.keys, {entry.key: entry for entry in entries})

    def _paced(self, call: Call) -> list[tuple[Pacer, float]]:
        inputs = [(self._inputs, float(call.inputs))] if self._inputs else []
        return [(self._requests, 1.0), *inputs]

    def _pacer(self, known: dict[str, Pacer], what: str, per_minute: float | None) -> Pacer:
        pacer = known.setdefault(what, Pacer(per_minute, self._clock))
        pacer.clock = self._clock
        return pacer

    def _note(self, received: Received) -> None:
        with self._lock:
            self._answers += 1
        if self._on_answer:
            self._on_answer(received, self._requests)
