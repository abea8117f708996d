"""Runs over time: what changed in configuration, scores, thresholds, documents kept and measures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evalkit.errors import InputError
from evalkit.experiment.common import Common, common
from evalkit.experiment.sources import clusters_of
from evalkit.measures import parse
from evalkit.records import Floats
from evalkit.report.rows import difference_row
from evalkit.report.verdict import change_verdict
from evalkit.runs import RunDirectory, flattened
from evalkit.stats.compare import Plan, compare
from evalkit.stats.resample import LEVEL

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "evalkit.changes/1"
FLIPPED_SHOWN = 50  # queries a pipeline, the largest changes first
PAIR = ["query_id", "doc_id"]
BEFORE = "before"


def changes(runs: Sequence[RunDirectory], restrict: bool = False) -> dict[str, Any]:
    """Compare each later run with the first: the content of `compare --json`, schema `evalkit.changes/1`.

    Pipelines are matched by name, queries by id. The differences of all runs are one family for Holm.

    Raises:
        InputError: fewer than two runs, or runs that have too little in common (see `common`).
    """
    if len(runs) < 2:
        raise InputError("name at least two run directories: the first is what the others are compared with")
    before, later = runs[0], runs[1:]
    shared = [common(before, after, restrict) for after in later]
    family = _differences(before, later, shared)
    told = []
    for after, one, differences in zip(later, shared, family, strict=True):
        both = [name for name in before.info["pipelines"] if name in after.info["pipelines"]]
        change = {
            "before": _name(before),
            "after": _name(after),
            "queries": len(one.query_ids),
            "notes": one.notes,
            "pipelines": {
                "compared": both,
                "only_before": [name for name in before.info["pipelines"] if name not in both],
                "only_after": [name for name in after.info["pipelines"] if name not in both],
            },
            "configuration": list(configuration(before.info, after.info)),
            "differences": differences,
            "scores": [_scores(before, after, name, one) for name in both],
            "kept": [row for name in both for row in _kept(before, after, name, one)],
            "flipped": [row for name in both for row in _flipped(before, after, name, one)],
        }
        told.append(change | {"verdict": change_verdict(change)})
    return {"schema": SCHEMA, "changes": told}


def configuration(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what differs in suite, data, score domains and versions, one setting a row."""
    for part in ("suite", "dataset", "versions", "limit", "sandbox"):
        old, new = (dict(flattened(info.get(part), part)) for info in (before, after))
        for key in [*old, *(key for key in new if key not in old)]:
            if old.get(key) != new.get(key):
                yield {"setting": key, "before": old.get(key), "after": new.get(key)}


def _name(run: RunDirectory) -> dict[str, str]:
    return {"folder": str(run.folder), "name": run.info["name"], "started": run.info["started"]}


def _differences(
    before: RunDirectory, later: Sequence[RunDirectory], shared: Sequence[Common]
) -> list[list[dict[str, Any]]]:
    """Return, per later run, the rows of its differences; queries outside `shared` are undefined."""
    old = before.measures
    query_ids = list(dict.fromkeys(old["query_id"]))
    categories = old.drop_duplicates("query_id")["category"].fillna("").tolist()
    measures = [name for name in dict.fromkeys(old["measure"]) if parse(name).measure.better]
    nothing = np.zeros(len(query_ids))
    values: dict[str, dict[str, Floats]] = {BEFORE: dict.fromkeys(measures, nothing)}
    cells: dict[str, tuple[int, str]] = {}
    for index, (after, one) in enumerate(zip(later, shared, strict=True)):
        for name in before.info["pipelines"]:
            if name in after.info["pipelines"]:
                new, own = (values_of(run, name).reindex(one.query_ids) for run in (after, before))
                change = (new - own).reindex(index=query_ids, columns=measures)
                cells[f"{index}/{name}"] = index, name
                values[f"{index}/{name}"] = {measure: change[measure].to_numpy() for measure in measures}
    lower = tuple(name for name in measures if parse(name).measure.better == "lower")
    plan = Plan(before.info["seed"], LEVEL, clusters_of(before, query_ids), lower)
    rows: list[list[dict[str, Any]]] = [[] for _ in later]
    for row in compare(values, BEFORE, categories, plan):
        index, name = cells[row.system]
        if row.interval.n:
            rows[index].append(difference_row(row, BEFORE, 1 - LEVEL) | {"pipeline": name})
    return rows


def values_of(run: RunDirectory, pipeline: str) -> pd.DataFrame:
    """Return a pipeline's measures: one row a query, one column a measure."""
    rows = run.measures[run.measures["pipeline"] == pipeline]
    return rows.pivot(index="query_id", columns="measure", values="value").astype(float)


def _pairs(run: RunDirectory, pipeline: str, shared: Common) -> pd.DataFrame:
    rows = run.scores[run.scores["pipeline"] == pipeline]
    return rows[rows["query_id"].isin(shared.query_ids)]


def _scores(before: RunDirectory, after: RunDirectory, name: str, shared: Common) -> dict[str, Any]:
    """Return how far the scores of the same query and document moved, and whether candidates changed."""
    old, new = (_pairs(run, name, shared).set_index(PAIR)["score"] for run in (before, after))
    both = old.index.intersection(new.index)
    moved = (new.loc[both] - old.loc[both]).abs()
    return {
        "pipeline": name,
        "pairs": len(both),
        "only_before": len(old) - len(both),
        "only_after": len(new) - len(both),
        "changed": int((moved > 0).sum()),
        "mean_change": float(moved.mean()) if len(both) else None,
        "largest_change": float(moved.max()) if len(both) else None,
        "same_model": before.info["pipelines"][name]["domain"] == after.info["pipelines"][name]["domain"],
    }


def _kept(before: RunDirectory, after: RunDirectory, name: str, shared: Common) -> Iterator[dict[str, Any]]:
    """Yield, per category, both thresholds and what the new one keeps that the old did not.

    Each run's threshold is applied to its own scores. A category without a usable threshold keeps all.
    """
    if name not in before.policies or name not in after.policies:
        return
    relevant_from = before.info["dataset"]["relevant_from"]
    tables = [_pairs(run, name, shared) for run in (before, after)]
    for category in sorted({*tables[0]["category"].fillna("")}):
        entries = [run.policies[name].entry(category) for run in (before, after)]
        kept = []
        for table, entry in zip(tables, entries, strict=True):
            rows = table[table["category"].fillna("") == category]
            cut = -np.inf if entry.threshold is None else entry.threshold
            kept.append(rows[rows["score"] >= cut].set_index(PAIR)["grade"])
        gained = kept[1][~kept[1].index.isin(kept[0].index)]
        lost = kept[0][~kept[0].index.isin(kept[1].index)]
        yield {
            "pipeline": name,
            "category": category or None,
            "threshold": {"before": entries[0].threshold, "after": entries[1].threshold},
            "status": {"before": entries[0].status, "after": entries[1].status},
            "kept": {"before": len(kept[0]), "after": len(kept[1])},
            "gained": len(gained),
            "gained_relevant": int((gained >= relevant_from).sum()),
            "lost": len(lost),
            "lost_relevant": int((lost >= relevant_from).sum()),
        }


def _flipped(
    before: RunDirectory, after: RunDirectory, name: str, shared: Common
) -> Iterator[dict[str, Any]]:
    """Yield the queries whose value of the primary measure changed, the largest changes first."""
    old, new = (values_of(run, name).reindex(shared.query_ids) for run in (before, after))
    told = [measure for measure in dict.fromkeys(before.measures["measure"]) if parse(measure).measure.better]
    if not told or told[0] not in new:
        return
    primary = told[0]
    category = before.measures.drop_duplicates("query_id").set_index("query_id")["category"]
    moved = (new[primary] - old[primary]).dropna()
    moved = moved[moved.abs() > 1e-12]
    for query_id in moved.abs().sort_values(ascending=False, kind="stable").index[:FLIPPED_SHOWN]:
        yield {
            "pipeline": name,
            "query_id": query_id,
            "category": category[query_id] or None,
            "measure": primary,
            "before": float(old[primary][query_id]),
            "after": float(new[primary][query_id]),
        }
