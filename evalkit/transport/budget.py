"""The budget: a call that could exceed what the user allows is not made."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

from evalkit.errors import ProviderError
from evalkit.pipelines.ports import Usage

Unit = Literal["search", "token", ""]
ROUNDING = 1e-9  # sums of prices are not exact: a budget may be used up to its last cent
RESUME = "Run again with a larger limit to resume: what was paid for is kept"


class OverBudget(ProviderError):
    """A call was not made, as it could exceed the budget; those before it still are."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call is billed, or is expected to be; `usd` is None where the price is unknown."""

    amount: float = 0.0
    unit: Unit = ""
    usd: float | None = 0.0

    @property
    def searches(self) -> float:
        """The search units in it."""
        return self.amount if self.unit == "search" else 0.0

    @property
    def tokens(self) -> float:
        """The billed tokens in it."""
        return self.amount if self.unit == "token" else 0.0


class Budget:
    """Adds to `usage` what calls cost, and stops before `max_units` search units or `max_usd` are exceeded.

    What is in flight is reserved at its expected cost. The stages of a run follow one another, so that each
    provider may have its own budget over the run's `usage`.
    """

    def __init__(self, usage: Usage, max_units: float | None, max_usd: float | None) -> None:
        self._usage = usage
        self._max_units = max_units
        self._max_usd = max_usd
        self._lock = threading.Lock()
        self._searches = 0.0  # reserved
        self._usd = 0.0

    def reserve(self, expected: Cost) -> None:
        """Set the expected cost of a call aside before it is made.

        Raises:
            OverBudget: with it the run could exceed its budget.
            ProviderError: it has no price to compare with the budget.
        """
        with self._lock:
            self._check_units(expected)
            self._check_usd(expected)
            self._searches += expected.searches
            self._usd += expected.usd or 0.0

    def settle(self, expected: Cost, billed: Cost | None) -> None:
        """Replace a reservation by what was billed; None: the call came to nothing."""
        with self._lock:
            self._searches -= expected.searches
            self._usd -= expected.usd or 0.0
            if billed is not None:
                self._usage.calls += 1
                self._usage.units += billed.searches
                self._usage.tokens += billed.tokens
                self._usage.usd += billed.usd or 0.0

    def _check_units(self, expected: Cost) -> None:
        if self._max_units is None:
            return
        used = self._usage.units + self._searches
        if not used + expected.searches <= self._max_units:
            raise OverBudget(
                f"stopped before a call that could exceed --max-units {self._max_units:g}: {used:g} search "
                f"units are used or under way, the call needs {expected.searches:g}. {RESUME}"
            )

    def _check_usd(self, expected: Cost) -> None:
        if self._max_usd is None:
            return
        if expected.usd is None:
            raise ProviderError(
                "--max-usd cannot be kept: the price of a model is unknown. Give it in the suite under "
                "`providers: {cohere: {catalog: ...}}`, or use --max-units"
            )
        used = self._usage.usd + self._usd
        if not used + expected.usd <= self._max_usd * (1 + ROUNDING):
            raise OverBudget(
                f"stopped before a call that could exceed --max-usd {self._max_usd:g}: ${used:.4f} are used "
                f"or under way, the call needs about ${expected.usd:.4f}. {RESUME}"
            )
