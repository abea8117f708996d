"""What a threshold is asked for: risks to bound, criteria to maximise, and the goal that combines them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from evalkit.records import Floats
from evalkit.registry import Registry
from evalkit.thresholds.rule import NO_RULE, Rule
from evalkit.thresholds.states import States

Population = Literal["answerable", "negative", "all"]
SafeEnd = Literal["lower", "higher"]


@dataclass(frozen=True)
class Loss:
    """A loss per query in [0, 1] over the queries of a population; its mean is a risk.

    "answerable" queries have a relevant candidate, "negative" ones no relevant document. `safe` is the end of
    the scores where the loss is least, None where neither end is. `zero_one` losses take no value between.
    A `monotone` one never falls on the way from the safe end to the other.
    """

    name: str
    population: Population
    safe: SafeEnd | None
    zero_one: bool
    of: Callable[[States], npt.NDArray[Any]]
    monotone: bool = False


@dataclass(frozen=True)
class Criterion:
    """A figure to maximise: the sum of a numerator over queries by the sum of a denominator.

    A denominator of 1 for each query that counts makes it a mean over queries (macro); otherwise it is a
    ratio of sums (micro).
    """

    name: str
    of: Callable[[States], tuple[npt.NDArray[Any], npt.NDArray[Any]]]


MakeLoss = Callable[..., Loss]
LOSSES = Registry[MakeLoss]("risk")
CRITERIA = Registry[Callable[..., Criterion]]("criterion")


def _share(part: Any, whole: Any, empty: float) -> Floats:
    """Return part / whole, and `empty` where the whole is 0."""
    return np.where(whole > 0, part / np.maximum(whole, 1), empty)


@LOSSES.register("miss")
def _miss() -> Loss:
    """The share of the relevant candidates that is dropped: 1 - recall."""
    return Loss(
        "miss", "answerable", "lower", False, lambda s: 1 - _share(s.relevant, s.total, 1.0), monotone=True
    )


@LOSSES.register("lost_answer")
def _lost_answer() -> Loss:
    """Every relevant candidate is dropped."""
    return Loss(
        "lost_answer",
        "answerable",
        "lower",
        True,
        lambda s: 1.0 * ((s.relevant == 0) & (s.total > 0)),
        monotone=True,
    )


@LOSSES.register("false_answer")
def _false_answer() -> Loss:
    """Something is kept for a query that nothing answers."""
    return Loss("false_answer", "negative", "higher", True, lambda s: 1.0 * (s.kept > 0), monotone=True)


@LOSSES.register("false_discovery")
def _false_discovery() -> Loss:
    """The share of the kept documents that is not relevant; 0 where nothing is kept."""
    return Loss("false_discovery", "all", "higher", False, lambda s: _share(s.kept - s.relevant, s.kept, 0.0))


@LOSSES.register("micro_false_discovery")
def _micro_false_discovery(at_most: float, k: int | None = None) -> Loss:
    """The share of irrelevant documents among all kept ones of all queries, made linear in the query.

    (junk - a kept + a m) / m has a mean above a exactly where the ratio of sums is above a. Kept lists are
    cut after m = `k` documents (all candidates, if not given): the smaller m, the fewer queries it takes.
    """

    def of(s: States) -> Floats:
        m = k or max(s.deepest, 1)
        kept = np.minimum(s.kept, m)
        return np.asarray((kept - s.relevant_at(m) - at_most * kept + at_most * m) / m)

    return Loss("micro_false_discovery", "all", None, False, of)


@LOSSES.register("cost")
def _cost(lost: float = 1.0, junk: float = 0.1, abstain: float = 0.0) -> Loss:
    """Declared costs, by the greatest that a query can cost.

    `lost` where every relevant candidate is dropped, `junk` for each irrelevant document kept, `abstain`
    where nothing is kept.
    """

    def of(s: States) -> Floats:
        cost = (
            lost * ((s.relevant == 0) & (s.total > 0))
            + junk * (s.kept - s.relevant)
            + abstain * (s.kept == 0)
        )
        return np.asarray(cost / max(lost + max(junk * s.deepest, abstain), 1e-300))

    return Loss("cost", "all", None, False, of)


@LOSSES.register("f_loss")
def _f_loss(beta: float = 1.0) -> Loss:
    """1 - F-beta of the kept list; 0 where there is nothing to keep and nothing is kept."""
    return Loss("f_loss", "all", None, False, lambda s: 1 - _f(s, beta))


@LOSSES.register("ndcg_loss")
def _ndcg_loss(k: int = 10) -> Loss:
    """1 - nDCG@k of the kept list, against the perfect order of all judged documents."""
    return Loss(
        "ndcg_loss",
        "answerable",
        "lower",
        False,
        lambda s: np.clip(1 - s.dcg_at(k) / np.maximum(s.ideal_dcg_at(k), 1e-300), 0, 1),
        monotone=True,
    )


def _f(s: States, beta: float) -> Floats:
    return _share((1 + beta**2) * s.relevant, beta**2 * s.total + s.kept, 1.0)


def _ones(s: States) -> Floats:
    return np.ones(len(s.kept))


@CRITERIA.register("precision")
def _precision() -> Criterion:
    """The mean share of relevant documents in the kept lists that are not empty."""
    return Criterion("precision", lambda s: (_share(s.relevant, s.kept, 0.0), 1.0 * (s.kept > 0)))


@CRITERIA.register("recall")
def _recall() -> Criterion:
    """The mean share of the relevant candidates that is kept, over answerable queries."""
    return Criterion("recall", lambda s: (_share(s.relevant, s.total, 0.0), 1.0 * (s.total > 0)))


@CRITERIA.register("F")
def _macro_f(beta: float = 1.0) -> Criterion:
    """The mean F-beta of the kept lists; a query without relevant candidates scores 1 for keeping nothing."""
    return Criterion(f"F{beta:g}", lambda s: (_f(s, beta), _ones(s)))


@CRITERIA.register("micro_precision")
def _micro_precision() -> Criterion:
    """The share of relevant documents among all that are kept, of all queries together."""
    return Criterion("micro_precision", lambda s: (1.0 * s.relevant, 1.0 * s.kept))


@CRITERIA.register("micro_F")
def _micro_f(beta: float = 1.0) -> Criterion:
    """F-beta of all queries' pairs together: long lists weigh more."""
    return Criterion(
        f"micro_F{beta:g}", lambda s: ((1 + beta**2) * s.relevant, beta**2 * s.total + 1.0 * s.kept)
    )


@CRITERIA.register("nDCG")
def _ndcg(k: int = 10) -> Criterion:
    """The mean nDCG@k of the kept lists, over answerable queries."""
    loss = _ndcg_loss(k)
    return Criterion(f"nDCG@{k}", lambda s: ((1 - loss.of(s)) * (s.total > 0), 1.0 * (s.total > 0)))


@CRITERIA.register("fewest_kept")
def _fewest_kept() -> Criterion:
    """The mean share of candidates that is dropped."""
    return Criterion(
        "fewest_kept", lambda s: (1 - _share(s.kept, np.diff(s.start)[s.query] - 1, 0.0), _ones(s))
    )


@CRITERIA.register("cost")
def _negative_cost(lost: float = 1.0, junk: float = 0.1, abstain: float = 0.0) -> Criterion:
    """Minus the mean declared cost of a query."""
    loss = _cost(lost, junk, abstain)
    return Criterion("cost", lambda s: (-loss.of(s), _ones(s)))


@dataclass(frozen=True)
class Risk:
    """A loss whose mean is to be at most `at_most`."""

    loss: Loss
    at_most: float


@dataclass(frozen=True)
class Goal:
    """What is asked of the thresholds, in the user's own words (`text`) and parsed.

    `statement` names the kind of answer: "confidence" (a promise that holds with `confidence`),
    "expectation" (a risk controlled on average) or "estimate" (the optimum of `criterion`, with an interval).
    `family` says over what a confidence holds: all categories "joint"ly, or "each" on its own. `rule` cuts
    beside the thresholds; "best" takes the one that does best on held-out queries.
    """

    statement: Literal["confidence", "expectation", "estimate"]
    risks: tuple[Risk, ...] = ()
    confidence: float | None = None
    criterion: Criterion | None = None
    family: Literal["joint", "each"] = "joint"
    method: Literal["", "borderline_mean"] = ""
    grade: int | None = None
    empty_result: Literal["none", "keep_top_1"] = "none"
    fallback: tuple[str, ...] = ("parent", "overall", "most_conservative")
    rule: Rule | Literal["best"] = NO_RULE
    text: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, goal: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Goal:
        """Read a goal as suites, scripts and the command line write it; several risks may come as a list.

        Raises:
            InputError: a key, name or number that makes no sense; the message lists the possible ones.
        """
        from evalkit.thresholds.reading import parse

        return parse(goal)


def make(registry: Registry[Callable[..., Any]], kind: str, options: dict[str, Any]) -> Any:
    """Return what `registry` makes under the name `kind` ("F0.5", "nDCG@10"), taking its `options` out.

    Raises:
        UnknownName: no such name.
    """
    name, given = kind, dict[str, Any]()
    if kind not in registry and (match := re.fullmatch(r"(\w*?)(?:(\d*\.?\d+)|@(\d+))", kind)):
        name, beta, k = match.groups()
        given = {"beta": float(beta)} if beta else {"k": int(k)}
    factory = registry[name]
    accepted = inspect.signature(factory).parameters
    if not given.keys() <= accepted.keys():
        registry[kind]  # raises UnknownName with advice
    given |= {key: options.pop(key) for key in list(options) if key in accepted and key != "at_most"}
    if "at_most" in accepted:
        given["at_most"] = options["at_most"]
    return factory(**given)
