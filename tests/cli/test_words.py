"""One query, one document, one line: every command and both reports count in English."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.corpora import write_dataset, write_suite

SUITE = """\
name: one
dataset: .
depth: 5
pipelines: {words: {retrieve: bm25}, other: {retrieve: bm25}}
measures: [nDCG@10, RR@10]
gate: {margin: 0.02}
"""
COMMANDS = (
    "check data",
    "plan data",
    "run data --out run",
    "compare run run",
    "gate run --baseline run",
    "calibrate run --out policy.json",
    "pool run --out pool.jsonl",
    "import beir data copy",
    "split data",
    "sample log.csv --out sample.jsonl",
    "cache info",
    "cache verify",
)
# "1 queries", but not the end of a larger number, nor "top 1 documents" in a name such as `P@1 documents`
WRONG = re.compile(
    r"(?<![\w.,@+-])1 (?:[a-z]+ )?(?:queries|documents|lines|judgments|pairs|groups|lists|responses)\b"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a data set of one query and one document."""
    write_suite(
        write_dataset(
            tmp_path / "data",
            {"d1": "annual leave days"},
            {"q1": ("annual leave days", "leave")},
            [("q1", "d1", 1)],
        ),
        SUITE,
    )
    (tmp_path / "log.csv").write_text("text\nhow do I reset\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_counts_one_queries(cli: Cli, folder: Path) -> None:
    """Neither what commands print nor what they write has a plural after a one."""
    told = {command: cli(*command.split()) for command in COMMANDS}
    pages = [
        folder / "run" / name for name in ("report.html", "report.md", "thresholds.json", "summary.json")
    ]
    texts = {command: done.out + done.err for command, done in told.items()}
    texts |= {page.name: re.sub("<[^>]+>", "", page.read_text("utf-8")) for page in pages}

    assert {command: done.code for command, done in told.items() if done.code} == {}
    assert {name: WRONG.findall(text) for name, text in texts.items() if WRONG.search(text)} == {}


def test_names_never_reach_the_terminal_as_its_commands(cli: Cli, folder: Path) -> None:
    """Escape sequences in categories, texts and ids are written out, by every command and in every error."""
    evil = "\x1b[31mred\x07 漢字 [b]"
    write_dataset(
        folder / "data",
        {"d1": f"annual leave days {evil}", "d\x1b[1m2": "other days"},
        {"q1": (f"annual leave days {evil}", evil), "q\x1b[1m2": ("other days", evil)},
        [("q1", "d1", 1), ("q\x1b[1m2", "d\x1b[1m2", 1)],
    )
    commands = (*COMMANDS, "thresholds show policy.json", "measure data/qrels/test.tsv run/scores.parquet")
    texts = {command: (done := cli(*command.split())).out + done.err for command in commands}

    assert "␛[31mred␇ 漢字 [b]" in texts["check data"]
    assert [command for command, text in texts.items() if "\x1b" in text or "\x07" in text] == []
