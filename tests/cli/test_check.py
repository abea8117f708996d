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
    assert "6 documents, 5 queries, 8 judgments" in told.out
    assert "queries: 4 answerable, 1 negative, 0 unjudged" in told.out
    assert "it         3 queries: 2 answerable, 1 negative" in told.out


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
    write_dataset(tmp_path, grades=[("q1", "d1", 3), ("q1", "d2", 0)])
    found = json.loads(cli("check", tmp_path, "--json").out)

    assert [finding["severity"] for finding in found["findings"]] == ["warning"]
    assert found["physical"]["categories"]["leave"] == {
        "queries": 2, "answerable": 1, "negative": 0, "unjudged": 1
    }  # fmt: skip


def test_a_category_too_small_for_the_goal_is_told_with_what_it_needs(cli: Cli, tmp_path: Path) -> None:
    """The exact number that a promise takes, per category, before anything is run."""
    goal = "{risk: lost_answer, at_most: 0.10, confidence: 0.90, then: precision, family: each}"
    path = write_suite(write_dataset(tmp_path), SUITE + f"thresholds: {{goal: {goal}}}\n")
    told = cli("check", path, "--strict")

    assert told.code == 1
    assert (
        "lost_answer <= 0.1 at 90% needs 22 or more answerable queries per category; `it` has 2" in told.out
    )
    assert "Label 20 more" in told.out


def test_leaks_and_one_sided_judgments_are_warnings(cli: Cli, tmp_path: Path) -> None:
    """A query copied from a document, and judgments that never say no."""
    queries = {"q1": ("unused annual leave may be carried over", "")}
    told = cli("check", write_dataset(tmp_path, queries=queries, grades=[("q1", "d2", 1)]))

    assert told.code == 0
    assert "query 'q1' stands word for word in document 'd2'" in told.out
    assert "every judgment is 1: nothing was judged the other way" in told.out


def test_a_wrong_rendering_is_told_with_the_rest(cli: Cli, tmp_path: Path) -> None:
    """The card's rendering is checked too."""
    told = cli("check", write_dataset(tmp_path, card="render: {style: template}\n"))

    assert told.code == 2
    assert "dataset.yaml: `render`" in told.out


def test_what_is_told_fits_a_terminal(cli: Cli, tmp_path: Path) -> None:
    """Lines of at most 80 columns."""
    told = cli("check", write_dataset(tmp_path))

    assert max(map(len, told.out.splitlines())) <= 80


def test_nothing_to_check_is_said(cli: Cli, tmp_path: Path) -> None:
    """A path that is neither of the three things is a user's mistake."""
    told = cli("check", tmp_path / "nowhere")

    assert told.code == 2
    assert "nothing to check" in told.err


def test_a_suite_beside_other_data_is_checked_with_its_own(cli: Cli, tmp_path: Path) -> None:
    """What `run` would read is what is checked, whatever lies in the suite's folder."""
    write_dataset(tmp_path / "data")
    (tmp_path / "suites").mkdir()
    write_suite(tmp_path / "suites", SUITE.replace("dataset: .", "dataset: ../data"))
    apart = cli("check", tmp_path / "suites")
    write_suite(tmp_path / "data", SUITE.replace("dataset: .", "dataset: nowhere"))
    nowhere = cli("check", tmp_path / "data")

    assert apart.code == 0, apart
    assert "6 documents" in apart.out
    assert nowhere.code == 2
    assert "nowhere" in nowhere.out
