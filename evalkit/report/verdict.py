"""The decision in sentences: what the first screen, the pull request and the terminal say first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def verdict(summary: Mapping[str, Any], measure: str) -> list[str]:
    """Return one sentence a pipeline against the baseline, on `measure`, over all queries.

    A difference whose interval holds zero is said to be none that these queries can show.
    """
    return [_sentence(row) for row in summary["differences"] if _overall(row, measure)]


def _overall(row: Mapping[str, Any], measure: str) -> bool:
    return row["measure"] == measure and row["category"] is None


def _sentence(row: Mapping[str, Any]) -> str:
    name, baseline, measure, n = row["pipeline"], row["baseline"], row["measure"], row["n"]
    if row["low"] is None or row["low"] != row["low"]:
        return f"{name} cannot be compared with {baseline}: {n} queries have {measure} in both."
    figures = f"{row['point']:+.3f} {measure} [{row['low']:+.3f}, {row['high']:+.3f}]"
    if row["low"] > 0:
        return f"{name} beats {baseline}: {figures} over {n} queries."
    if row["high"] < 0:
        return f"{name} is worse than {baseline}: {figures} over {n} queries."
    return f"{name} shows no difference from {baseline} in {n} queries: {figures}."
