"""Sampling a query log: duplicates merged, bands and categories covered, weights that add up."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from evalkit.data.sampling import Logged, read_log, sample
from evalkit.errors import DataError, InputError
from tests.conftest import Cli
from tests.data.importers.samples import write_csv


def log(categories: str = "ab") -> list[Logged]:
    """Return a log with few frequent and many rare queries in each category."""
    return [
        Logged(f"{category} topic{n} question{n * 7}", 300 // (n + 1), category)
        for category in categories
        for n in range(100)
    ]


def test_near_duplicates_are_merged_with_their_counts() -> None:
    """Case, marks and one more word do not make another query; the commonest wording stays."""
    logged = [
        Logged("How do I reset my password", 5, ""),
        Logged("how do i reset my password?", 9, ""),
        Logged("how do I reset my password please", 1, ""),
        Logged("opening hours", 2, ""),
    ]
    found = sample(logged, 10, False, 7)

    assert {(one.text, one.count) for one in found.queries} == {
        ("how do i reset my password?", 15),
        ("opening hours", 2),
    }


def test_bands_hold_thirds_of_the_traffic() -> None:
    """Few queries make the head, many the tail, and the sample has as many of each."""
    found = sample(log(), 12, False, 7)

    assert found.bands["head"] < found.bands["torso"] < found.bands["tail"]
    assert sum(found.bands.values()) == found.distinct == 200
    assert Counter(one.band for one in found.queries) == {"head": 4, "torso": 4, "tail": 4}


def test_each_category_has_its_number() -> None:
    """--by category draws n of each."""
    found = sample(log("abc"), 9, True, 7)

    assert Counter(one.category for one in found.queries) == {"a": 9, "b": 9, "c": 9}


def test_weights_add_up_to_the_distinct_queries() -> None:
    """A weighted count of the sample is the log's."""
    found = sample(log(), 30, True, 7)

    assert sum(one.weight for one in found.queries) == pytest.approx(found.distinct)


def test_a_sample_is_never_larger_than_the_log() -> None:
    """Asking for more gives all, each once."""
    found = sample(log("a"), 1000, False, 7)

    assert len({one.text for one in found.queries}) == len(found.queries) == 100


def test_the_seed_makes_the_sample() -> None:
    """The same seed draws the same, another one does not."""
    assert sample(log(), 20, False, 7) == sample(log(), 20, False, 7)
    assert sample(log(), 20, False, 7) != sample(log(), 20, False, 8)


def test_a_log_without_counts_counts_its_lines(tmp_path: Path) -> None:
    """A line each time that somebody asked; empty lines are counted apart."""
    path = Path(
        write_csv(tmp_path / "log.csv", ["query", "user"], [["a b", 1], ["a b", 2], ["", 3], ["c d", 4]])
    )
    logged, empty = read_log(path, {})
    found = sample(logged, 5, False, 7, empty)

    assert (found.lines, found.empty, found.distinct) == (4, 1, 2)
    assert max(one.count for one in found.queries) == 2


@pytest.mark.parametrize(
    ("header", "row", "told"),
    [(["term"], ["x"], "no column for `query`"), (["query", "count"], ["x", "often"], "is no number")],
)
def test_a_wrong_log_is_told(tmp_path: Path, header: list[str], row: list[object], told: str) -> None:
    """With the columns that are there, or the line."""
    with pytest.raises(DataError, match=told):
        read_log(Path(write_csv(tmp_path / "log.csv", header, [row])), {})


def test_an_empty_log_is_refused() -> None:
    """There is nothing to draw from."""
    with pytest.raises(InputError, match="no query with text"):
        sample([], 5, False, 7)


def test_the_command_writes_queries_of_a_data_set(cli: Cli, tmp_path: Path) -> None:
    """What comes out is queries.jsonl, and is never written over."""
    rows: list[list[object]] = [[one.text, one.times, one.category] for one in log()]
    path = write_csv(tmp_path / "log.csv", ["term", "count", "category"], rows)
    out = tmp_path / "queries.jsonl"
    told = cli("sample", path, "--n", 6, "--by", "category", "--map", "query=term", "--out", out)
    lines = [json.loads(line) for line in out.read_text().splitlines()]

    assert told.code == 0, told
    assert "12 queries to label" in told.out
    assert {line["metadata"]["category"] for line in lines} == {"a", "b"}
    assert cli("sample", path, "--map", "query=term", "--out", out).code == 2


def test_a_map_to_a_column_that_the_log_lacks_is_refused(tmp_path: Path) -> None:
    """A misspelt column of counts would make every query as frequent as any other."""
    (tmp_path / "log.csv").write_text("query,n\nreset password,420\n")
    with pytest.raises(DataError, match="--map count=nn: no table has a column 'nn'"):
        read_log(tmp_path / "log.csv", {"count": "nn"})
