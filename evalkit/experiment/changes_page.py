"""The page of a comparison of run directories: written beside the last of them, never into any."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit import __version__, runs
from evalkit.data.files import write_file
from evalkit.errors import InputError
from evalkit.experiment.common import common
from evalkit.report.changes import sections
from evalkit.report.escape import slug
from evalkit.report.render import Head, page
from evalkit.runs import RunDirectory
from evalkit.words import plural

if TYPE_CHECKING:
    import pyarrow as pa

    from evalkit.report.view import View


def write_page(
    told: Mapping[str, Any],
    compared: Sequence[RunDirectory],
    restrict: bool = False,
    out: Path | None = None,
) -> Path:
    """Write the page of what `changes(compared, restrict)` told and return its path.

    Without `out` it is LAST-against-FIRST.html in the folder that holds the last run's.

    Raises:
        InputError: the place is a folder, or inside a run directory.
    """
    names = [_folder(run).name for run in compared]
    path = out or _folder(compared[-1]).parent / f"{slug(names[-1])}-against-{slug(names[0])}.html"
    _refuse(path)
    labels = _labels(names)
    plain = json.loads(runs.to_json(told))
    view = _view(compared, labels, restrict)
    head = Head(
        f"{', '.join(labels[1:])} against {labels[0]}",
        _meta(compared, view),
        any(run.info.get("sandbox") for run in compared),
        "comparison",
    )
    text = page(head, sections(plain, labels, view), __version__)
    write_file(path, text.encode("utf-8", "replace"))
    return path


def _refuse(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path} is a folder. Name a file with --out, such as {path / 'compare.html'}")
    for folder in path.resolve().parents:
        if (folder / runs.RUN).is_file():
            raise InputError(f"{path} is inside the run directory {folder}. Name another place with --out")


def _folder(run: RunDirectory) -> Path:
    """Return the run's folder as it was named, written out where the last part of the path is no name."""
    return run.folder if run.folder.name not in ("", "..") else run.folder.resolve()


def _labels(names: Sequence[str]) -> list[str]:
    """Return what each run is called: its folder's name, with a number where two are called alike."""
    if len(set(names)) == len(names):
        return list(names)
    return [f"{name} ({number})" for number, name in enumerate(names, start=1)]


def _meta(compared: Sequence[RunDirectory], view: View | None) -> str:
    days = [str(run.info["started"])[:10] for run in compared]
    suites = dict.fromkeys(str(run.info["name"]) for run in compared)
    shared = 0 if view is None else len(view.query_ids)
    return (
        f"{', '.join(suites)} · {', '.join(days[1:])} against {days[0]} · "
        f"{plural(shared, 'query')} in all runs"
    )


def _view(compared: Sequence[RunDirectory], labels: Sequence[str], restrict: bool) -> View | None:
    """Return all runs as one, with each pipeline of each run by itself, on the queries that all share."""
    from evalkit.report.viewing import view_of

    before, after = compared[0], compared[-1]
    shared = [set(common(before, run, restrict).query_ids) for run in compared[1:]]
    ids = set.intersection(*shared)
    both = [
        name for name in before.info["pipelines"] if all(name in run.info["pipelines"] for run in compared)
    ]
    if not ids or not both:
        return None
    subject = after.info.get("thresholds_of")
    subject = subject if subject in both else both[-1]
    cells = {
        f"{name}, {label}": (name, run) for name in both for label, run in zip(labels, compared, strict=True)
    }
    primary = before.summary["primary"] or before.summary["measures"][0]["measure"]
    info = {
        **after.info,
        "pipelines": {cell: run.info["pipelines"][name] for cell, (name, run) in cells.items()},
        "failures": {cell: run.info["failures"].get(name, []) for cell, (name, run) in cells.items()},
        "thresholds_of": f"{subject}, {labels[-1]}",
    }
    summary = {"baseline": f"{subject}, {labels[0]}", "primary": primary, "measures": [{"measure": primary}]}
    policies = {
        cell: run.policies[name].to_dict() for cell, (name, run) in cells.items() if name in run.policies
    }
    return view_of(info, summary, policies, _tables(compared, cells, ids))


def _tables(
    compared: Sequence[RunDirectory], cells: Mapping[str, tuple[str, RunDirectory]], ids: set[str]
) -> dict[str, pa.Table]:
    """Return the tables of `view`; of a document that was rendered otherwise, the last run's text."""
    import pandas as pd
    import pyarrow as pa

    def joined(table: str) -> Iterator[pd.DataFrame]:
        for cell, (name, run) in cells.items():
            rows = getattr(run, table)
            yield rows[(rows["pipeline"] == name) & rows["query_id"].isin(ids)].assign(pipeline=cell)

    judgments = compared[0].judgments
    texts = pd.concat([run.texts for run in reversed(compared)]).drop_duplicates(["kind", "id"])
    texts = texts[(texts["kind"] == "document") | texts["id"].isin(ids)]
    frames = {
        "scores": pd.concat(joined("scores")),
        "measures": pd.concat(joined("measures")),
        "judgments": judgments[judgments["query_id"].isin(ids)],
        "texts": texts,
    }
    return {name: pa.Table.from_pandas(frame, preserve_index=False) for name, frame in frames.items()}
