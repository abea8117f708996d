"""`evalkit.compare`: the same comparison from Python."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import evalkit
from evalkit.errors import InputError
from tests.conftest import Cli
from tests.corpora import write_dataset

QRELS = {f"q{i}": {"a": 2, "b": 0, "c": 1} for i in range(30)}
BASE = {f"q{i}": {"a": 0.1, "b": 0.5 + i % 3, "c": 1.0} for i in range(30)}
BETTER = {f"q{i}": {"a": 3.0, "b": 0.5 + i % 2, "c": 1.0} for i in range(30)}


def frame(nested: dict[str, dict[str, float]], value: str) -> pd.DataFrame:
    """Return nested dicts as rows."""
    rows = [(query, doc, number) for query, of in nested.items() for doc, number in of.items()]
    return pd.DataFrame(rows, columns=["query_id", "doc_id", value])


def test_runs_are_compared_with_the_first() -> None:
    """One row a run and measure, with interval and corrected p, and the verdict beside them."""
    found = evalkit.compare(QRELS, {"base": BASE, "better": BETTER}, ["nDCG@10", "RR@10"])

    assert found["pipeline"].tolist() == ["better", "better"]
    assert found["measure"].tolist() == ["nDCG@10", "RR@10"]
    assert (found["low"] > 0).all()
    assert found["shown"].all()
    assert found.attrs["verdict"][0].startswith("better beats base")


def test_dicts_and_frames_say_the_same() -> None:
    """DataFrames give the figures that dicts give."""
    dicts = evalkit.compare(QRELS, {"base": BASE, "better": BETTER}, ["nDCG@10"])
    runs = {"base": frame(BASE, "score"), "better": frame(BETTER, "score")}
    frames = evalkit.compare(frame(QRELS, "grade"), runs, ["nDCG@10"])

    pd.testing.assert_frame_equal(dicts, frames)


def test_categories_groups_margins_and_tests_are_asked_for_by_name() -> None:
    """Each option brings its rows and columns."""
    found = evalkit.compare(
        QRELS,
        {"base": BASE, "better": BETTER},
        ["nDCG@10"],
        categories={f"q{i}": f"c{i % 2}" for i in range(30)},
        groups={f"q{i}": f"g{i // 2}" for i in range(30)},
        margins={"nDCG@10": 0.5},
        tests=["t"],
    )

    assert found["category"].tolist() == ["", "c0", "c1"]
    assert found["units"].tolist() == [15, 15, 15]
    assert {"margin.says", "tests.t.p_holm", "bootstrap.low"} <= set(found.columns)


@pytest.mark.parametrize(
    ("qrels", "runs", "advice"),
    [
        (QRELS, {"base": BASE}, "at least two runs"),
        (frame(QRELS, "grade").rename(columns={"doc_id": "doc"}), {}, "no column doc_id"),
        (frame(QRELS, "grade").iloc[[0, 0]], {}, "is judged twice"),
        ({"q": {"d": 0.5}}, {}, "whole numbers"),
        (QRELS, {"base": BASE, "bad": {"q1": {"a": "high"}}}, "no number: 'high'"),
    ],
)
def test_wrong_input_says_what_to_do(qrels: object, runs: dict[str, object], advice: str) -> None:
    """Each mistake is an InputError with advice."""
    with pytest.raises(InputError, match=advice):
        evalkit.compare(qrels, runs, ["nDCG@10"])


@pytest.mark.parametrize("margin", [0.0, -0.01, float("nan")])
def test_a_margin_is_positive(margin: float) -> None:
    """A margin that no difference is within, or none, is refused from Python as on the command line."""
    with pytest.raises(InputError, match="it is a positive number"):
        evalkit.compare(
            {"q": {"a": 1}}, {"x": {"q": {"a": 1}}, "y": {"q": {"a": 1}}}, ["RR"], margins={"RR": margin}
        )


def test_a_data_sets_folder_brings_categories_and_near_duplicates(cli: Cli, tmp_path: Path) -> None:
    """Python counts the units that the command line counts; before, it knew neither of them."""
    queries = {f"q{i}": (f"question {'about leave' * (i < 2)} {i * i}", f"c{i % 2}") for i in range(30)}
    grades = [(query, doc, grade) for query, of in QRELS.items() for doc, grade in of.items()]
    folder = write_dataset(tmp_path / "data", {"a": "one", "b": "two", "c": "three"}, queries, grades)
    for name, run in (("base", BASE), ("better", BETTER)):
        frame(run, "score").to_csv(tmp_path / f"{name}.csv", index=False)
    files = {name: tmp_path / f"{name}.csv" for name in ("base", "better")}
    found = evalkit.compare(folder, files, ["nDCG@10"])
    told = json.loads(cli("compare", "--qrels", folder, *files.values(), "-m", "nDCG@10", "--json").out)

    assert found["category"].tolist() == ["", "c0", "c1"]
    assert found["units"].tolist() == [row["units"] for row in told["differences"]]
    assert found["low"].tolist() == [row["low"] for row in told["differences"]]


def test_runs_in_a_list_are_refused_with_what_to_write() -> None:
    """Runs have names."""
    with pytest.raises(InputError, match="not a list"):
        evalkit.compare(QRELS, [BASE, BETTER], ["nDCG@10"])  # type: ignore[arg-type]
