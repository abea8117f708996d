"""Tests of tables of scores from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.data.scores import scores_of
from evalkit.errors import DataError, InputError

FRAME = pd.DataFrame(
    {
        "query_id": ["007", "007", "NA"],
        "doc_id": ["d1", "d2", "d1"],
        "score": [0.9, 0.1, 0.5],
        "grade": [2, None, 0],
        "category": ["a", "a", "b"],
    }
)


def write(folder: Path, suffix: str, frame: pd.DataFrame = FRAME) -> Path:
    """Write the frame in one of the formats."""
    path = folder / f"scores{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    elif suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_reads_the_same(tmp_path: Path, suffix: str) -> None:
    """Identifiers stay strings, an empty grade is no judgment, categories belong to queries."""
    found = scores_of(write(tmp_path, suffix))

    assert found.run.query_ids.to_pylist() == ["007", "NA"]
    assert found.run.score.tolist() == [0.9, 0.1, 0.5]
    assert found.qrels.grade.tolist() == [2, 0]
    assert found.category == {"007": "a", "NA": "b"}


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_scores_come_back_bit_for_bit_from_csv(
    tmp_path_factory: pytest.TempPathFactory, scores: list[float]
) -> None:
    """A threshold is an observed score: reading must not move it."""
    ids = [str(i) for i in range(len(scores))]
    frame = pd.DataFrame({"query_id": ids, "doc_id": ids, "score": scores, "grade": 0})

    assert scores_of(write(tmp_path_factory.mktemp("csv"), ".csv", frame)).run.score.tolist() == scores


def test_another_column_can_hold_the_categories() -> None:
    """For instance the ones that a classifier predicts in production."""
    frame = FRAME.assign(predicted=["x", "x", "y"])

    assert scores_of(frame, by="predicted").category == {"007": "x", "NA": "y"}


def test_all_that_is_wrong_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    """Broken scores, grades, pairs and categories, each with file, line and remedy."""
    path = tmp_path / "scores.csv"
    path.write_text(
        "query_id,doc_id,score,grade,category\n"
        "q1,d1,high,1,a\nq1,d2,0.5,1.5,a\nq1,d2,0.4,0,a\nq1,d3,0.3,0,b\n",
        "utf-8",
    )
    with pytest.raises(DataError) as caught:
        scores_of(path)

    assert [(finding.line, finding.what.split()[1]) for finding in caught.value.findings] == [
        (2, "score"), (4, "pair"), (5, "query"), (3, "grade"),
    ]  # fmt: skip
    assert str(path) in str(caught.value)


def test_a_line_is_a_line_below_cells_of_several(tmp_path: Path) -> None:
    """Texts beside the scores may hold line breaks, and blank lines count."""
    path = tmp_path / "scores.csv"
    path.write_text('query_id,doc_id,score,grade,document\nq,a,1,1,"one\ntwo"\n\nq,b,1,half,"x"\n', "utf-8")
    with pytest.raises(DataError) as error:
        scores_of(path)

    assert [finding.line for finding in error.value.findings] == [5]


def test_a_missing_column_is_told_with_those_that_are_there() -> None:
    """And a column named by `by` must exist."""
    with pytest.raises(InputError, match="no column grade; it has query_id"):
        scores_of(FRAME.drop(columns="grade"))
    with pytest.raises(InputError, match="no column predicted"):
        scores_of(FRAME, by="predicted")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("scores.txt", "", "ends in .csv"),
        ("none.csv", None, "does not exist"),
        ("broken.parquet", "x", "cannot be read as parquet"),
        ("broken.jsonl", "{", "cannot be read as jsonl"),
        ("empty.csv", "", "cannot be read as csv"),
        ("header.csv", "query_id,doc_id,score,grade\n", "there is no row"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, name: str, content: str | None, told: str
) -> None:
    """With its path and the reason."""
    path = tmp_path / name
    if content is not None:
        path.write_text(content, "utf-8")

    with pytest.raises(InputError, match=told):
        scores_of(path)
