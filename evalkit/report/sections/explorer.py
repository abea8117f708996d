"""The threshold explorer: what every cut would do, for each category of each pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evalkit.records import Floats, Ints
from evalkit.report.escape import visible
from evalkit.report.figures import level, short
from evalkit.report.section import Content, section
from evalkit.report.view import View
from evalkit.thresholds.curve import Curve
from evalkit.thresholds.goals import CRITERIA, LOSSES
from evalkit.thresholds.heldout import LEVEL

ALL = ""  # how the page's data names all queries together
POINTS = 160  # thresholds of a curve in the page; the recommended one is always among them


@section("explorer", "Threshold explorer", order=60)
def explorer(view: View) -> Content | None:
    """Every pipeline's curves; the figures at a threshold are the curve's, none is computed in the page."""
    names = [name for name in view.pipelines if name in view.policies]
    if not names:
        return None
    return {
        "pipelines": sorted(names, key=lambda name: name != view.subject),
        "categories": view.categories,
        "rules": {name: str(rule) for name in names if (rule := view.rule(name))},
        "data": {
            visible(name): {
                visible(category or ALL): curve_points(view.curve(name, category), view.entry(name, category))
                for category in (None, *view.categories)
            }
            for name in names
        },
    }


def curve_points(curve: Curve, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the curve's figures at some of its thresholds, and where the recommended cut stands among them.

    `precision` is the mean over queries that keep something, `recall` the mean over queries with a relevant
    candidate, `kept` documents a query, `lost` and `false` counts of queries out of `answerable` and
    `negative`. Queries without scores are left out.
    """
    counts = np.asarray(~curve.failed)[curve.states.query]
    thresholds, kept = curve.sums(np.where(counts, curve.states.kept, 0.0))
    precision, nonempty = (
        curve.sums(np.where(counts, part, 0.0))[1] for part in _criterion(curve, "precision")
    )
    recall, answerable = (curve.sums(np.where(counts, part, 0.0))[1] for part in _criterion(curve, "recall"))
    lost = curve.sums(np.where(counts, LOSSES["lost_answer"]().of(curve.states), 0.0))[1]
    negative = curve.negative & ~curve.failed
    false = LOSSES["false_answer"]().of(curve.states) * negative[curve.states.query]
    chosen = _sample(thresholds, entry["threshold"])
    queries = int((~curve.failed).sum())
    return {
        "queries": queries,
        "answerable": int(answerable[0]) if len(answerable) else 0,
        "negative": int(negative.sum()),
        "threshold": thresholds[chosen].tolist(),
        "kept": _figures(kept[chosen] / max(queries, 1)),
        "precision": _figures(_ratio(precision, nonempty)[chosen]),
        "recall": _figures(_ratio(recall, answerable)[chosen]),
        "lost": np.rint(lost[chosen]).astype(int).tolist(),
        "false": np.rint(curve.sums(false)[1][chosen]).astype(int).tolist(),
        "cut": _place(thresholds[chosen], entry["threshold"]),
        "recommended": entry["threshold"],
        "status": entry["status"],
        "band": band(entry),
    }


def band(entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what is shaded around the recommended cut, and what that is; None where nothing is known.

    For an estimate it is the interval of the threshold over resampled queries. For a promise it is no
    interval at all but the cuts that keep the promise too; an end of None is open.
    """
    spread, held = entry.get("estimates", {}).get("threshold", {}), entry.get("reach")
    if entry["threshold"] is None:
        return None
    if held is not None:
        scope = ", for the mixture whose promise it is" if entry["status"] == "fallback" else ""
        told = (
            f"every cut {_from_to(held)} keeps the promise too, all of them at once{scope}. That is no "
            "interval of where the best cut lies"
        )
        return {"low": held["low"], "high": held["high"], "key": "cuts that keep the promise", "told": told}
    if spread.get("low") is None or spread.get("high") is None:
        return None
    told = f"{level(LEVEL)} of the cuts chosen on resampled queries lie {_from_to(spread)}"
    return {"low": spread["low"], "high": spread["high"], "key": "its interval", "told": told}


def _from_to(ends: Mapping[str, Any]) -> str:
    low, high = (short(ends[end], 4) for end in ("low", "high"))
    if ends["low"] is None:
        return f"up to {high}" if ends["high"] is not None else "there is"
    return f"from {low} on" if ends["high"] is None else f"from {low} to {high}"


def _criterion(curve: Curve, name: str) -> tuple[Floats, Floats]:
    return CRITERIA[name]().of(curve.states)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(denominator > 0, numerator / denominator, np.nan))


def _sample(thresholds: Floats, recommended: float | None) -> Ints:
    """Return which thresholds to show: even by rank and even by score, the ends, the recommended one."""
    last = len(thresholds) - 1
    if last < POINTS:
        return np.arange(last + 1)
    by_rank = np.linspace(0, last, POINTS // 2).astype(np.int64)
    by_score = np.searchsorted(thresholds, np.linspace(thresholds[0], thresholds[-1], POINTS // 2))
    own = _place(thresholds, recommended)
    return np.unique(np.concatenate([by_rank, by_score.clip(0, last), [last if own is None else own]]))


def _place(thresholds: Floats, recommended: float | None) -> int | None:
    """Return the threshold that keeps what the recommended one keeps: the first at or above it."""
    if recommended is None or not len(thresholds):
        return None
    return int(np.searchsorted(thresholds, recommended).clip(0, len(thresholds) - 1))


def _figures(values: Floats) -> list[float | None]:
    """Return values to four decimals, None where undefined."""
    return [None if value != value else round(value, 4) for value in values.tolist()]
