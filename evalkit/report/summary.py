"""`summary.json`: every headline figure with its interval and its number of queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from evalkit.measures import evaluate
from evalkit.records import Floats, Judged
from evalkit.report.ceilings import perfect_order
from evalkit.report.verdict import verdict
from evalkit.stats.resample import mean_interval

SCHEMA = "evalkit.summary/1"
Values = Mapping[str, Floats]  # measure -> one value a query


def summarise(
    judged: Mapping[str, Judged],
    values: Mapping[str, Values],
    baseline: str,
    depth: int,
    seed: int,
) -> dict[str, Any]:
    """Return the content of `summary.json` for pipelines over the same queries.

    `values[pipeline][measure]` is in the order of `judged[pipeline].query_ids`, which all pipelines share.
    """
    measures = list(values[baseline])
    summary = {
        "schema": SCHEMA,
        "baseline": baseline,
        "measures": [
            {"pipeline": name, "category": category, "measure": measure}
            | _mean(values[name][measure][rows], seed)
            for name in values
            for category, rows in groups(judged[name])
            for measure in measures
        ],
        "differences": [
            {"pipeline": name, "baseline": baseline, "category": category, "measure": measure}
            | _difference(values[name][measure][rows], values[baseline][measure][rows], seed)
            for name in values
            if name != baseline
            for category, rows in groups(judged[name])
            for measure in measures
        ],
        "ceilings": [
            {"pipeline": name, "category": category} | ceiling
            for name in values
            for category, ceiling in _ceilings(judged[name], measures, depth)
        ],
    }
    return {"verdict": verdict(summary, measures[0])} | summary


def groups(judged: Judged) -> Iterator[tuple[str | None, np.ndarray[Any, np.dtype[np.int64]]]]:
    """Yield (None, all queries), then each category by name with the positions of its queries."""
    yield None, np.arange(len(judged.query_ids))
    categories = np.array(judged.category)
    for category in sorted(set(judged.category) - {""}):
        yield category, np.flatnonzero(categories == category)


def _mean(values: Floats, seed: int) -> dict[str, Any]:
    interval = mean_interval(values, np.random.default_rng(seed))
    return {
        "point": interval.point,
        "low": interval.low,
        "high": interval.high,
        "level": interval.level,
        "method": interval.method,
        "n": interval.n,
        "undefined": int(np.isnan(values).sum()),
    }


def _difference(values: Floats, baseline: Floats, seed: int) -> dict[str, Any]:
    difference = values - baseline
    return _mean(difference, seed) | {
        "wins": int((difference > 0).sum()),
        "ties": int((difference == 0).sum()),
        "losses": int((difference < 0).sum()),
    }


def _ceilings(
    judged: Judged, measures: Sequence[str], depth: int
) -> Iterator[tuple[str | None, dict[str, Any]]]:
    recall = evaluate(judged, [f"R@{depth}"])[f"R@{depth}"]
    perfect = evaluate(perfect_order(judged), measures)
    for category, rows in groups(judged):
        defined = rows[~np.isnan(recall[rows])]
        yield (
            category,
            {
                "recall_at_depth": float(recall[defined].mean()) if len(defined) else None,
                "perfect_order": {
                    name: float(np.nanmean(perfect[name][rows]))
                    if not np.isnan(perfect[name][rows]).all()
                    else None
                    for name in measures
                },
                "n": len(defined),
            },
        )
