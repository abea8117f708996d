"""A calibration and a test part of the queries: whole groups, one mixture, kept in the data set."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from evalkit.data.files import refusal, write_file
from evalkit.errors import DataError, Finding, InputError
from evalkit.records import Dataset
from evalkit.stats.duplicates import clusters

FILE = "splits.tsv"
HEADER = ("query-id", "split")
CALIBRATION, TEST = "calibration", "test"


def split(dataset: Dataset, share: float, seed: int) -> dict[str, str]:
    """Return "calibration" or "test" for every judged query; `share` of each stratum is for calibration.

    A stratum is a category's answerable or negative queries. Queries of one group, declared or found by
    near-duplicate text, stay together, so that the test is about new questions. The order of the queries
    in the file does not matter.

    Raises:
        InputError: `share` is not between 0 and 1, or nothing is judged.
    """
    if not 0 < share < 1:
        raise InputError(f"a share of {share} leaves one part empty. Choose one between 0 and 1")
    units = _units(dataset)
    if not units:
        raise InputError(f"{dataset.name} has no judged query to split")
    rng = np.random.default_rng(seed)
    strata: dict[tuple[str, bool], list[list[str]]] = {}
    for stratum, members in units:
        strata.setdefault(stratum, []).append(members)
    parts: dict[str, str] = {}
    owed = 0.0  # carried from one stratum to the next, so that small ones do not all round the same way
    for stratum in sorted(strata):
        groups = strata[stratum]
        order = [groups[place] for place in rng.permutation(len(groups))]
        wanted = share * sum(map(len, order)) + owed
        taken = 0
        for members in order:
            chosen = taken + len(members) / 2 <= wanted
            taken += len(members) if chosen else 0
            parts |= dict.fromkeys(members, CALIBRATION if chosen else TEST)
        owed = wanted - taken
    return {name: parts[name] for name in dataset.queries if name in parts}


def _units(dataset: Dataset) -> list[tuple[tuple[str, bool], list[str]]]:
    """Return (stratum, queries) of every group of judged queries, by the least id in it."""
    qrels = dataset.qrels
    judged = {qrels.query_ids[code].as_py() for code in np.unique(qrels.query).tolist()}
    relevant = qrels.query[qrels.grade >= qrels.relevant_from]
    answerable = {qrels.query_ids[code].as_py() for code in np.unique(relevant).tolist()}
    queries = [dataset.queries[name] for name in sorted(judged)]
    label = clusters([query.group for query in queries], [query.text for query in queries])
    groups: dict[int, list[str]] = {}
    for place, query in enumerate(queries):
        groups.setdefault(place if label is None else int(label[place]), []).append(query.id)
    return [
        ((dataset.queries[members[0]].category, members[0] in answerable), members)
        for members in sorted(groups.values())
    ]


def save(folder: Path, parts: Mapping[str, str]) -> Path:
    """Write `splits.tsv` into the data set's folder.

    Raises:
        InputError: it holds a split already, which results may have been made with.
    """
    path = folder / FILE
    if path.exists():
        raise InputError(f"{path} is there already: a split is made once. Remove it to make another")
    write_file(path, written(parts))
    return path


def written(parts: Mapping[str, str]) -> bytes:
    """Return the content of `splits.tsv`."""
    rows = "".join(f"{name}\t{part}\n" for name, part in parts.items())
    return f"{chr(9).join(HEADER)}\n{rows}".encode()


def load(folder: Path, queries: Collection[str]) -> dict[str, str]:
    """Return the split that is kept in `folder`, the data set of `queries`.

    Raises:
        DataError: there is none, or a line of it names an unknown query or part; all findings at once.
    """
    return read(folder / FILE, queries, folder)


def read(path: Path, queries: Collection[str] | None = None, folder: Path | None = None) -> dict[str, str]:
    """Return the split in a file; `queries` are those that it may name, links out of `folder` are refused.

    Raises:
        DataError: as `load`.
    """
    if refused := refusal(path, folder):
        raise DataError([refused._replace(remedy="Make one with `evalkit split`")])
    parts: dict[str, str] = {}
    findings = []
    with path.open(encoding="utf-8", newline="") as file:
        for number, cells in enumerate(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE), start=1):
            if not cells or (number == 1 and tuple(cells) == HEADER):
                continue
            problem = _problem(cells, parts, queries)
            if problem:
                findings.append(Finding(str(path), number, problem, "Correct the line"))
            else:
                parts[cells[0]] = cells[1]
    if findings:
        raise DataError(findings)
    return parts


def _problem(cells: list[str], parts: Mapping[str, str], queries: Collection[str] | None) -> str | None:
    if len(cells) != len(HEADER):
        return f"{len(cells)} columns instead of 2"
    if queries is not None and cells[0] not in queries:
        return f"the unknown query {cells[0]!r:.60}"
    if cells[0] in parts:
        return f"the query {cells[0]!r:.60} stands twice"
    if cells[1] not in (CALIBRATION, TEST):
        return f"the part {cells[1]!r:.40} is neither {CALIBRATION} nor {TEST}"
    return None
