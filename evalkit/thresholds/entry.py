"""What a policy says of one category: the threshold, what it promises, and on what evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

Status = Literal["certified", "estimated", "fallback", "unusable"]
STATUSES: tuple[Status, ...] = ("certified", "estimated", "fallback", "unusable")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with the bounds of its interval; None is undefined, as in JSON."""

    point: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What a threshold promises about one risk, and the evidence.

    `kind` is "confidence" (the risk is at most `at_most` with that confidence) or "expectation" (it is on
    average over calibrations). `scope` names the mixture of queries that the promise is about: a category, a
    parent of it, or "overall". `n` counts the queries behind it, `upper_bound` is the risk's own bound at the
    confidence spent on it. `also` has the goal's other risks.
    """

    risk: str
    at_most: float
    confidence: float | None
    upper_bound: float
    n: int
    kind: Literal["confidence", "expectation"] = "confidence"
    scope: str = ""
    also: tuple[Promise, ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """The cuts, both ends among them, that keep a promise all at once; None: there is no end on that side."""

    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A category's threshold, or None where none does what was asked.

    `source` says whose queries chose it: "own", "shrunk" (own, drawn towards all), or the name of the
    fallback.
    `readings` has the thresholds under other readings of unjudged documents: "condensed" (left out), "worst",
    "best"; empty where every candidate is judged.
    `reach` has the cuts around the threshold that keep the promise too, None where there is no promise.
    `needs_queries` is how many more labelled queries the promise would take: 0 where it stands, None where
    more queries would not help or no promise was asked for.
    """

    threshold: float | None
    status: Status
    promise: Promise | None = None
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    n_queries: int = 0
    needs_queries: int | None = None
    source: str = "own"
    notes: tuple[str, ...] = ()
    readings: Mapping[str, float | None] = field(default_factory=dict)
    reach: Reach | None = None


def read_entry(data: Mapping[str, Any]) -> Entry:
    """Return the entry whose `asdict` was written; keys that this version does not know are ignored.

    Raises:
        ValueError, KeyError, TypeError: a value is missing or impossible.
    """
    known = {part.name for part in fields(Entry)}
    values = {name: value for name, value in data.items() if name in known}
    if values["status"] not in STATUSES:
        raise ValueError(f"status {values['status']!r} is none of {', '.join(STATUSES)}")
    threshold = values["threshold"]
    if threshold is not None and not (isinstance(threshold, int | float) and math.isfinite(threshold)):
        raise ValueError(f"threshold {threshold!r} is no finite number")
    values["promise"] = _promise(data.get("promise"))
    values["reach"] = None if data.get("reach") is None else Reach(**data["reach"])
    values["estimates"] = {name: Estimate(**figure) for name, figure in data.get("estimates", {}).items()}
    values["notes"] = tuple(data.get("notes", ()))
    return Entry(**values)


def _promise(data: Mapping[str, Any] | None) -> Promise | None:
    if data is None:
        return None
    values = {part.name: data[part.name] for part in fields(Promise) if part.name in data}
    also = (_promise(other) for other in data.get("also", ()))
    return Promise(**{**values, "also": tuple(promise for promise in also if promise is not None)})
