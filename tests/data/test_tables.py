"""Tables of judgments, runs and scores, in every form that they come in."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.data.tables import qrels_of_table, run_of_table
from evalkit.errors import DataError, InputError
from evalkit.measures import judge

ROWS = pd.DataFrame(
    {
        "query_id": ["1", "1", "1", "2", "3"],
        "doc_id": ["007", "b", "c", "b", "b"],
        "score": [0.9, 0.5, 0.25, 1.0, 0.75],
        "grade": [2, np.nan, 0, 0, np.nan],
        "category": ["how-to", "how-to", "how-to", "facts", "facts"],
    }
)


def lines(frame: pd.DataFrame) -> str:
    """Return a frame as JSON Lines, without what is not there."""
    rows = ({key: value for key, value in row.items() if value == value} for row in frame.to_dict("records"))
    return "".join(json.dumps(row) + "\n" for row in rows)


WRITERS: dict[str, Callable[[Path], object]] = {
    "scores.csv": lambda path: ROWS.to_csv(path, index=False),
    "scores.tsv": lambda path: ROWS.to_csv(path, index=False, sep="\t"),
    "scores.csv.gz": lambda path: path.write_bytes(gzip.compress(ROWS.to_csv(index=False).encode())),
    "scores.jsonl": lambda path: path.write_text(lines(ROWS), "utf-8"),
    "scores.parquet": lambda path: ROWS.to_parquet(path),
}


@pytest.mark.parametrize("name", [*WRITERS, "frame"])
def test_scores_of_every_form(tmp_path: Path, name: str) -> None:
    """The same scores come out of CSV, TSV, gzip, JSON Lines, Parquet and a DataFrame; ids stay text."""
    if name in WRITERS:
        WRITERS[name](tmp_path / name)
    given = tmp_path / name if name in WRITERS else ROWS
    run = run_of_table(given)
    judged = judge(run, qrels_of_table(given))

    assert judged.query_ids == ("1", "2")
    assert judged.score.tolist() == [0.9, 0.5, 0.25, 1.0]
    assert judged.grade.tolist() == [2, 0, 0, 0]
    assert judged.judged.tolist() == [True, False, True, True]
    assert judged.unjudged_queries == 1
    assert "007" in run.doc_ids.to_pylist()


def test_columns_that_are_missing_are_named(tmp_path: Path) -> None:
    """A file without a needed column is refused with what it has and what it needs."""
    ROWS.drop(columns="score").to_csv(tmp_path / "s.csv", index=False)

    with pytest.raises(
        InputError, match=r"s\.csv: no column score \(it has query_id, doc_id, grade, category\)"
    ):
        run_of_table(tmp_path / "s.csv")


@pytest.mark.parametrize(
    ("read", "cell", "what"),
    [
        (run_of_table, "1,b,high,1,x", "the score is no number"),
        (run_of_table, "1,b,,1,x", "no score"),
        (qrels_of_table, "1,b,0.5,1.5,x", "the grade is no whole number"),
        (qrels_of_table, "1,a,0.5,1,x", "is judged twice"),
        (run_of_table, ",b,0.5,1,x", "no query_id"),
    ],
)
def test_wrong_rows_are_refused_with_their_line(
    tmp_path: Path, read: Callable[[Path], object], cell: str, what: str
) -> None:
    """A row that cannot be read is told with its line in the file."""
    path = tmp_path / "s.csv"
    path.write_text(f"query_id,doc_id,score,grade,category\n1,a,0.75,1,x\n{cell}\n", "utf-8")

    with pytest.raises(DataError, match=rf"s\.csv:3: .*{what}"):
        read(path)


def test_a_file_that_is_not_what_its_name_says(tmp_path: Path) -> None:
    """A broken file is the user's error, with the reason."""
    (tmp_path / "s.parquet").write_text("no parquet", "utf-8")

    with pytest.raises(InputError, match="cannot be read as parquet"):
        run_of_table(tmp_path / "s.parquet")


@pytest.mark.parametrize(
    "text", ['{"q": {"a": 1, "b": 1, "a": 2}}', '{"a": {"x": 1}, "b": {}, "a": {"y": 1}}']
)
def test_a_name_twice_in_json_is_refused(tmp_path: Path, text: str) -> None:
    """A document twice in a query, or a query twice, is told and not settled by the last one."""
    (tmp_path / "run.json").write_text(text, "utf-8")

    with pytest.raises(InputError, match=r"run\.json: .*'a' stands twice"):
        run_of_table(tmp_path / "run.json")


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_a_line_is_a_line_below_cells_of_several(tmp_path: Path, suffix: str) -> None:
    """A column with line breaks does not shift what is told."""
    path = tmp_path / f"qrels{suffix}"
    content = b'query_id,doc_id,grade,note\nq,a,1,"one\ntwo"\n\nq,b,1.5,x\n'
    path.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    with pytest.raises(DataError) as error:
        qrels_of_table(path)

    assert [finding.line for finding in error.value.findings] == [5]


def test_all_rows_that_are_wrong_are_told_at_once(tmp_path: Path) -> None:
    """Lacking ids, lacking scores and words for numbers, in the order of lines; before, one kind a try."""
    path = tmp_path / "run.csv"
    path.write_text("query_id,doc_id,score\nq1,,0.5\nq1,a,\nq1,b,high\nq1,c,1\n,d,2\n")
    with pytest.raises(DataError) as error:
        run_of_table(path)

    assert [(one.line, one.what) for one in error.value.findings] == [
        (2, "no doc_id"),
        (3, "no score"),
        (4, "the score is no number"),
        (6, "no query_id"),
    ]


def test_all_judgments_that_are_wrong_are_told_at_once() -> None:
    """Fractions, repeated pairs and lacking ids."""
    rows = [("q1", "a", 1.5), ("q1", "b", 1.0), ("q1", "b", 0.0), ("q2", None, 1.0)]
    with pytest.raises(DataError) as error:
        qrels_of_table(pd.DataFrame(rows, columns=["query_id", "doc_id", "grade"]))

    assert [one.line for one in error.value.findings] == [1, 3, 4]
