"""A policy applied to a table of scores, as production applies it to one list at a time."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from evalkit.data.files import write_file
from evalkit.data.scores import read_frame, scores_of
from evalkit.errors import InputError
from evalkit.thresholds.policy import PER_LABEL, ThresholdPolicy

if TYPE_CHECKING:
    import pandas as pd


class Filtered(NamedTuple):
    """How many of what went in and was kept, and the categories to which the policy's default applied."""

    counts: dict[str, int]
    unknown: list[str]


def filter_table(
    policy: ThresholdPolicy, scores: Path, out: Path, *, by: str = "category", model: str | None = None
) -> Filtered:
    """Write the rows that `policy` keeps to `out`, as they stand in `scores`.

    Raises:
        InputError: the table cannot be read, or `out` has another ending.
        DomainError: the scores cannot be of the policy's model.
    """
    if out.suffix != scores.suffix:
        raise InputError(
            f"{out}: kept rows are written in the format that was read; name a {scores.suffix} file"
        )
    table = scores_of(scores, by=by, graded=False)
    kept: list[int] = []
    empty = 0
    code = table.run.query
    frame = read_frame(scores)
    groups: dict[int, list[int]] = {}
    for row, query in enumerate(code.tolist()):
        groups.setdefault(query, []).append(row)
    for query, rows in groups.items():
        category = table.category.get(table.run.query_ids[query].as_py())
        pairs = [(row, float(table.run.score[row])) for row in rows]
        shown = policy.keep(pairs, category=category, model=model)
        kept += [row for row, _ in shown]
        empty += not shown
    write_file(out, _written(frame.iloc[sorted(kept)], out))
    counts = {"rows": len(frame), "kept": len(kept), "queries": len(groups), "empty": empty}
    return Filtered(counts, _unknown(policy, table.category.values()) if policy.categories else [])


def _unknown(policy: ThresholdPolicy, named: Iterable[str]) -> list[str]:
    labels = {label for name in named for label in name.split(PER_LABEL) if label}
    return sorted(labels - policy.categories.keys())


def _written(frame: pd.DataFrame, path: Path) -> bytes:
    if path.suffix == ".parquet":
        sink = io.BytesIO()
        frame.to_parquet(sink, index=False)
        return sink.getvalue()
    if path.suffix == ".jsonl":
        return str(frame.to_json(orient="records", lines=True, force_ascii=False)).encode()
    return frame.to_csv(index=False, sep="\t" if path.suffix == ".tsv" else ",", lineterminator="\n").encode()
