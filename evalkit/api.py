"""The calls of `import evalkit`: measure, compare, calibrate, run, open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit import runs

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.data.python import QrelsLike, RunLike
    from evalkit.runs import RunDirectory


def compare(
    qrels: QrelsLike,
    runs: Mapping[str, RunLike],
    measures: Sequence[str],
    *,
    baseline: str | None = None,
    categories: Mapping[str, str] | None = None,
    groups: Mapping[str, str] | None = None,
    margins: Mapping[str, float] | None = None,
    tests: Sequence[str] = (),
    seed: int = 7,
) -> pd.DataFrame:
    """Compare runs with a baseline query by query: one row a run, measure and category ("" is all queries).

    `qrels` and runs are paths, DataFrames or dicts. `baseline` is the first run by default. `categories` and
    `groups` map query ids: differences are also told per category, and queries of one group count as one
    unit. `margins` (measure -> difference that would not matter) and `tests` ("t", "wilcoxon") add columns.
    The columns are those of `differences` in docs/guide/summary.md; the frame's `attrs["verdict"]` holds the
    verdict in sentences.

    Raises:
        InputError: runs, baseline, measures, margins or tests are wrong.
    """
    import pandas as pd

    from evalkit.data.python import qrels_of, run_of
    from evalkit.experiment.compare import Asked, Wish, compare_runs

    given = {name: run_of(name, one) for name, one in runs.items()}
    asked = Asked(categories or {}, groups or {})
    wish = Wish(measures, seed, tests, margins or {})
    summary = compare_runs(qrels_of(qrels), given, baseline or next(iter(given), ""), asked, wish)
    rows = [_flat(row) | {"category": row["category"] or ""} for row in summary["differences"]]
    frame = pd.DataFrame(rows)
    frame.attrs["verdict"] = summary["verdict"]
    return frame


def _flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested figures as columns: `bootstrap.low`, `tests.t.p_holm`, `margin.says`."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


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
