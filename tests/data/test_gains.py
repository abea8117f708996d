"""Gains in `dataset.yaml`: from an import through a run to what is compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

import evalkit
from evalkit.data import beir
from evalkit.errors import DataError
from tests.conftest import Cli
from tests.corpora import write_dataset, write_suite
from tests.data.importers.samples import SAMPLES

CARD = "gains: {3: 100, 1: 1}\n"


def test_a_run_weighs_grades_as_the_data_set_says(cli: Cli, tmp_path: Path) -> None:
    """Its nDCG is that of the gains, said in the terminal and the report, and kept for a second look."""
    folder = write_dataset(tmp_path / "small", card=CARD)
    write_suite(folder)
    told = cli("run", folder, "--out", tmp_path / "out")
    done = evalkit.open(tmp_path / "out")
    rows = done.measures[(done.measures["pipeline"] == "embed") & (done.measures["measure"] == "nDCG@10")]
    run = done.scores[done.scores["pipeline"] == "embed"]
    named = "nDCG(gains={1:1,3:100})@10"
    wanted = evalkit.measure(done.judgments, run, [named], per_query=True)
    measured = dict(zip(rows["query_id"], rows["value"], strict=True))

    assert told.code == 0, told
    assert "Gains of nDCG, by grade: 3: 100, 1: 1" in told.out
    assert "by grade 3: 100, 1: 1" in (tmp_path / "out" / "report.html").read_text("utf-8")
    for query, value in zip(wanted["query_id"], wanted["value"], strict=True):
        np.testing.assert_equal(measured[query], value)
    assert dict(done.view.qrels.gains) == {3: 100.0, 1: 1.0}


def test_runs_with_other_gains_are_not_compared(cli: Cli, tmp_path: Path) -> None:
    """The same name would mean two measures."""
    folder = write_dataset(tmp_path / "small")
    write_suite(folder)
    cli("run", folder, "--out", tmp_path / "plain")
    (folder / "dataset.yaml").write_text(CARD, "utf-8")
    cli("run", folder, "--out", tmp_path / "other")
    told = cli("compare", tmp_path / "plain", tmp_path / "other")

    assert told.code == 2
    assert "declare different gains for grades" in told.err.replace("\n", " ")


@pytest.mark.parametrize(
    ("card", "what"),
    [
        ("gains: {3: 100}\n", "`gains` says nothing of the grades 1, which judgments have"),
        ("gains: {3: 1, 1: 2}\n", "a higher grade is worth at least as much"),
        ("gains: {3: -1}\n", "greater than or equal to 0"),
        ("gains: {3: .inf}\n", "no infinite amount"),
    ],
)
def test_gains_that_mean_nothing_are_found(tmp_path: Path, card: str, what: str) -> None:
    """A grade without a gain, gains that fall, below 0, or without end."""
    with pytest.raises(DataError) as error:
        beir.load(write_dataset(tmp_path, card=card))

    assert what in str(error.value)


def test_words_become_grades_and_gains(cli: Cli, tmp_path: Path) -> None:
    """Exact, Partial, Irrelevant with their worth, said once at the import."""
    rows = "query,doc_id,text,grade\nq,d1,one,Exact\nq,d2,two,Partial\nq,d3,three,Irrelevant\n"
    (tmp_path / "a.csv").write_text(rows, "utf-8")
    words = [part for word in ("Exact=2", "Partial=1", "Irrelevant=0") for part in ("--grade", word)]
    told = cli(
        "import", "csv", tmp_path / "a.csv", tmp_path / "to", *words, "--gain", "2=1", "--gain", "1=0.5"
    )

    assert told.code == 0, told
    assert dict(beir.load(tmp_path / "to").qrels.gains) == {2: 1.0, 1: 0.5}


@pytest.mark.parametrize(
    ("gains", "what"),
    [
        (("--gain", "2=1"), "ratings come to the grade 1, for which no gain is given"),
        (("--gain", "2=much"), "write GRADE=WORTH"),
        (("--gain", "2=1", "--gain", "1=2"), "a higher grade is worth at least as much"),
    ],
)
def test_an_import_refuses_gains_that_leave_something_open(
    cli: Cli, tmp_path: Path, gains: tuple[str, ...], what: str
) -> None:
    """Nothing is written, and the option is named."""
    (tmp_path / "a.csv").write_text("query,doc_id,text,grade\nq,d1,one,2\nq,d2,two,1\n", "utf-8")
    told = cli("import", "csv", tmp_path / "a.csv", tmp_path / "to", *gains)

    assert told.code == 2
    assert what in told.err.replace("\n", " ")
    assert not (tmp_path / "to").exists()


def test_esci_brings_the_gains_of_its_authors(cli: Cli, tmp_path: Path) -> None:
    """1, 0.1, 0.01: unless the words were given other grades."""
    sample = SAMPLES["esci"](tmp_path)
    cli("import", "esci", sample.source, tmp_path / "to")
    cli("import", "esci", sample.source, tmp_path / "other", "--grade", "E=1")

    assert yaml.safe_load((tmp_path / "to" / "dataset.yaml").read_text())["gains"] == {
        3: 1.0,
        2: 0.1,
        1: 0.01,
    }
    assert "gains" not in yaml.safe_load((tmp_path / "other" / "dataset.yaml").read_text())
