"""Judgments and runs as Python programs hold them: paths, DataFrames, dicts of dicts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.data.sources import qrels_from, run_from
from evalkit.records import Qrels, Run

if TYPE_CHECKING:
    import pandas as pd

    QrelsLike = str | Path | pd.DataFrame | Mapping[str, Mapping[str, int]]
    RunLike = str | Path | pd.DataFrame | Mapping[str, Mapping[str, float]]


def qrels_of(given: QrelsLike) -> Qrels:
    """Return judgments from a file, a DataFrame `query_id, doc_id, grade`, or a dict of dicts.

    Raises:
        InputError: as `evalkit.data.sources.qrels_from`.
    """
    return qrels_from(given)


def run_of(name: str, given: RunLike) -> Run:
    """Return a run from a file, a DataFrame `query_id, doc_id, score`, or a dict of dicts.

    Raises:
        InputError: as `evalkit.data.sources.run_from`.
    """
    return run_from(given, name)
