"""The bundled data sets keep what their READMEs say."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from evalkit.data import beir
from evalkit.experiment.run import run
from evalkit.records import Dataset
from tests.conftest import Cli

DATASETS = Path(__file__).parents[1] / "datasets"


@pytest.fixture(scope="module")
def handbook() -> Dataset:
    """The bundled default."""
    return beir.load(DATASETS / "handbook")


def negatives(dataset: Dataset) -> set[str]:
    """Return the queries that no document answers."""
    qrels = dataset.qrels
    ids = qrels.query_ids.to_pylist()
    relevant = set(np.unique(qrels.query[qrels.grade >= qrels.relevant_from]).tolist())
    return {ids[code] for code in np.unique(qrels.query).tolist() if code not in relevant}


@pytest.mark.parametrize("name", ["handbook", "everyday", "platform"])
def test_a_bundled_set_has_no_finding(name: str) -> None:
    """Every id is known, nothing is empty, no query is unjudged."""
    assert beir.inspect(DATASETS / name)[1] == []


def test_the_handbook_is_as_large_as_it_says(handbook: Dataset) -> None:
    """At least 200 documents, 240 queries in six categories of 40, each with 8 negatives or more."""
    counts = Counter(query.category for query in handbook.queries.values())
    negative = Counter(handbook.queries[query_id].category for query_id in negatives(handbook))

    assert len(handbook.corpus) >= 200
    assert len(handbook.queries) >= 240
    assert len(counts) >= 6
    assert min(counts.values()) >= 40
    assert min(negative[category] for category in counts) >= 8


def test_the_documents_say_the_counts_that_the_data_have(handbook: Dataset) -> None:
    """The README and the changelog name the handbook's sizes as they are."""
    root = DATASETS.parent
    readme, changelog = ((root / name).read_text("utf-8") for name in ("README.md", "CHANGELOG.md"))
    queries, documents = len(handbook.queries), len(handbook.corpus)

    assert f"{queries} questions" in readme
    assert f"{len(negatives(handbook))} of them with no answer" in readme
    assert f"{documents} documents and {queries} judged questions" in changelog


def test_no_two_documents_are_the_same(handbook: Dataset) -> None:
    """Documents overlap on purpose, but each says something of its own."""
    texts = defaultdict(list)
    for document in handbook.corpus.values():
        texts[document.text].append(document.id)

    assert [ids for ids in texts.values() if len(ids) > 1] == []


def test_the_platform_set_is_as_large_as_it_says() -> None:
    """At least 150 documents of four sources, 160 queries in four categories with negatives in each."""
    platform = beir.load(DATASETS / "platform")
    changelog = (DATASETS.parent / "CHANGELOG.md").read_text("utf-8")
    said = f"{len(platform.corpus)} structured documents and {len(platform.queries)} judged questions"
    sources = {str((document.fields or {})["source"]) for document in platform.corpus.values()}
    counts = Counter(query.category for query in platform.queries.values())
    negative = Counter(platform.queries[query_id].category for query_id in negatives(platform))

    assert said in changelog
    assert len(platform.corpus) >= 150
    assert len(sources) >= 4
    assert len(platform.queries) >= 160
    assert len(counts) >= 4
    assert min(counts.values()) >= 40
    assert min(negative[category] for category in counts) >= 8


@pytest.mark.parametrize("name", ["handbook", "platform"])
def test_a_bundled_set_passes_its_own_strict_check(cli: Cli, name: str) -> None:
    """Its categories are large enough for its suite's goal, and nothing in it spoils an evaluation."""
    assert cli("check", DATASETS / name, "--strict").code == 0


def test_every_top_ten_of_the_platform_suite_is_judged(tmp_path: Path) -> None:
    """No pipeline of its suite, whatever its rendering, finds an unjudged document in its top ten."""
    done = run(DATASETS / "platform", tmp_path / "out")
    top = done.scores[done.scores["rank"] <= 10]

    assert len({info["domain"]["render"] for info in done.info["pipelines"].values()}) == 5
    assert top.loc[top["grade"].isna(), ["pipeline", "query_id", "doc_id"]].to_numpy().tolist() == []


def test_every_top_ten_is_judged_and_the_set_is_hard(tmp_path: Path) -> None:
    """No bundled pipeline finds an unjudged document in its top ten; embedding alone stays below .85."""
    done = run(DATASETS / "handbook", tmp_path / "out")
    top = done.scores[done.scores["rank"] <= 10]
    ndcg = done.measures[done.measures["measure"] == "nDCG@10"].groupby("pipeline")["value"].mean()

    assert top.loc[top["grade"].isna(), ["pipeline", "query_id", "doc_id"]].to_numpy().tolist() == []
    assert ndcg["embed"] < 0.85
