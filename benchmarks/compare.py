"""Resampling 5 systems x 8 measures x 1,000 queries 10,000 times, against the plain ways to do it."""

from __future__ import annotations

from itertools import count

import numpy as np

from benchmarks.table import Row, at_most, publish, seconds
from evalkit.records import Floats
from evalkit.stats.compare import Plan, compare
from evalkit.stats.resample import REPLICATES, bca, bootstrap_means
from evalkit.stats.units import Units

SYSTEMS, MEASURES, QUERIES, CATEGORIES = 5, 8, 1_000, 8


def plain(values: Floats, rng: np.random.Generator) -> Floats:
    """Return the means of resampled rows, one resample after the other."""
    n = len(values)
    return np.array([values[rng.integers(0, n, n)].mean(axis=0) for _ in range(REPLICATES)])


def scipys(values: Floats, rng: np.random.Generator) -> None:
    """Compute the same intervals with `scipy.stats.bootstrap`, in batches that fit in memory."""
    from scipy.stats import bootstrap

    bootstrap((values,), np.mean, axis=0, n_resamples=REPLICATES, batch=100, rng=rng, vectorized=True)


def rows() -> list[Row]:
    """Measure what a comparison costs."""
    rng = np.random.default_rng(1)
    values = rng.beta(2, 2, (QUERIES, SYSTEMS * MEASURES))
    units = Units.of(values)
    seeds = count()  # a new one each time: resamples that were drawn before are at hand
    means = seconds(lambda: bootstrap_means(units, next(seeds)))
    intervals = seconds(lambda: bca(units, next(seeds)))
    by_hand = seconds(lambda: plain(values, np.random.default_rng(1)), 3)
    by_scipy = seconds(lambda: scipys(values, np.random.default_rng(1)), 1)
    table = values.reshape(QUERIES, SYSTEMS, MEASURES)
    systems = {f"s{s}": {f"m{m}": table[:, s, m] for m in range(MEASURES)} for s in range(SYSTEMS)}
    labels = [f"c{query % CATEGORIES}" for query in range(QUERIES)]
    whole = seconds(lambda: compare(systems, "s0", labels, Plan(seed=1)), 3)
    family = (SYSTEMS - 1) * MEASURES * (1 + CATEGORIES)
    return [
        at_most("10,000 resamples, BCa intervals of all 40 figures", intervals, 1, "s"),
        Row("... the resampled means alone", f"{means:.2f} s", "", None),
        Row(
            "plain NumPy, one resample after the other (means alone)",
            f"{by_hand / means:.1f} times",
            "",
            None,
        ),
        Row("`scipy.stats.bootstrap`, BCa, same resamples", f"{by_scipy / intervals:.0f} times", "", None),
        Row(f"a whole comparison, {family} of them: intervals, tests, Holm", f"{whole:.2f} s", "", None),
    ]


def main() -> None:
    """Print the table, and write it with `--write`."""
    title = "Resampling: 5 systems x 8 measures x 1,000 queries"
    publish("compare", title, rows(), "The peers' rows are their time over ours.")


if __name__ == "__main__":
    main()
