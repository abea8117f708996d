"""`docs/faults.md` from the names of the tests: `python -m tests.faults.table` writes it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from evalkit.sandbox.faults import Kind
from evalkit.sandbox.faults import __doc__ as script
from tests.faults import test_disk, test_kill, test_matrix
from tests.faults.matrix import EMBED_ROWS, ROWS

PATH = Path(__file__).parents[2] / "docs" / "faults.md"
HEAD = """\
# Faults

What happens when the API, the network, the disk or the process fails. Every line is a test: `evalkit run` (or
what stands in the last column) against a server on loopback, with the real SDK. Exit 3 means that the run is
incomplete: run it again, and it asks only for what is missing. This file is made from the tests' names by
`python -m tests.faults.table`, and a test checks that it is current.

| fault | what evalkit does | exit | test |
|---|---|---|---|
"""


def render() -> str:
    """Return the content of `docs/faults.md`."""
    return HEAD + "".join(f"| {' | '.join(cells)} |\n" for cells in _rows()) + _script()


def _rows() -> Iterator[tuple[str, str, str, str]]:
    for row in ROWS:
        yield row.name, row.does, str(row.exit), _test(test_matrix, "test_fault_of_a_rerank_call")
    for row in EMBED_ROWS:
        yield (
            row.name,
            row.does,
            "3",
            _test(test_matrix, "test_fault_of_an_embed_call"),
        )
    for module in (test_matrix, test_disk, test_kill):
        for name, test in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("test_") and not name.startswith("test_fault_of"):
                sentence = " ".join((inspect.getdoc(test) or "").split())
                yield name.removeprefix("test_").replace("_", " "), sentence, "", _test(module, name)


def _test(module: object, name: str) -> str:
    file = getattr(module, "__name__", "").rpartition(".")[2]
    return f"`{file}.py::{name}`"


def _script() -> str:
    kinds = ", ".join(f"`{kind}`" for kind in get_args(Kind))
    told = inspect.cleandoc(script or "").partition("\n\n")[2]
    return f"""
## Break it yourself

`evalkit sandbox --faults FILE` serves Cohere's API on loopback with the faults of a script. {told}

The faults are {kinds}.
"""


if __name__ == "__main__":
    PATH.write_text(render(), "utf-8")
