"""The guide to the measures: every worked example is run, and no measure is left out."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from evalkit.measures import MEASURES

GUIDE = Path(__file__).parents[1] / "docs" / "guide" / "measures.md"


def test_examples_are_right() -> None:
    """Every figure in the guide is what the code gives."""
    failed, tried = doctest.testfile(str(GUIDE), module_relative=False, encoding="utf-8")

    assert tried > 20
    assert failed == 0


@pytest.mark.parametrize("name", list(MEASURES))
def test_every_measure_is_explained(name: str) -> None:
    """Every registered measure is named in bold and has a worked example."""
    text = GUIDE.read_text("utf-8")

    assert f"**{name}" in text
    assert f'value("{name}' in text
