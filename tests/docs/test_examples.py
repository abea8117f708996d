"""The examples in docstrings are what happens."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import evalkit

PACKAGE = Path(evalkit.__file__).parent
EXAMPLES = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text("utf-8")]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_examples_in_docstrings_hold(path: Path) -> None:
    """Each example prints what its docstring says."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    failed, tried = doctest.testmod(importlib.import_module(".".join(parts)))

    assert tried
    assert not failed
