"""The documented fault matrix is the tested one."""

from __future__ import annotations

from tests.faults.table import PATH, render


def test_the_documented_matrix_is_current() -> None:
    """`docs/faults.md` is what `python -m tests.faults.table` writes."""
    assert PATH.read_text("utf-8") == render()
