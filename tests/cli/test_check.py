"""`evalkit check`: everything at once, each with its place and remedy."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Cli
from tests.corpora import SUITE, write_dataset, write_suite


def test_a_sound_data_set_is_told_by_its_sizes(cli: Cli, tmp_path: Path) -> None:
    """Documents, answerable, negative and unjudged queries, per category."""
    told = cli("check", write_dataset(tmp_path / "small"))

    assert told.code == 0
    assert "6 documents, 5 queries (4 answerable, 1 negative, 0 unjudged), 8 judgments" in told.out
    assert "it: 3 queries, 1 negative" in told.out


def test_a_wrong_one_exits_with_2(cli: Cli, tmp_path: Path) -> None:
    """Every finding is printed with file, line and remedy."""
    write_dataset(tmp_path, grades=[("q1", "d9", 1), ("q9", "d1", 1), ("q1", "d1", 3)])
    told = cli("check", tmp_path)

    assert told.code == 2
    assert "test.tsv:2: a judgment names the unknown document 'd9'. Add the document or remove" in told.out
    assert "test.tsv:3: a judgment names the unknown query 'q9'" in told.out


def test_strict_minds_warnings(cli: Cli, tmp_path: Path) -> None:
    """--strict exits 1 on what is only remarkable."""
    write_dataset(tmp_path, grades=[("q1", "d1", 3)])

    assert cli("check", tmp_path).code == 0
    assert cli("check", tmp_path, "--strict").code == 1


def test_a_suite_is_checked_with_its_data(cli: Cli, tmp_path: Path) -> None:
    """An unknown measure, an impossible goal and a bad judgment are found together."""
    write_dataset(tmp_path, grades=[("q1", "d9", 1), ("q1", "d1", 3)])
    path = write_suite(
        tmp_path, SUITE.replace("RR@10", "RRR@10") + "thresholds: {goal: {risk: lost_anser, at_most: 0.1}}\n"
    )
    told = cli("check", path)

    assert told.code == 2
    assert all(part in told.out for part in ("RRR", "lost_anser", "unknown document 'd9'"))


def test_json_holds_the_findings(cli: Cli, tmp_path: Path) -> None:
    """--json gives each finding as an object."""
    write_dataset(tmp_path, grades=[("q1", "d1", 3)])
    found = json.loads(cli("check", tmp_path, "--json").out)["findings"]

    assert [finding["severity"] for finding in found] == ["warning"]


def test_nothing_to_check_is_said(cli: Cli, tmp_path: Path) -> None:
    """A path that is neither of the three things is a user's mistake."""
    told = cli("check", tmp_path / "nowhere")

    assert told.code == 2
    assert "nothing to check" in told.err
