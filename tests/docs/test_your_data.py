"""The guide to one's own data, followed to the letter: every file, every command, in its order."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from evalkit.data import beir, splits
from evalkit.data.importers import IMPORTERS
from tests.conftest import Cli

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "your-data.md"
BLOCK = re.compile(r"^```(\w+)(?: ([^\n]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def judge_everything(pool: Path) -> None:
    """Stand in for the person at the labelling page, which has tests in a browser."""
    rows = [json.loads(line) for line in pool.read_text().splitlines()[1:]]
    labels = [
        {"query_id": row["query_id"], "doc_id": row["doc_id"], "grade": 0, "rater": "me"} for row in rows
    ]
    pool.with_suffix(".labels.jsonl").write_text("".join(json.dumps(label) + "\n" for label in labels))


def test_the_guide_works_as_it_is_written(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the spreadsheet to a report, judgments, a split, and thresholds that were tested on it."""
    monkeypatch.chdir(tmp_path)
    commands = []
    for kind, what, text in BLOCK.findall(GUIDE.read_text("utf-8")):
        if kind != "sh":
            name = what.removeprefix("append ")
            with Path(name).open("a" if what.startswith("append ") else "w", encoding="utf-8") as file:
                file.write(text)
        elif what == "interactive":
            judge_everything(Path("pool.jsonl"))
        else:
            for line in text.strip().splitlines():
                told = cli(*shlex.split(line)[1:])
                assert told.code == 0, (line, told)
                commands.append(shlex.split(line)[1])
    dataset = beir.load("mydata")

    assert commands == ["import", "check", "run", "pool", "import", "sample", "split", "run", "calibrate"]
    assert len(dataset.qrels.grade) == 5 * 5  # every question with every document
    assert set(splits.load(Path("mydata"), dataset.queries)) == set(dataset.queries)


def test_the_guide_names_every_format() -> None:
    """A new importer is in the table."""
    named = set(re.findall(r"`(\w+)`", GUIDE.read_text("utf-8")))

    assert set(IMPORTERS) <= named
