"""Thresholds chosen on some queries and measured on others: a declared split, and cut rules compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from evalkit.data.qrels import rows_of
from evalkit.data.splits import CALIBRATION, TEST
from evalkit.errors import InputError
from evalkit.experiment.sources import Source
from evalkit.measures import judge
from evalkit.records import Bools
from evalkit.thresholds.calibrate import Calibration, calibrate
from evalkit.thresholds.goals import CRITERIA, Goal, make
from evalkit.thresholds.rules import compare_rules
from evalkit.thresholds.tested import tested
from evalkit.words import plural


def choose(source: Source, goal: Goal, seed: int) -> Calibration:
    """Calibrate `source`; with a split (`source.parts`), on the one part, and test the policy on the other.

    What the test finds stands in the policy's `held_out`, with what makes the split worth less.

    Raises:
        InputError: no judged query is in one of the parts; else as `calibrate`.
    """
    chosen = chosen_on(source)
    made = _calibrated(chosen, goal, seed)
    if not source.parts:
        return made
    test = _part(source, source.parts, TEST)
    found = tested(made.policy, test.judged, seed, failed=test.failed, clusters=test.clusters)
    told = {"n_chosen": len(chosen.judged.query_ids), **found, "doubts": list(_doubts(source, source.parts))}
    return replace(made, policy=replace(made.policy, held_out=told))


def chosen_on(source: Source) -> Source:
    """Return the queries that thresholds are chosen on: the calibration part of a split, else all.

    Raises:
        InputError: no judged query is in that part.
    """
    return _part(source, source.parts, CALIBRATION) if source.parts else source


def held_out(source: Source) -> Bools | None:
    """Return which queries are in the test part of the split (a mask); None without a split."""
    return _inside(source, source.parts, TEST) if source.parts else None


def rules(source: Source, goal: Goal, seed: int) -> dict[str, Any]:
    """Return how other cut rules do beside the threshold on the queries that thresholds are chosen on.

    Queries of a split's test part are not looked at: a rule taken from here can still be tested on them.
    Empty where there is no score. Compared by the goal's criterion, or F1 where it promises something.
    """
    chosen = chosen_on(source)
    if not len(chosen.judged.score):
        return {}
    asked = goal.criterion if goal.statement == "estimate" else None
    criterion = asked or make(CRITERIA, "F1", {})
    found = compare_rules(chosen.judged, criterion, seed, failed=chosen.failed, clusters=chosen.clusters)
    return {
        "pipeline": source.name,
        "criterion": criterion.name,
        "n_queries": len(set(chosen.judged.query_ids) - set(chosen.failed)),
        "part": CALIBRATION if source.parts else "",
        "compared": [one.to_dict() for one in found],
    }


def _calibrated(source: Source, goal: Goal, seed: int) -> Calibration:
    return calibrate(
        source.judged,
        goal,
        by=source.by,
        domain=source.domain,
        seed=seed,
        failed=source.failed,
        clusters=source.clusters,
    )


def _part(source: Source, parts: Mapping[str, str], name: str) -> Source:
    """Return the queries of one part, judged alone."""
    ids, inside = source.judged.query_ids, _inside(source, parts, name)
    if not inside.any():
        raise InputError(f"{source.name}: no judged query is in the {name} part of the split. Make it again")
    names = {query_id for query_id, there in zip(ids, inside.tolist(), strict=True) if there}
    asked = np.array([one in names for one in source.qrels.query_ids.to_pylist()], dtype=np.bool_)
    qrels = rows_of(source.qrels, asked[source.qrels.query])
    judged = judge(source.run, qrels, categories=dict(zip(ids, source.judged.category, strict=True)))
    place = {query_id: row for row, query_id in enumerate(ids)}
    rows = np.array([place[query_id] for query_id in judged.query_ids], dtype=np.int64)
    clusters = None if source.clusters is None else source.clusters[rows]
    failed = tuple(one for one in source.failed if one in names)
    return replace(source, qrels=qrels, judged=judged, clusters=clusters, failed=failed, parts={})


def _inside(source: Source, parts: Mapping[str, str], name: str) -> Bools:
    return np.array([parts.get(query_id) == name for query_id in source.judged.query_ids], dtype=np.bool_)


def _doubts(source: Source, parts: Mapping[str, str]) -> Iterator[str]:
    """Yield what makes a split worth less: queries in neither part, and groups that are in both."""
    ids = source.judged.query_ids
    if missing := sum(query_id not in parts for query_id in ids):
        yield f"{plural(missing, 'judged query')} in neither part and without a say: make the split again."
    if source.clusters is None:
        return
    sides: dict[int, set[str]] = {}
    for query_id, label in zip(ids, source.clusters.tolist(), strict=True):
        if query_id in parts:
            sides.setdefault(label, set()).add(parts[query_id])
    if both := sum(len(one) > 1 for one in sides.values()):
        groups = plural(both, "group")
        yield f"{groups} of near-duplicate queries in both parts: the test is not of new queries."
