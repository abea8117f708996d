"""How far several raters agree: Krippendorff's alpha over all, Cohen's kappa of each two."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from evalkit.records import Codes, Floats, Ints
from evalkit.words import plural

MAX_RATERS = 12  # kappas of each two: 66 rows


@dataclass(frozen=True)
class Kappa:
    """Cohen's kappa of two raters on the `n` pairs that both rated; NaN where both used one grade only."""

    first: str
    second: str
    kappa: float
    weighted: float
    n: int


@dataclass(frozen=True)
class Agreement:
    """Agreement on the `n` pairs that at least two raters rated.

    `alpha` is Krippendorff's, ordinal: 1 is perfect, 0 is chance, NaN where it is undefined (no pair was
    rated twice, or one grade only was used). `weighted` kappas weigh a disagreement by its square.
    """

    alpha: float
    n: int
    raters: int
    kappas: tuple[Kappa, ...]

    def __str__(self) -> str:
        """Read as `3 raters, 120 pairs rated by two or more: alpha .71`."""
        alpha = "undefined" if np.isnan(self.alpha) else f"{self.alpha:.3f}"
        rated = f"{plural(self.raters, 'rater')}, {plural(self.n, 'pair')} rated by two or more"
        return f"{rated}: Krippendorff's alpha {alpha}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; None is undefined."""
        kappas = [
            {
                "raters": [k.first, k.second],
                "kappa": _or_none(k.kappa),
                "weighted": _or_none(k.weighted),
                "n": k.n,
            }
            for k in self.kappas
        ]
        return {"alpha": _or_none(self.alpha), "n": self.n, "raters": self.raters, "kappas": kappas}


def agreement(unit: Ints, rater: Codes, names: list[str], grade: Codes) -> Agreement:
    """Return how far raters agree; each row says which unit (pair) got which grade from which rater.

    A rater's last grade of a unit counts. Alpha after Krippendorff (2011), "Computing Krippendorff's
    Alpha-Reliability", ordinal difference, by the library `krippendorff`; kappa after Cohen (1960 and 1968)
    by scikit-learn.
    """
    distinct, code = np.unique(unit, return_inverse=True)
    table: Floats = np.full((len(names), len(distinct)), np.nan)
    table[rater, code] = grade
    shared = (~np.isnan(table)).sum(axis=0) >= 2
    table = table[:, shared]
    kappas = tuple(
        _kappa(names[a], names[b], table[a], table[b])
        for a, b in itertools.combinations(range(min(len(names), MAX_RATERS)), 2)
        if (~np.isnan(table[a]) & ~np.isnan(table[b])).any()
    )
    return Agreement(_alpha(table), int(shared.sum()), len(names), kappas)


def _alpha(table: Floats) -> float:
    if len(np.unique(table[~np.isnan(table)])) < 2:
        return float("nan")
    import krippendorff

    return float(krippendorff.alpha(reliability_data=table, level_of_measurement="ordinal"))


def _kappa(first: str, second: str, a: Floats, b: Floats) -> Kappa:
    from sklearn.metrics import cohen_kappa_score

    both = ~np.isnan(a) & ~np.isnan(b)
    a, b = a[both].astype(int), b[both].astype(int)
    if len(np.unique(np.concatenate([a, b]))) < 2:
        return Kappa(first, second, float("nan"), float("nan"), len(a))
    plain, weighted = cohen_kappa_score(a, b), cohen_kappa_score(a, b, weights="quadratic")
    return Kappa(first, second, float(plain), float(weighted), len(a))


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value
