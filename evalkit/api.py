"""The calls of `import evalkit`: measure, compare, calibrate, run, open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit import runs

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.data.scores import ScoresLike
    from evalkit.data.tables import Tabular
    from evalkit.measures.join import Precision, Ties
    from evalkit.runs import RunDirectory
    from evalkit.thresholds.policy import ThresholdPolicy


def measure(
    qrels: Tabular,
    run: Tabular,
    measures: Sequence[str],
    *,
    per_query: bool = False,
    relevance_level: int | None = None,
    depth: int | None = None,
    complete: bool = True,
    ties: Ties = "document",
    score_precision: Precision = "float64",
) -> pd.DataFrame:
    """Measure a run: one row a measure with `value`, `n` and `n_undefined`; or one a query and measure.

    `qrels` and `run` are paths, DataFrames (`query_id, doc_id` and `grade` or `score`) or dicts of dicts.
    The options are those of `evalkit measure`. Undefined values are NaN, skipped and counted;
    `attrs["warnings"]` of the frame says what to know beside the figures.

    Raises:
        InputError: a measure, a table or an option is wrong; DataError names the lines.
    """
    import pandas as pd

    from evalkit.data.sources import judged_from, qrels_from
    from evalkit.measures import measured
    from evalkit.measures.evaluate import needs_all_rows

    judged = judged_from(
        run,
        qrels_from(qrels, relevance_level),
        judged_rows_only=not needs_all_rows(measures),
        depth=depth,
        ties=ties,
        score_precision=score_precision,
    )
    told = measured("run", judged, measures, complete)
    if per_query:
        rows = [
            (query, name, float(value))
            for name, of in told.values.items()
            for query, value in zip(told.query_ids, of, strict=True)
        ]
        frame = pd.DataFrame(rows, columns=["query_id", "measure", "value"])
    else:
        frame = pd.DataFrame(told.means, columns=["measure", "value", "n", "n_undefined"])
        frame["value"] = frame["value"].astype(float)
    frame.attrs["warnings"] = told.warnings
    return frame


def compare(
    qrels: Tabular,
    runs: Mapping[str, Tabular],
    measures: Sequence[str],
    *,
    baseline: str | None = None,
    categories: Mapping[str, str] | None = None,
    groups: Mapping[str, str] | None = None,
    margins: Mapping[str, float] | None = None,
    tests: Sequence[str] = (),
    seed: int = 7,
) -> pd.DataFrame:
    """Compare runs with a baseline query by query: one row a run, measure and category ("" is all queries).

    `qrels` and runs are paths, DataFrames or dicts. `baseline` is the first run by default. `categories` and
    `groups` map query ids: differences are also told per category, and queries of one group count as one
    unit. A data set's folder as `qrels` knows both, and the texts of its queries; what is given replaces
    them. `margins` (measure -> difference that would not matter) and `tests` ("t", "wilcoxon") add columns.
    The columns are those of `differences` in docs/guide/summary.md; the frame's `attrs["verdict"]` holds the
    verdict in sentences.

    Raises:
        InputError: runs, baseline, measures, margins or tests are wrong.
    """
    import pandas as pd

    from evalkit.data.sources import qrels_from, run_from
    from evalkit.errors import InputError, all_of
    from evalkit.experiment.compare import QueryFacts, Wish, compare_runs, read_judgments
    from evalkit.runs import flattened

    if not isinstance(runs, Mapping):
        raise InputError(f"runs are {{name: path, DataFrame or dict}}, not a {type(runs).__name__}")
    if isinstance(qrels, str | Path):
        judgments, asked = read_judgments(Path(qrels))
    else:
        judgments, asked = qrels_from(qrels), QueryFacts()
    given = dict(zip(runs, all_of(partial(run_from, one, name) for name, one in runs.items()), strict=True))
    asked = replace(
        asked,
        category=asked.category if categories is None else categories,
        group=asked.group if groups is None else groups,
    )
    wish = Wish(measures, seed, tests, margins or {})
    summary = compare_runs(judgments, given, baseline or next(iter(given), ""), asked, wish)
    rows = [dict(flattened(row)) | {"category": row["category"] or ""} for row in summary["differences"]]
    frame = pd.DataFrame(rows)
    frame.attrs["verdict"] = summary["verdict"]
    return frame


def calibrate(
    scores: ScoresLike | RunDirectory,
    *,
    goal: Any = None,
    by: str | None = None,
    pipeline: str | None = None,
    model: str = "",
    score_space: str = "",
    candidates: str = "",
    relevant_from: int = 1,
    seed: int | None = None,
    split: str | Path | None = None,
) -> ThresholdPolicy:
    """Choose a threshold per category for `goal` and return the policy; the suite's or default goal if None.

    `scores` is a path or DataFrame `query_id, doc_id, score, grade` (empty: unjudged) and optionally
    `category`, or a run directory (its path, or opened) of which `pipeline` is calibrated. `by` is
    "category", "none", or the column of the table that holds the categories, for instance predicted ones;
    the suite's, or "category", if None.
    `model` ("provider/name"), `score_space` and `candidates` say where a table's scores come from; the
    policy refuses scores of another model. `split` is a file like a data set's `splits.tsv`: thresholds are
    chosen on its calibration part, and what they are worth on the test part stands in `policy.held_out`.

    Raises:
        InputError: the goal or the input makes no sense.
        DataError: the scores hold values that cannot be; all findings at once.
    """
    from evalkit.experiment.heldout import choose
    from evalkit.experiment.sources import source
    from evalkit.thresholds.goals import Goal

    table = {"model": model, "score_space": score_space, "candidates": candidates, "by": by}
    found = source(scores, pipeline, split, relevant_from=relevant_from, **table)
    asked = Goal.parse(found.goal if goal is None else goal)
    return choose(found, asked, found.seed if seed is None else seed).policy


def run(suite: str | Path, out: str | Path | None = None) -> RunDirectory:
    """Run a suite (a `suite.yaml` or its folder) and return the opened run directory.

    Raises:
        EvalkitError: as `evalkit run` would tell it.
    """
    from evalkit.experiment.run import run as run_suite

    return run_suite(suite, out)


def open(folder: str | Path) -> RunDirectory:  # noqa: A001  evalkit.open reads so
    """Open a run directory.

    Raises:
        InputError: there is none, it is incomplete, of another schema, or changed since it was written.
    """
    return runs.read(folder)
