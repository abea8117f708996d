"""The budget: what could exceed it is not asked for, however many ask at once."""

from __future__ import annotations

import math
import threading

import pytest

from evalkit.errors import ProviderError
from evalkit.pipelines.ports import Usage
from evalkit.transport.budget import Budget, Cost

SEARCH = Cost(1.0, "search", 0.002)


def test_calls_stop_at_the_units() -> None:
    """Ten search units are ten calls of one; the eleventh is not made."""
    usage = Usage()
    budget = Budget(usage, 10, None)
    for _ in range(10):
        budget.reserve(SEARCH)
        budget.settle(SEARCH, SEARCH)

    with pytest.raises(ProviderError, match="--max-units 10"):
        budget.reserve(SEARCH)
    assert (usage.units, usage.calls) == (10, 10)


def test_what_is_under_way_counts() -> None:
    """Calls of many threads reserve before they leave: together they never exceed the budget."""
    budget = Budget(Usage(), None, 0.1)
    made: list[bool] = []

    def ask() -> None:
        try:
            budget.reserve(SEARCH)
            made.append(True)
        except ProviderError:
            made.append(False)

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert made.count(True) == 50


def test_a_call_that_came_to_nothing_is_given_back() -> None:
    """A failed call's reservation is free again."""
    budget = Budget(Usage(), 1, None)
    budget.reserve(SEARCH)
    with pytest.raises(ProviderError):
        budget.reserve(SEARCH)
    budget.settle(SEARCH, None)
    budget.reserve(SEARCH)

    with pytest.raises(ProviderError):
        budget.reserve(SEARCH)


def test_the_bill_replaces_the_estimate() -> None:
    """What was billed counts, not what was expected."""
    usage = Usage()
    budget = Budget(usage, None, None)
    budget.reserve(SEARCH)
    budget.settle(SEARCH, Cost(3.0, "search", 0.006))

    assert (usage.units, usage.usd) == (3.0, 0.006)


def test_tokens_are_no_search_units() -> None:
    """`--max-units` counts searches; tokens are bounded by their price."""
    usage = Usage()
    budget = Budget(usage, 1, None)
    tokens = Cost(5000.0, "token", 0.0006)
    budget.reserve(tokens)
    budget.settle(tokens, tokens)

    assert (usage.units, usage.tokens) == (0.0, 5000.0)


def test_an_unknown_price_cannot_be_bounded() -> None:
    """With `--max-usd` a model without a price is not asked, and the message says what to do."""
    with pytest.raises(ProviderError, match="price of a model is unknown"):
        Budget(Usage(), None, 5.0).reserve(Cost(1.0, "search", None))


@pytest.mark.parametrize("limits", [(math.nan, None), (None, math.nan)])
def test_no_number_allows_nothing(limits: tuple[float | None, float | None]) -> None:
    """A limit that is not a number is not no limit."""
    with pytest.raises(ProviderError, match="nan"):
        Budget(Usage(), *limits).reserve(SEARCH)
