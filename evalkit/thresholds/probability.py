"""From scores to probabilities of relevance: fitted, chosen and judged on queries held out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evalkit.records import Bools, Floats, Interval, Ints, Judged
from evalkit.thresholds.groups import OVERALL, members
from evalkit.thresholds.optimum import Scale, percentiles

FOLDS = 5
BINS = 10
FEWEST = 10  # queries, and relevant and irrelevant documents, for a fit
REPLICATES = 1_000
TINY = 1e-6  # probabilities are kept this far from 0 and 1, so that one surprise does not cost everything

Predict = Callable[[Floats], Floats]


@dataclass(frozen=True, eq=False)
class Reliability:
    """The bins of a reliability diagram: equally filled, by predicted probability."""

    predicted: Floats
    observed: Floats
    count: Ints


@dataclass(frozen=True, eq=False)
class Probability:
    """A map from scores to probabilities, and how good it was on queries that did not fit it.

    `log_loss` has every method that was tried; `method` is the best. `brier` and `ece` (expected calibration
    error over equally filled bins) are means over judged pairs with intervals that resample queries.
    """

    method: str
    predict: Predict
    log_loss: Mapping[str, float]
    brier: Interval
    ece: Interval
    reliability: Reliability

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the map itself as plain data."""
        return {
            "method": self.method,
            "log_loss": dict(self.log_loss),
            "brier": asdict(self.brier),
            "ece": asdict(self.ece),
            "reliability": {name: values.tolist() for name, values in vars(self.reliability).items()},
        }


def probabilities(judged: Judged, scale: Scale, seed: int) -> dict[str, Probability]:
    """Fit one map for all queries ("overall") and one for each category that has evidence enough.

    Only judged candidates count: an unjudged one is neither relevant nor not.
    """
    query, found = judged.query, {}
    everybody = np.arange(len(judged.query_ids))
    for name, where in {OVERALL: everybody, **members(judged.category)}.items():
        rows = judged.judged & np.isin(query, where)
        relevant = judged.relevant[rows]
        enough = min(len(np.unique(query[rows])), int(relevant.sum()), int((~relevant).sum()))
        if enough >= FEWEST:
            found[name] = fit(judged.score[rows], relevant, query[rows], scale, seed)
    return found


def fit(score: Floats, relevant: Bools, query: Ints, scale: Scale, seed: int) -> Probability:
    """Fit every method, choose by log loss on held-out queries, and report that method's held-out figures.

    The choice among three methods is made on the figures that are reported: they are that much too good,
    which with three smooth maps is little.
    """
    rng = np.random.default_rng(seed)
    x = scale.real(score)
    _, owner = np.unique(query, return_inverse=True)
    fold = (rng.permutation(owner.max() + 1) % FOLDS)[owner]
    held = {name: _held_out(method, x, relevant, fold) for name, method in METHODS.items()}
    losses = {name: _log_loss(predicted, relevant) for name, predicted in held.items()}
    best = min(losses, key=lambda name: losses[name])
    fitted = METHODS[best](x, relevant)
    return Probability(
        best,
        lambda new: fitted(scale.real(new)),
        losses,
        _interval(held[best], relevant, owner, rng, _brier),
        _interval(held[best], relevant, owner, rng, _ece),
        reliability(held[best], relevant),
    )


def isotonic(x: Floats, relevant: Bools) -> Predict:
    """The best non-decreasing map (pool adjacent violators); constant beyond the scores seen."""
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(y_min=TINY, y_max=1 - TINY, out_of_bounds="clip").fit(x, relevant)

    def predict(new: Floats) -> Floats:
        return np.asarray(model.predict(new), dtype=np.float64)

    return predict


def logistic(x: Floats, relevant: Bools) -> Predict:
    """A logistic curve in the log-odds of the score (Platt)."""
    return _logistic(x, relevant, lambda new: new[:, None])


def beta(x: Floats, relevant: Bools) -> Predict:
    """A logistic curve in log s and -log(1 - s) (Kull, Silva Filho and Flach, AISTATS 2017).

    Both coefficients must be positive for a rising curve; where one is not its term is left out.
    """

    def log_s(new: Floats) -> Floats:
        return np.asarray(-np.logaddexp(0, -new)[:, None])

    def log_rest(new: Floats) -> Floats:
        return np.asarray(np.logaddexp(0, new)[:, None])

    def both(new: Floats) -> Floats:
        return np.hstack([log_s(new), log_rest(new)])

    fitted = _logistic(x, relevant, both)
    low, middle, high = (float(fitted(np.quantile(x, [q]))[0]) for q in (0.0, 0.5, 1.0))
    if low <= middle <= high:
        return fitted
    return _logistic(x, relevant, log_s if low <= middle else log_rest)


METHODS: Mapping[str, Callable[[Floats, Bools], Predict]] = {
    "isotonic": isotonic,
    "logistic": logistic,
    "beta": beta,
}


def _logistic(x: Floats, relevant: Bools, features: Callable[[Floats], Floats]) -> Predict:
    from sklearn.linear_model import LogisticRegression

    terms = features(x)
    centre, spread = terms.mean(axis=0), terms.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    model = LogisticRegression(C=100.0, max_iter=1000).fit((terms - centre) / spread, relevant)

    def predict(new: Floats) -> Floats:
        probability = model.predict_proba((features(new) - centre) / spread)[:, 1]
        return np.asarray(np.clip(probability, TINY, 1 - TINY), dtype=np.float64)

    return predict


def _held_out(method: Callable[[Floats, Bools], Predict], x: Floats, relevant: Bools, fold: Ints) -> Floats:
    predicted = np.full(len(x), float(relevant.mean()))
    for f in range(FOLDS):
        train, test = fold != f, fold == f
        if test.any() and len(np.unique(relevant[train])) == 2:
            predicted[test] = method(x[train], relevant[train])(x[test])
    return np.asarray(np.clip(predicted, TINY, 1 - TINY))


def _log_loss(predicted: Floats, relevant: Bools) -> float:
    return float(-np.where(relevant, np.log(predicted), np.log1p(-predicted)).mean())


def _brier(predicted: Floats, relevant: Bools, weights: Floats) -> float:
    return float((weights * (predicted - relevant) ** 2).sum() / weights.sum())


def _bins(predicted: Floats) -> Ints:
    """Return the bin of each prediction: equally filled, and equal predictions together."""
    rank = np.searchsorted(np.sort(predicted), predicted, side="left")
    bins: Ints = (rank * BINS // len(predicted)).astype(np.int64)
    return bins


def _ece(predicted: Floats, relevant: Bools, weights: Floats) -> float:
    bins = _bins(predicted)
    gap = np.bincount(bins, weights * (predicted - relevant), minlength=BINS)
    return float(np.abs(gap).sum() / weights.sum())


def _interval(
    predicted: Floats,
    relevant: Bools,
    owner: Ints,
    rng: np.random.Generator,
    figure: Callable[[Floats, Bools, Floats], float],
) -> Interval:
    n = int(owner.max()) + 1
    draws = rng.multinomial(n, np.full(n, 1 / n), size=REPLICATES).astype(np.float64)
    values = np.array([figure(predicted, relevant, weights[owner]) for weights in draws])
    low, high = percentiles(values)
    point = figure(predicted, relevant, np.ones(len(owner)))
    # Resampling adds noise to every gap of the calibration error: its replicates lean upwards.
    return Interval(point, min(low, point), max(high, point), 0.95, "query bootstrap", n)


def reliability(predicted: Floats, relevant: Bools) -> Reliability:
    """Return the bins of the reliability diagram; empty bins are left out."""
    bins = _bins(predicted)
    count = np.bincount(bins, minlength=BINS)
    filled = count > 0
    if not filled.any():
        return Reliability(np.full(0, math.nan), np.full(0, math.nan), count[:0])
    means = (np.bincount(bins, values, minlength=BINS) for values in (predicted, relevant.astype(np.float64)))
    first, second = (sums[filled] / count[filled] for sums in means)
    return Reliability(first, second, count[filled])
