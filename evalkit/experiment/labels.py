"""How many labelled queries a suite has for its thresholds, before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from evalkit import suite as suites
from evalkit.data.splits import CALIBRATION
from evalkit.experiment.prepare import prepare
from evalkit.suite import Suite
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.groups import members
from evalkit.thresholds.needs import Labels, planned


def labels(suite: Suite | str | Path, goal: Any = None) -> list[Labels]:
    """Compare each category's labelled queries with what the suite's goal (or `goal`) takes.

    Empty for a goal that promises nothing; with a split only queries of its calibration part count. A query
    whose relevant documents the retriever will miss counts here, and will not count once it is run.

    Raises:
        DataError: the suite or its data set is wrong.
        InputError: the goal makes no sense.
    """
    suite = suite if isinstance(suite, Suite) else suites.load(suite)
    parsed = Goal.parse(suite.thresholds.goal if goal is None else goal)
    inputs = prepare(suite)
    qrels = inputs.qrels
    best = np.full(len(qrels.query_ids), -1)
    np.maximum.at(best, qrels.query, qrels.grade)
    answerable = best >= qrels.relevant_from
    judged, ids = np.bincount(qrels.query, minlength=len(best)) > 0, qrels.query_ids.to_pylist()
    if inputs.parts:
        judged &= np.array([inputs.parts.get(query_id) == CALIBRATION for query_id in ids], dtype=np.bool_)
    categories = [inputs.categories.get(query_id, "") for query_id in ids]
    groups = members(categories) if suite.thresholds.by == "category" else {}
    sizes = {
        name: {
            "answerable": int((answerable & judged)[where].sum()),
            "negative": int((~answerable & judged)[where].sum()),
            "all": int(judged[where].sum()),
        }
        for name, where in (groups or {"(all)": np.arange(len(best))}).items()
    }
    return planned(parsed, sizes)
