"""Unjudged documents: would the decision be another if they were read differently?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from evalkit.records import Judged
from evalkit.thresholds.entry import Entry
from evalkit.thresholds.groups import OVERALL, Group, Made
from evalkit.thresholds.policy import ThresholdPolicy
from evalkit.thresholds.rules import ruled
from evalkit.thresholds.states import Unjudged

OTHER_READINGS: Mapping[Unjudged, str] = {
    "condensed": "with them left out",
    "worst": "if each is what hurts most",
    "best": "if each is what helps most",
}
AGREES = 0.10  # of the documents kept: thresholds that differ by no more say the same


@dataclass(frozen=True)
class ToJudge:
    """A candidate whose judgment could move a threshold: `row` is its place in the judged run's rows."""

    row: int
    query: int  # position of the query in the judged run
    category: str
    score: float
    threshold: float | None


def compared(made: Made, others: Mapping[Unjudged, Made], groups: Mapping[str, Group]) -> Made:
    """Return the entries with the thresholds of the other readings, and a note where they disagree."""
    default = _compared(
        made.default, {name: other.default for name, other in others.items()}, groups[OVERALL]
    )
    categories = {
        label: _compared(
            entry, {name: other.categories[label] for name, other in others.items()}, groups[label]
        )
        for label, entry in made.categories.items()
    }
    return replace(made, default=default, categories=categories)


def _compared(entry: Entry, others: Mapping[Unjudged, Entry], group: Group) -> Entry:
    readings = {name: other.threshold for name, other in others.items()}
    entry = replace(entry, readings={str(name): threshold for name, threshold in readings.items()})
    found = {entry.threshold, *readings.values()}
    if found == {None} or _same(found, group):
        return entry
    told = ", ".join(f"{_told(readings[name])} {words}" for name, words in OTHER_READINGS.items())
    note = f"unjudged documents could move the threshold: {told}"
    return replace(entry, notes=(*entry.notes, note))


def _told(threshold: float | None) -> str:
    return "none" if threshold is None else f"{threshold:.4f}"


def _same(found: set[float | None], group: Group) -> bool:
    thresholds = [threshold for threshold in found if threshold is not None]
    if len(thresholds) < len(found):
        return False
    score = group.curve.score[np.isfinite(group.curve.score)]
    most, fewest = (int((score >= bound).sum()) for bound in (min(thresholds), max(thresholds)))
    return most - fewest <= AGREES * most


def to_judge(judged: Judged, policy: ThresholdPolicy) -> list[ToJudge]:
    """Return the unjudged candidates between the thresholds of the readings, nearest to the own one first.

    Where some reading has no threshold at all, every unjudged candidate that the others would keep is among
    them. Queries take turns, so that the first hundred tell about a hundred queries where there are as many.
    """
    judged = ruled(judged, policy.rule)
    query = judged.query
    found: list[tuple[int, float, ToJudge]] = []
    turns: dict[int, int] = {}
    rows = np.flatnonzero(~judged.judged)
    entries = {category: policy.entry(category) for category in set(judged.category)}
    spans = {category: _span(entry) for category, entry in entries.items()}
    centre = {c: _centre(entry, spans[c]) for c, entry in entries.items()}
    distance = np.array([abs(judged.score[r] - centre[judged.category[query[r]]]) for r in rows])
    for place in np.argsort(distance, kind="stable"):
        row = int(rows[place])
        owner, score = int(query[row]), float(judged.score[row])
        category = judged.category[owner]
        low, high = spans[category]
        if low <= score < high:
            turns[owner] = turns.get(owner, 0) + 1
            one = ToJudge(row, owner, category, score, entries[category].threshold)
            found.append((turns[owner], float(distance[place]), one))
    return [one for _, _, one in sorted(found, key=lambda item: item[:2])]


def _span(entry: Entry) -> tuple[float, float]:
    thresholds = [entry.threshold, *entry.readings.values()]
    known = [threshold for threshold in thresholds if threshold is not None]
    if not entry.readings or len(set(thresholds)) == 1:
        return (np.inf, np.inf)
    return min(known), np.inf if len(known) < len(thresholds) else max(known)


def _centre(entry: Entry, span: tuple[float, float]) -> float:
    if entry.threshold is not None:
        return entry.threshold
    return span[0] if np.isfinite(span[0]) else 0.0
