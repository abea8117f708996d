"""A split keeps groups whole, the mixture alike, and is made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.data import beir, splits
from evalkit.documents import Document
from evalkit.errors import DataError, InputError
from evalkit.measures.columns import strings
from evalkit.records import Dataset, Qrels, Query
from tests.corpora import write_dataset

WORDS = [f"{one}{two}ra" for one in "bdfg" for two in "aeio"]


def collection(queries: list[tuple[str, str, int]]) -> Dataset:
    """Return a data set with one judgment a query, from (category, group, grade)."""
    asked = {
        f"q{n:03}": Query(f"q{n:03}", f"{WORDS[n % 16]} {WORDS[n // 16 % 16]} {n}", category, group)
        for n, (category, group, _) in enumerate(queries)
    }
    rows = np.arange(len(asked), dtype=np.int32)
    grades = np.array([grade for _, _, grade in queries], np.int32)
    qrels = Qrels(strings(list(asked)), strings(["d"]), rows, np.zeros_like(rows), grades)
    return Dataset("made", {"d": Document("d", "", "text")}, asked, qrels, {})


drawn = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["", "", "", "g1", "g2"]), st.integers(0, 1)),
    min_size=1,
    max_size=80,
)


@given(drawn, st.floats(0.1, 0.9), st.integers(0, 5))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_groups_stay_whole_and_every_judged_query_has_a_part(
    queries: list[tuple[str, str, int]], share: float, seed: int
) -> None:
    """No group is on both sides, and nobody is left out."""
    dataset = collection(queries)
    parts = splits.split(dataset, share, seed)

    assert set(parts) == set(dataset.queries)
    for group in ("g1", "g2"):
        assert len({parts[name] for name, query in dataset.queries.items() if query.group == group}) <= 1


def test_each_stratum_has_its_share() -> None:
    """Forty answerable and twenty negative queries a category: half of each, to within one query."""
    dataset = collection([(c, "", int(n < 40)) for c in "ab" for n in range(60)])
    parts = splits.split(dataset, 0.5, 7)
    for category in "ab":
        for grade, size in ((1, 40), (0, 20)):
            names = [
                name
                for name, row in zip(dataset.queries, dataset.qrels.grade.tolist(), strict=True)
                if dataset.queries[name].category == category and row == grade
            ]
            assert len(names) == size
            assert abs(sum(parts[name] == splits.CALIBRATION for name in names) - size / 2) <= 1


def test_small_strata_do_not_all_round_the_same_way() -> None:
    """Thirty categories of one query each: about half of them for calibration, not none."""
    parts = splits.split(collection([(f"c{n:02}", "", 1) for n in range(30)]), 0.5, 7)

    assert sum(part == splits.CALIBRATION for part in parts.values()) in (14, 15, 16)


def test_near_duplicates_are_a_group(tmp_path: Path) -> None:
    """A query and its copy with another mark are on one side, whatever the seed."""
    queries = {f"q{n}": (f"{WORDS[n]} {WORDS[n + 1]} {WORDS[n + 2]}", "") for n in range(8)}
    queries["q9"] = (queries["q0"][0].upper() + "?", "")
    dataset = beir.load(write_dataset(tmp_path, queries=queries, grades=[(q, "d1", 1) for q in queries]))

    for seed in range(10):
        parts = splits.split(dataset, 0.5, seed)
        assert parts["q0"] == parts["q9"]


def test_a_split_does_not_hang_on_the_order_of_the_file() -> None:
    """The same seed gives the same parts when the queries are listed the other way round."""
    queries = [("a", "", 1)] * 20
    dataset = collection(queries)
    backwards = dict(reversed(list(dataset.queries.items())))
    codes = np.arange(19, -1, -1, dtype=np.int32)
    qrels = Qrels(
        strings(list(backwards)), dataset.qrels.doc_ids, codes, dataset.qrels.doc, dataset.qrels.grade
    )

    assert splits.split(Dataset("other", dataset.corpus, backwards, qrels, {}), 0.5, 7) == splits.split(
        dataset, 0.5, 7
    )


def test_a_split_is_kept_and_made_once(tmp_path: Path) -> None:
    """It comes back from the folder as it was, and a second one is refused."""
    folder = write_dataset(tmp_path)
    dataset = beir.load(folder)
    parts = splits.split(dataset, 0.5, 7)
    splits.save(folder, parts)

    assert splits.load(folder, dataset.queries) == parts
    with pytest.raises(InputError, match="a split is made once"):
        splits.save(folder, parts)


def test_a_wrong_split_file_is_told_line_by_line(tmp_path: Path) -> None:
    """Unknown query, unknown part, a query twice: all at once."""
    folder = write_dataset(tmp_path)
    (folder / splits.FILE).write_text("query-id\tsplit\nq1\ttest\nq1\ttest\nq9\ttest\nq2\tdev\nq3\n")
    with pytest.raises(DataError) as error:
        splits.load(folder, beir.load(folder).queries)

    assert [finding.line for finding in error.value.findings] == [3, 4, 5, 6]


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, float("nan")])
def test_an_empty_part_is_refused(share: float) -> None:
    """Both parts must hold something."""
    with pytest.raises(InputError, match="Choose one between 0 and 1"):
        splits.split(collection([("a", "", 1)]), share, 7)
