"""Calibrations are many small matrix products: one thread each, as the test workers share the cores."""

from tests.simulation.conftest import one_thread

__all__ = ["one_thread"]
