"""Other rules than "score >= threshold": would one of them do better on queries it has not seen?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from evalkit.records import Bools, Floats, Ints, Judged
from evalkit.thresholds.curve import Curve, curve_of
from evalkit.thresholds.entry import Estimate
from evalkit.thresholds.goals import Criterion
from evalkit.thresholds.heldout import LEVEL, Folds, divide
from evalkit.thresholds.optimum import REPLICATES, Table, contenders, percentiles, resample
from evalkit.thresholds.rule import NO_RULE, Rule

RATIOS = (0.3, 0.5, 0.7, 0.8, 0.9)  # of the query's top score, beside an absolute threshold
DEPTHS = (1, 2, 3, 5, 10)  # documents at most, beside an absolute threshold


@dataclass(frozen=True)
class Variant:
    """A rule with its fixed part: scores to cut at one threshold, in the run's order."""

    told: Callable[[float], str]
    score: Floats
    rule: Rule = NO_RULE


@dataclass(frozen=True)
class RuleResult:
    """What a rule reaches on held-out queries, and how much more than the absolute threshold does.

    `told` is the rule as all queries together choose it, `carried` the part that a policy can carry beside
    its thresholds. The difference is paired over queries; its interval holds for all rules together.
    """

    rule: str
    told: str
    carried: Rule
    value: Estimate
    difference: Estimate

    @property
    def better(self) -> bool:
        """Whether the whole interval of the difference is above 0."""
        return self.difference.low is not None and self.difference.low > 0

    def to_dict(self) -> dict[str, Any]:
        """Return what tables and `summary.json` hold of it."""
        return asdict(self) | {"carried": self.carried.to_dict(), "better": self.better}


def compare_rules(
    judged: Judged,
    criterion: Criterion,
    seed: int,
    *,
    failed: Collection[str] = (),
    clusters: Ints | None = None,
) -> list[RuleResult]:
    """Cross-fit each rule, with one threshold for all queries; the absolute rule comes first.

    Rules: "absolute" (s >= t), "relative" (s >= t x the query's top score), "top_k" (the k best), and the
    first together with each of the two. Rules on ratios are left out where a score is below 0.
    Queries of one cluster are held out and resampled together; `failed` ones are left out.
    """
    rng = np.random.default_rng(seed)
    n = len(judged.query_ids)
    folds = divide({"": np.arange(n)}, n, rng, clusters)
    everything = np.ones((1, n), dtype=np.bool_)
    held, unit = {}, np.arange(n)
    for rule, variants in RULES.items():
        curves = []
        for variant in variants(judged):
            curve = curve_of(replace(judged, score=variant.score), failed=failed, clusters=clusters)
            curves.append((variant, contenders(curve, criterion)))
            unit = curve.unit
        if curves:
            fitted = _Fitted(curves, criterion)
            held[rule] = fitted.told(everything), fitted.held_out(folds)
    weights = np.concatenate(list(resample(int(unit.max()) + 1, rng, REPLICATES)))[:, unit]
    base, level = held["absolute"][1], 1 - (1 - LEVEL) / max(len(held) - 1, 1)
    return [
        RuleResult(rule, told, carried, _value(parts, weights), _difference(parts, base, weights, level))
        for rule, ((told, carried), parts) in held.items()
    ]


def best_rule(results: list[RuleResult]) -> RuleResult:
    """Return the best of the rules that a policy can carry and that are better than the threshold alone."""
    better = [one for one in results if one.better and one.carried]
    return max(better, key=lambda one: one.difference.point or 0.0, default=results[0])


class _Fitted:
    """Chooses among variants and thresholds on some queries; scores others."""

    def __init__(self, curves: list[tuple[Variant, Curve]], criterion: Criterion) -> None:
        self._curves, self._criterion = curves, criterion
        self._tables = [Table.of(curve, criterion).useful() for _, curve in curves]

    def told(self, training: Bools) -> tuple[str, Rule]:
        """Return the choice of all training queries in words, and its fixed part."""
        variants, thresholds = self._choose(training)
        variant, _ = self._curves[int(variants[0])]
        return variant.told(float(thresholds[0])), variant.rule

    def held_out(self, folds: Folds) -> tuple[Floats, Floats]:
        """Return each query's numerator and denominator under the choice that left it out."""
        variants, thresholds = self._choose(folds.training)
        variant, threshold = folds.spread(variants), folds.spread(thresholds)
        sums = np.zeros((2, variant.shape[1]))
        for number, (_, curve) in enumerate(self._curves):
            parts = self._criterion.of(curve.states)
            for repeat in range(len(variant)):
                mine = variant[repeat] == number
                mine &= ~curve.failed
                states = curve.at(threshold[repeat])[mine]
                sums[0, mine] += parts[0][states]
                sums[1, mine] += parts[1][states]
        return sums[0] / len(variant), sums[1] / len(variant)

    def _choose(self, training: Bools) -> tuple[Floats, Floats]:
        weights = training[:, self._curves[0][1].leaders].astype(np.float64)
        found = [table.best(weights) for table in self._tables]
        values = np.nan_to_num(np.stack([value for _, value in found]), nan=-np.inf)
        best = values.argmax(axis=0)
        thresholds = np.stack([threshold for threshold, _ in found])
        return best, thresholds[best, np.arange(len(best))]


def _value(parts: tuple[Floats, Floats], weights: Floats) -> Estimate:
    return _estimate(_share(np.ones((1, weights.shape[1])), parts), _share(weights, parts), LEVEL)


def _difference(
    parts: tuple[Floats, Floats], base: tuple[Floats, Floats], weights: Floats, level: float
) -> Estimate:
    flat = np.ones((1, weights.shape[1]))
    point, replicates = (_share(w, parts) - _share(w, base) for w in (flat, weights))
    return _estimate(point, replicates, level)


def _share(weights: Floats, parts: tuple[Floats, Floats]) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weights @ parts[0]) / (weights @ parts[1]))


def _estimate(point: Floats, replicates: Floats, level: float) -> Estimate:
    if not np.isfinite(point).all():
        return Estimate(None)
    return Estimate(float(point[0]), *percentiles(replicates, level))


def _absolute(judged: Judged) -> Iterator[Variant]:
    yield Variant(lambda t: f"score >= {t:.4g}", judged.score)


def _relative(judged: Judged) -> Iterator[Variant]:
    if _has_shares(judged):
        share = judged.score / np.maximum(_top(judged), np.finfo(np.float64).tiny)
        yield Variant(lambda t: f"score >= {t:.4g} x top", share)


def _top_k(judged: Judged) -> Iterator[Variant]:
    yield Variant(
        lambda t: f"the {-t:.0f} best".replace("the 1 best", "the best"), -judged.rank.astype(np.float64)
    )


def _absolute_and_relative(judged: Judged) -> Iterator[Variant]:
    if _has_shares(judged):
        yield from _absolute(judged)
        yield from (_ruled(judged, Rule(of_top=share)) for share in RATIOS)


def _absolute_and_top_k(judged: Judged) -> Iterator[Variant]:
    yield from _absolute(judged)
    yield from (_ruled(judged, Rule(top_k=most)) for most in DEPTHS)


def _ruled(judged: Judged, rule: Rule) -> Variant:
    return Variant(lambda t: f"score >= {t:.4g} and {rule}", ruled(judged, rule).score, rule)


def ruled(judged: Judged, rule: Rule) -> Judged:
    """Return the judged run with scores of minus infinity, below any threshold, where a rule is not passed.

    As `Rule.passing` does it to one query's results.
    """
    if not rule or not len(judged.score):
        return judged
    passes = np.ones(len(judged.score), dtype=np.bool_)
    if rule.of_top is not None:
        passes &= judged.score >= rule.of_top * _top(judged)
    if rule.top_k is not None:
        passes &= judged.rank <= rule.top_k
    return replace(judged, score=np.where(passes, judged.score, -np.inf))


def _has_shares(judged: Judged) -> bool:
    return len(judged.score) > 0 and bool(judged.score.min() >= 0)


def _top(judged: Judged) -> Floats:
    """Return the top score of each row's query."""
    counts = np.diff(judged.offsets)
    return np.repeat(judged.score[judged.offsets[:-1][counts > 0]], counts[counts > 0])


RULES: dict[str, Callable[[Judged], Iterator[Variant]]] = {
    "absolute": _absolute,
    "relative": _relative,
    "top_k": _top_k,
    "absolute + relative": _absolute_and_relative,
    "absolute + top_k": _absolute_and_top_k,
}
