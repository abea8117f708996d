"""Other rules than "score >= threshold": would one of them do better on queries it has not seen?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np

from evalkit.records import Bools, Floats, Ints, Judged
from evalkit.thresholds.curve import Curve, curve_of
from evalkit.thresholds.goals import Criterion
from evalkit.thresholds.heldout import Folds, divide
from evalkit.thresholds.optimum import REPLICATES, Table, contenders, percentiles, resample
from evalkit.thresholds.policy import Estimate

RATIOS = (0.3, 0.5, 0.7, 0.8, 0.9)  # of the query's top score, beside an absolute threshold
DEPTHS = (1, 2, 3, 5, 10)  # documents at most, beside an absolute threshold


@dataclass(frozen=True)
class Variant:
    """A rule with its fixed part: scores to cut at one threshold, in the run's order."""

    told: Callable[[float], str]
    score: Floats


@dataclass(frozen=True)
class RuleResult:
    """What a rule reaches on held-out queries, and how much more than the absolute threshold does.

    `told` is the rule as all queries together choose it. The difference is paired over queries.
    """

    rule: str
    told: str
    value: Estimate
    difference: Estimate

    @property
    def better(self) -> bool:
        """Whether the whole interval of the difference is above 0."""
        return self.difference.low is not None and self.difference.low > 0


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
    first together with each of the two. Rules on ratios need scores above 0 and are left out elsewhere.
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
            curves.append((variant.told, contenders(curve, criterion)))
            unit = curve.unit
        if curves:
            fitted = _Rule(curves, criterion)
            held[rule] = fitted.told(everything), fitted.held_out(folds)
    weights = np.concatenate(list(resample(int(unit.max()) + 1, rng, REPLICATES)))[:, unit]
    base = held["absolute"][1]
    return [
        RuleResult(rule, told, _value(parts, weights), _difference(parts, base, weights))
        for rule, (told, parts) in held.items()
    ]


class _Rule:
    """Chooses among variants and thresholds on some queries; scores others."""

    def __init__(self, curves: list[tuple[Callable[[float], str], Curve]], criterion: Criterion) -> None:
        self._curves, self._criterion = curves, criterion
        self._tables = [Table.of(curve, criterion).useful() for _, curve in curves]

    def told(self, training: Bools) -> str:
        """Return the choice of all training queries in words."""
        variants, thresholds = self._choose(training)
        words, _ = self._curves[int(variants[0])]
        return words(float(thresholds[0]))

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
    with np.errstate(invalid="ignore", divide="ignore"):
        replicates = (weights @ parts[0]) / (weights @ parts[1])
        point = float(parts[0].sum() / parts[1].sum())
    return Estimate(point, *percentiles(replicates))


def _difference(parts: tuple[Floats, Floats], base: tuple[Floats, Floats], weights: Floats) -> Estimate:
    def value(w: Floats, one: tuple[Floats, Floats]) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((w @ one[0]) / (w @ one[1]))

    replicates = value(weights, parts) - value(weights, base)
    flat = np.ones((1, weights.shape[1]))
    return Estimate(float((value(flat, parts) - value(flat, base))[0]), *percentiles(replicates))


def _ratio(judged: Judged) -> Floats | None:
    counts = np.diff(judged.offsets)
    if not len(judged.score) or judged.score.min() <= 0:
        return None
    top = np.repeat(judged.score[judged.offsets[:-1][counts > 0]], counts[counts > 0])
    return np.asarray(judged.score / top)


def _absolute(judged: Judged) -> Iterator[Variant]:
    yield Variant(lambda t: f"score >= {t:.4g}", judged.score)


def _relative(judged: Judged) -> Iterator[Variant]:
    ratio = _ratio(judged)
    if ratio is not None:
        yield Variant(lambda t: f"score >= {t:.4g} x top", ratio)


def _top_k(judged: Judged) -> Iterator[Variant]:
    yield Variant(lambda t: f"the {-t:.0f} best", -judged.rank.astype(np.float64))


def _absolute_and_relative(judged: Judged) -> Iterator[Variant]:
    ratio = _ratio(judged)
    if ratio is not None:
        yield from _absolute(judged)
        yield from (_guarded(judged, ratio >= least, f">= {least:g} x top") for least in RATIOS)


def _absolute_and_top_k(judged: Judged) -> Iterator[Variant]:
    yield from _absolute(judged)
    yield from (_guarded(judged, judged.rank <= most, f"rank <= {most}") for most in DEPTHS)


def _guarded(judged: Judged, passes: Bools, told: str) -> Variant:
    """Return the scores, below them all where the fixed part fails: no sensible threshold keeps these."""
    score = np.where(passes, judged.score, judged.score.min() - 1)
    return Variant(lambda t: f"score >= {t:.4g} and {told}", score)


RULES: dict[str, Callable[[Judged], Iterator[Variant]]] = {
    "absolute": _absolute,
    "relative": _relative,
    "top_k": _top_k,
    "absolute + relative": _absolute_and_relative,
    "absolute + top_k": _absolute_and_top_k,
}
