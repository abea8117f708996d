"""Simulations do thousands of small matrix products: one thread each, as the test workers share the cores."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """Keep the linear algebra of two workers from waiting for each other."""
    with threadpool_limits(1):
        yield
