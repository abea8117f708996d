"""Rows of `summary.json`: means and differences as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evalkit.measures import evaluate, parse
from evalkit.measures.unjudged import bounds
from evalkit.records import Floats, Interval, Ints, Judged
from evalkit.stats.compare import Difference, query_sets
from evalkit.stats.heterogeneity import heterogeneity
from evalkit.stats.power import DIFFERENCES, queries_needed
from evalkit.stats.resample import LEVEL, mean_intervals
from evalkit.stats.significance import holm


@dataclass(frozen=True, slots=True)
class Setting:
    """What all figures of a summary share: the seed, the level, and which queries are not independent."""

    seed: int
    level: float = LEVEL
    clusters: Ints | None = None

    def of(self, rows: Ints) -> Ints | None:
        """Return the cluster labels of some queries."""
        return None if self.clusters is None else self.clusters[rows]


def interval_row(interval: Interval) -> dict[str, Any]:
    """Return a figure with its ends."""
    return {"point": interval.point, "low": interval.low, "high": interval.high}


def mean_rows(judged: Judged, values: Mapping[str, Floats], setting: Setting) -> Iterator[dict[str, Any]]:
    """Yield, per set of queries and measure, the mean with its interval, and what the unjudged could change.

    `lowest` and `highest` bound the mean over the ways in which unjudged candidates could turn out;
    `judged` is the share of judged documents among those that the measure looks at. None for measures that
    are neither good nor bad, such as Judged itself.
    """
    measures = list(values)
    quality = [name for name in measures if parse(name).measure.better]
    limits = bounds(judged, quality)
    shares = {name: f"Judged@{cutoff}" if (cutoff := cutoff_of(name)) else "Judged" for name in quality}
    judged_shares = evaluate(judged, sorted(set(shares.values())))
    for category, rows in query_sets(judged.category):
        table = np.column_stack([values[name][rows] for name in measures])
        intervals = mean_intervals(table, setting.seed, setting.level, setting.of(rows))
        for name, interval in zip(measures, intervals, strict=True):
            low, high = (side[rows] for side in limits.get(name, (values[name], values[name])))
            yield {
                "category": category,
                "measure": name,
                **asdict(interval),
                "undefined": len(rows) - interval.n,
                "lowest": mean_of(low) if name in limits else None,
                "highest": mean_of(high) if name in limits else None,
                "judged": mean_of(judged_shares[shares[name]][rows]) if name in shares else None,
            }


def difference_row(difference: Difference, baseline: str, alpha: float) -> dict[str, Any]:
    """Return a difference as plain data."""
    interval, margin = difference.interval, difference.margin
    return {
        "pipeline": difference.system,
        "baseline": baseline,
        "category": difference.category,
        "measure": difference.measure,
        **asdict(interval),
        "bootstrap": interval_row(difference.bootstrap) | {"method": difference.bootstrap.method},
        "p": difference.p,
        "p_holm": difference.p_holm,
        "shown": difference.shown,
        "tests": {
            name: {"p": p, "p_holm": difference.p_other_holm[name]} for name, p in difference.p_other.items()
        },
        "effect_size": difference.effect_size,
        "deviation": difference.deviation,
        "better": difference.better,
        "wins": difference.wins,
        "ties": difference.ties,
        "losses": difference.losses,
        "undefined": difference.undefined,
        "units": difference.units,
        "thin": difference.thin,
        "detectable": difference.detectable,
        "queries_needed": {f"{d:g}": queries_needed(difference.deviation, d, alpha) for d in DIFFERENCES},
        "margin": margin and asdict(margin) | {"says": margin.says(alpha)},
    }


def heterogeneity_rows(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """Return, per system and measure, the test that all categories have one difference.

    p is Welch's form of Cochran's Q, `p_holm` corrected over these rows. `left_out` names categories without
    spread or with one query. Nothing where there are fewer than two categories.
    """
    cells: dict[tuple[str, str], list[Difference]] = {}
    for one in differences:
        if one.category is not None:
            cells.setdefault((one.system, one.measure), []).append(one)
    rows = []
    for (system, measure), ones in cells.items():
        if len(ones) < 2:
            continue
        variances = np.array([one.deviation**2 / max(one.interval.n, 1) for one in ones])
        sizes = np.array([float(one.units) for one in ones])
        found = heterogeneity(np.array([one.interval.point for one in ones]), variances, sizes)
        row = {name: getattr(found, name) for name in ("q", "freedom", "p", "i_squared", "tau_squared")}
        left_out = [one.category for one, used in zip(ones, found.used, strict=True) if not used]
        rows.append({"pipeline": system, "measure": measure, **row, "left_out": left_out})
    adjusted = holm(np.array([row["p"] for row in rows], dtype=np.float64))
    return [row | {"p_holm": float(p)} for row, p in zip(rows, adjusted, strict=True)]


def mean_of(values: Floats) -> float:
    """Return the mean of what is defined; NaN where nothing is."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def cutoff_of(name: str) -> int | None:
    """Return how many ranks a measure looks at; None: all."""
    cutoff = parse(name).parameters.get("cutoff")
    return cutoff if isinstance(cutoff, int) else None
