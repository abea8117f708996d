"""How many labelled queries a promise takes: before any is labelled, and when some are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evalkit.records import Ints
from evalkit.stats.bounds import queries_at_least, queries_for_betting, queries_for_power
from evalkit.stats.power import POWER
from evalkit.thresholds.certify import RiskTable, walks
from evalkit.thresholds.goals import Goal

MOST_COLUMNS = 24  # thresholds looked at


def least(goal: Goal, categories: int = 1) -> dict[str, int]:
    """Return, for each risk, the least number of its queries that can certify it, with no loss among them.

    Jointly over `categories` and the overall threshold, unless the goal's family is "each".
    """
    if goal.statement == "estimate":
        return {}
    if goal.statement == "expectation":
        return {risk.loss.name: int(np.ceil(1 / risk.at_most - 1 - 1e-9)) for risk in goal.risks}
    delta = spent(goal, categories)
    return {risk.loss.name: queries_at_least(risk.at_most, delta) for risk in goal.risks}


def for_power(goal: Goal, share: float, categories: int = 1) -> Mapping[str, int | None]:
    """Return, for each risk, how many queries certify it with probability 80 %, by the exact binomial test.

    `share` is how much of its limit the true risk is; None where it is not below the limit.
    """
    if goal.statement != "confidence":
        return least(goal)
    delta = spent(goal, categories)
    return {
        one.loss.name: queries_for_power(one.at_most, delta, share * one.at_most, POWER) for one in goal.risks
    }


def spent(goal: Goal, categories: int) -> float:
    """Return the error that one category may spend on one walk."""
    together = categories + 1 if goal.family == "joint" and categories > 1 else 1
    return (1 - (goal.confidence or 0.9)) / together / len(walks(goal.risks))


def still_needed(tables: Sequence[RiskTable], columns: Ints, delta: float) -> int | None:
    """Return how many further queries would certify one of the thresholds `columns` with probability 80 %.

    None: none would, as at each of them some observed risk is at its limit or above. The answer is for the
    threshold that takes the fewest. The true risks are taken to be the observed ones, drawn a little towards
    one half, so that no loss among few queries is not read as no risk.
    """
    if not len(columns):
        return None
    means = np.round(np.stack([np.nan_to_num(table.means()[columns]) for table in tables]), 4)
    first = np.sort(np.unique(means, axis=1, return_index=True)[1])
    looked_at = columns[first[np.unique(np.linspace(0, len(first) - 1, MOST_COLUMNS).astype(np.int64))]]
    best: int | None = None
    for column in looked_at.tolist():
        missing = [_missing(table, column, delta) for table in tables]
        if None not in missing:
            total = sum(count for count in missing if count is not None)
            best = total if best is None else min(best, total)
    return best


def _missing(table: RiskTable, column: int, delta: float) -> int | None:
    losses, limit = table.losses(np.array([column]))[:, 0], table.risk.at_most
    if table.risk.loss.zero_one:
        lost = float(losses.sum())
        risk = (lost + 0.5) / (table.n + 1)
        # Nothing lost at all, among however few: plan for a risk of a quarter of the limit.
        needed = queries_for_power(limit, delta, min(risk, limit / 4) if lost == 0 else risk, POWER)
    else:
        needed = queries_for_betting(losses, limit, delta, POWER)
    return None if needed is None else max(0, needed - table.n)


@dataclass(frozen=True)
class Labels:
    """What one category has and what one risk of the goal takes, in queries that the risk is about.

    `least` certifies it if nothing is lost, `likely` in 4 cases of 5 if the true risk is half its limit.
    """

    category: str
    risk: str
    has: int
    least: int
    likely: int | None


def planned(goal: Goal, sizes: Mapping[str, Mapping[str, int]]) -> list[Labels]:
    """Compare the labelled queries at hand with what a goal takes, before anything is scored.

    `sizes` has, for each category, how many queries are "answerable" (with a relevant document, found or not)
    and "negative"; all of them together are under "all".
    """
    lowest, likely = least(goal, len(sizes)), for_power(goal, 0.5, len(sizes))
    found = []
    for category, counts in sizes.items():
        for risk in goal.risks:
            name = risk.loss.name
            has = counts[risk.loss.population]
            found.append(Labels(category, name, has, lowest[name], likely[name]))
    return found
