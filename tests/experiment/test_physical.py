"""What a run keeps of the data set's physical, and what the report shows of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from evalkit import runs
from evalkit.experiment import physical
from tests.conftest import Cli
from tests.corpora import DOCUMENTS, GRADES, QUERIES, SUITE, write_dataset, write_suite

LEAK = "please replace a broken laptop through the service desk"
SEEN = "| near"  # a text that Markdown would take for a cell


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A small suite whose data have a leak, near-duplicates of both kinds, and an unjudged query."""
    documents = DOCUMENTS | {
        "d7": f"Note: {LEAK}.",
        "d8": DOCUMENTS["d2"],
        "d9": " ",
    }
    queries = QUERIES | {"q6": (LEAK, SEEN), "q7": (QUERIES["q1"][0], "leave")}
    folder = write_dataset(tmp_path / "data", documents, queries, [*GRADES, ("q6", "d7", 3)])
    return write_suite(folder, SUITE)


def test_a_run_keeps_what_check_says(cli: Cli, suite: Path, tmp_path: Path) -> None:
    """The same physical as `check --json`, sealed with the run."""
    told = json.loads(cli("check", suite, "--json").out)
    assert cli("run", suite, "--out", tmp_path / "out").code == 0
    kept = runs.read(tmp_path / "out").physical

    assert kept is not None
    assert kept["schema"] == "evalkit.physical/1"
    assert kept["physical"] == told["physical"]
    assert "physical.json" in runs.read(tmp_path / "out").info["files"]


def test_the_report_shows_what_will_spoil_an_evaluation(cli: Cli, suite: Path, tmp_path: Path) -> None:
    """Sizes, categories, near-duplicates and leaks stand in the page and in the pull request's comment."""
    cli("run", suite, "--out", tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    section = page[page.index('<section id="physical"') :].split("</section>")[0]
    text = " ".join(re.sub(r"<[^>]+>", " ", section).split())
    comment = (tmp_path / "out" / "report.md").read_text("utf-8")

    assert "Documents 9, 1 without text" in text
    assert "7: 5 answerable, 1 negative, 1 unjudged" in text
    assert "2 queries are nearly the same, in 1 group q1 , q7" in text
    assert "2 documents are nearly the same, in 1 group d2 , d8" in text
    assert "1 query stands word for word in a document q6 in d7" in text
    assert "9 documents, 7 queries, 9 judgments" in comment
    assert "- \\| near 1 query: 1 answerable, 0 negative" in comment
    assert "Warning: query 'q6' stands word for word in document 'd7'" in comment


def test_a_large_collection_is_left_to_check(
    cli: Cli, suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking for near-duplicates would take longer than the run: the page says where to ask."""
    monkeypatch.setattr(physical, "EXAMINED", 8)
    cli("run", suite, "--out", tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text("utf-8")

    assert runs.read(tmp_path / "out").physical == {
        "schema": "evalkit.physical/1", "findings": [], "told": [], "physical": None,
    }  # fmt: skip
    assert "The collection has 9 documents: it is not examined at each run" in page


def test_a_run_without_it_has_a_report_without_it(cli: Cli, suite: Path, tmp_path: Path) -> None:
    """Run directories of an older evalkit are rendered as before."""
    cli("run", suite, "--out", tmp_path / "out")
    done = runs.read(tmp_path / "out")
    files = {name: (done.folder / name).read_bytes() for name in done.info["files"] if name != runs.PHYSICAL}
    old = {key: value for key, value in done.info.items() if key not in ("schema", "files", "seal")}
    runs.write(tmp_path / "old", old, files)
    told = cli("report", tmp_path / "old")

    assert told.code == 0, told
    assert '<section id="physical"' not in (tmp_path / "old" / "report.html").read_text("utf-8")
