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


def mean_rows(
    judged: Mapping[str, Judged], values: Mapping[str, Mapping[str, Floats]], setting: Setting
) -> list[dict[str, Any]]:
    """Return, per pipeline, set of queries and measure, the mean, and what the unjudged could change.

    `lowest` and `highest` bound the mean over the ways in which unjudged candidates could turn out;
    `judged` is the share of judged documents among those that the measure looks at, `unjudged` how many it
    looks at that are not. None for measures that are neither good nor bad, such as Judged itself.
    """
    cells = [(name, measure) for name in values for measure in values[name]]
    columns = [values[name][measure] for name, measure in cells]
    quality = [measure for measure in dict.fromkeys(m for _, m in cells) if parse(measure).measure.better]
    shares = {name: f"Judged@{cutoff}" if (cutoff := cutoff_of(name)) else "Judged" for name in quality}
    limits = {name: bounds(one, quality) for name, one in judged.items()}
    looked = {name: evaluate(one, sorted({*shares.values()})) for name, one in judged.items()}
    rows = []
    for category, of, intervals in interval_sets(judged, columns, setting):
        for (name, measure), interval in zip(cells, intervals, strict=True):
            row = {"pipeline": name, "category": category, "measure": measure, **asdict(interval)}
            row |= {"undefined": len(of) - interval.n}
            row |= dict.fromkeys(("lowest", "highest", "judged", "unjudged"))
            if measure in quality:
                row["lowest"], row["highest"] = (mean_of(side[of]) for side in limits[name][measure])
                row["judged"] = mean_of(looked[name][shares[measure]][of])
                row["unjudged"] = int(_unjudged(judged[name], cutoff_of(measure))[of].sum())
            rows.append(row)
    return sorted(rows, key=lambda row: list(values).index(row["pipeline"]))


def _unjudged(judged: Judged, cutoff: int | None) -> Ints:
    """Return how many unjudged documents each query has down to the cut-off."""
    open_rows = ~judged.judged if cutoff is None else ~judged.judged & (judged.rank <= cutoff)
    counts = np.concatenate([[0], np.cumsum(open_rows)])
    return np.asarray(counts[judged.offsets[1:]] - counts[judged.offsets[:-1]])


def interval_sets(
    judged: Mapping[str, Judged], columns: Sequence[Floats], setting: Setting
) -> Iterator[tuple[str | None, Ints, list[Interval]]]:
    """Yield each set of queries with the interval of every column; all columns share their resamples."""
    table = np.column_stack(columns)
    for category, rows in query_sets(next(iter(judged.values())).category):
        yield category, rows, mean_intervals(table[rows], setting.seed, setting.level, setting.of(rows))


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
        "differing": difference.differing,
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
