"""What `evalkit check` finds: every mistake in a data set, a suite or a thresholds file, and its size."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evalkit import suite as suites
from evalkit.data import beir
from evalkit.errors import DataError, Finding, InputError
from evalkit.measures import parse
from evalkit.records import Dataset
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.policy import ThresholdPolicy


@dataclass(frozen=True)
class Checked:
    """The findings of one check, and what was told about the sizes in plain lines."""

    findings: tuple[Finding, ...]
    told: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"findings": [finding._asdict() for finding in self.findings], "told": list(self.told)}


def check(path: str | Path) -> Checked:
    """Check the data set folder, suite or thresholds file at `path`.

    Raises:
        InputError: there is nothing at `path`, or nothing that can be checked.
    """
    path = Path(path)
    if path.suffix in (".yaml", ".yml") and path.name != "dataset.yaml":
        return _suite(path)
    if path.suffix == ".json":
        return _policy(path)
    folder = path.parent if path.name == "dataset.yaml" else path
    if not folder.is_dir():
        raise InputError(
            f"{path}: nothing to check. Name a data set's folder, a suite.yaml or a thresholds.json"
        )
    checked = _dataset(folder)
    if (folder / "suite.yaml").is_file():
        suite = _suite(folder / "suite.yaml", with_data=False)
        checked = Checked(checked.findings + suite.findings, checked.told + suite.told)
    return checked


def _dataset(folder: Path) -> Checked:
    dataset, findings = beir.inspect(folder)
    return Checked(tuple(findings), () if dataset is None else tuple(_sizes(dataset)))


def _sizes(dataset: Dataset) -> list[str]:
    """Tell the sizes: documents, judged, negative and unjudged queries, categories, grades."""
    qrels = dataset.qrels
    query_ids = qrels.query_ids.to_pylist()
    judged = {query_ids[code] for code in np.unique(qrels.query).tolist()}
    relevant = qrels.query[qrels.grade >= qrels.relevant_from]
    answerable = {query_ids[code] for code in np.unique(relevant).tolist()}
    lines = [
        f"{dataset.name}: {len(dataset.corpus)} documents, {len(dataset.queries)} queries "
        f"({len(answerable)} answerable, {len(judged) - len(answerable)} negative, "
        f"{len(dataset.queries) - len(judged)} unjudged), {len(qrels.grade)} judgments",
        "grades: " + ", ".join(f"{grade}: {n}" for grade, n in sorted(Counter(qrels.grade.tolist()).items())),
    ]
    categories = Counter(query.category for query in dataset.queries.values())
    for category, count in sorted(categories.items()):
        inside = {query.id for query in dataset.queries.values() if query.category == category}
        negative = len(inside & judged - answerable)
        lines.append(f"  {category or '(no category)'}: {count} queries, {negative} negative")
    return lines


def _suite(path: Path, with_data: bool = True) -> Checked:
    try:
        suite = suites.load(path)
    except DataError as error:
        return Checked(error.findings, ())
    findings = []
    for name in suite.measures:
        findings += _tried(path, "measures", lambda name=name: parse(name))
    findings += _tried(path, "thresholds.goal", lambda: Goal.parse(suite.thresholds.goal))
    told = (f"{suite.name}: {len(suite.pipelines)} pipelines, baseline {suite.baseline_name}",)
    checked = _dataset(suite.folder / suite.dataset) if with_data else Checked((), ())
    return Checked(tuple(findings) + checked.findings, told + checked.told)


def _policy(path: Path) -> Checked:
    found = _tried(path, "", lambda: ThresholdPolicy.load(path))
    return Checked(tuple(found), () if found else (f"{path}: a valid thresholds file",))


def _tried(path: Path, place: str, read: Any) -> list[Finding]:
    try:
        read()
    except InputError as error:
        return [Finding(str(path), None, f"`{place}`: {error}" if place else str(error), "Correct the value")]
    return []
