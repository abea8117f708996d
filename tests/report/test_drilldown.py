"""The drill-down's data: what production would keep of each query's list."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from evalkit.report import drilldown
from evalkit.report.view import View
from tests.report.small import small_run


def lists(view: View, **changed: Any) -> list[dict[str, Any]]:
    """Return the subject's list of each query under its policy with parts of it `changed`."""
    name = view.subject
    shown = replace(view, policies={name: {**view.policies[name], **changed}})
    place = view.pipelines.index(name)
    packed = drilldown.pack(shown, np.zeros(len(view.query_ids)))
    return [one["lists"][place] for one in packed["queries"]]


def test_a_policy_that_shows_something_keeps_the_best_document(tmp_path: Path) -> None:
    """Where no score reaches the threshold, `keep_top_1` leaves one document of a list."""
    view = small_run(tmp_path).view
    high = {**view.policies[view.subject]["default"], "threshold": 2.0, "status": "estimated"}
    above = {"default": high, "categories": {}}
    kept = [
        [one["kept"] for one in lists(view, **above, empty_result=empty)] for empty in ("none", "keep_top_1")
    ]

    assert kept[0] == [0] * len(view.query_ids)
    assert kept[1] == [min(one["total"], 1) for one in lists(view)]


def test_a_query_of_two_categories_has_the_safest_threshold(tmp_path: Path) -> None:
    """Its list is cut where production cuts it, not by the default."""
    view = small_run(tmp_path).view
    entry = view.policies[view.subject]["default"]
    cuts = {"even": 0.9, "odd": 0.1}
    categories = {name: {**entry, "threshold": cut, "status": "estimated"} for name, cut in cuts.items()}
    both = replace(
        view,
        judged={
            name: replace(one, category=("even|odd",) * len(one.query_ids))
            for name, one in view.judged.items()
        },
    )

    assert {one["cut"] for one in lists(both, categories=categories, safe="lower")} == {0.1}
    assert {one["cut"] for one in lists(both, categories=categories, safe="higher")} == {0.9}
