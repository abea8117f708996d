"""The calls of `import evalkit`: measure, compare, calibrate, run, open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from evalkit import runs

if TYPE_CHECKING:
    from evalkit.runs import RunDirectory


def run(suite: str | Path, out: str | Path | None = None) -> RunDirectory:
    """Run a suite (a `suite.yaml` or its folder) and return the opened run directory.

    Raises:
        EvalkitError: as `evalkit run` would tell it.
    """
    from evalkit.experiment.run import run as run_suite

    return run_suite(suite, out)


def open(folder: str | Path) -> RunDirectory:  # noqa: A001  evalkit.open reads so
    """Open a run directory.

    Raises:
        InputError: there is none, it is incomplete, of another schema, or changed since it was written.
    """
    return runs.read(folder)
