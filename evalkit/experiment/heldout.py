"""Thresholds chosen on one part of the queries and tested on the other, where a split is declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from evalkit.data.qrels import rows_of
from evalkit.data.splits import CALIBRATION, TEST
from evalkit.errors import InputError
from evalkit.experiment.sources import Source
from evalkit.measures import judge
from evalkit.thresholds.calibrate import Calibration, calibrate
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.tested import tested
from evalkit.words import plural


def choose(source: Source, goal: Goal, *, by: str, seed: int) -> Calibration:
    """Calibrate `source`; with a split (`source.parts`), on the one part, and test the policy on the other.

    What the test finds stands in the policy's `held_out`, with what makes the split worth less.

    Raises:
        InputError: no judged query is in one of the parts; else as `calibrate`.
    """
    if not source.parts:
        return _calibrated(source, goal, by, seed)
    chosen, test = (_part(source, source.parts, name) for name in (CALIBRATION, TEST))
    made = _calibrated(chosen, goal, by, seed)
    found = tested(made.policy, test.judged, seed, failed=test.failed, clusters=test.clusters)
    told = {"n_chosen": len(chosen.judged.query_ids), **found, "doubts": list(_doubts(source, source.parts))}
    return replace(made, policy=replace(made.policy, held_out=told))


def _calibrated(source: Source, goal: Goal, by: str, seed: int) -> Calibration:
    return calibrate(
        source.judged,
        goal,
        by="none" if by == "none" else "category",
        domain=source.domain,
        seed=seed,
        failed=source.failed,
        clusters=source.clusters,
    )


def _part(source: Source, parts: Mapping[str, str], name: str) -> Source:
    """Return the queries of one part, judged alone."""
    ids = source.judged.query_ids
    inside = np.array([parts.get(query_id) == name for query_id in ids], dtype=np.bool_)
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
