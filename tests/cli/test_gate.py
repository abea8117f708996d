"""`evalkit gate`: a run held against an earlier one, told to people, to JUnit and to GitHub."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Cli
from tests.corpora import write_dataset, write_suite

QUERIES, DOCUMENTS = 60, 6
SUITE = """\
name: small
dataset: .
depth: 6
pipelines:
  mine: {{retrieve: {{run: {file}}}}}
measures: [nDCG@10]
thresholds: {{by: none, goal: {{risk: lost_answer, at_most: 0.1, confidence: 0.9, then: precision}}}}
gate: {gate}
"""
MakeRun = Callable[..., Path]


@pytest.fixture(autouse=True)
def not_on_github(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests decide what they see of GitHub."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.fixture
def make_run(cli: Cli, tmp_path: Path) -> MakeRun:
    """Runs over one data set; the first `turned` of 60 queries have their order of documents turned round."""
    words = np.random.default_rng(1).permutation(1_000).reshape(-1, 4)
    category = ("leave", "a::b, 100%")
    queries = {
        f"q{i}": (" ".join(f"word{word}" for word in words[i]), category[i % 2]) for i in range(QUERIES)
    }
    documents = {f"d{i}": f"Text of document {i}." for i in range(DOCUMENTS)}
    grades = [(query, document, int(document == "d0")) for query in queries for document in documents]
    folder = write_dataset(tmp_path / "data", documents, queries, grades)

    def make(
        name: str,
        turned: int = 0,
        gate: str = "{margin: 0.05}",
        file: str = "system.trec",
        scale: float = 1.0,
    ) -> Path:
        lines = []
        for i, query in enumerate(queries):
            scores = scale * np.array([0.9, 0.5, 0.4, 0.3, 0.2, 0.1])
            ranked = scores[::-1] if i < turned else scores
            lines += [f"{query} Q0 d{doc} 0 {score:.6f} x" for doc, score in enumerate(ranked)]
        (folder / file).write_text("\n".join(lines) + "\n")
        suite = write_suite(folder, SUITE.format(file=file, gate=gate))
        done = cli("run", suite, "--out", tmp_path / name)
        assert done.code == 0, done
        return tmp_path / name

    return make


def test_the_same_run_again_is_held(cli: Cli, make_run: MakeRun) -> None:
    """Nothing changed: every check holds, the promise among them, and the exit code is 0."""
    told = cli("gate", make_run("new"), "--baseline", make_run("old"), "--json")
    found = json.loads(told.out)

    assert told.code == 0, told
    assert found["schema"] == "evalkit.gate/1"
    assert {(check["kind"], check["outcome"]) for check in found["checks"]} == {
        ("measure", "held"),
        ("promise", "held"),
    }


def test_a_regression_exits_1(cli: Cli, make_run: MakeRun) -> None:
    """Half of the queries turned round: worse beyond noise, told in at most 80 columns."""
    told = cli("gate", make_run("new", 30), "--baseline", make_run("old"))

    assert told.code == 1, told
    assert told.out.startswith("Gate closed: worse")
    assert "worse beyond noise" in " ".join(told.out.split())
    assert max(map(len, told.out.splitlines())) <= 80


def test_a_broken_promise_closes_the_gate(cli: Cli, make_run: MakeRun) -> None:
    """The baseline's threshold loses half of the answers on the new scores, where a tenth was promised."""
    told = cli("gate", make_run("new", 30), "--baseline", make_run("old"), "--json")
    promise = next(check for check in json.loads(told.out)["checks"] if check["kind"] == "promise")

    assert promise["outcome"] == "worse"
    assert "0.500 on 60 queries" in promise["told"]


def test_a_promise_that_no_longer_holds_closes_the_gate_alone(cli: Cli, make_run: MakeRun) -> None:
    """The same order on lower scores: nDCG is held, but the baseline's threshold loses every answer."""
    told = cli("gate", make_run("new", scale=0.5), "--baseline", make_run("old"), "--json")
    checks = json.loads(told.out)["checks"]

    assert told.code == 1, told
    assert {(check["kind"], check["outcome"]) for check in checks} == {
        ("measure", "held"),
        ("promise", "worse"),
    }
    assert "the risk is above its limit: 1.000 on 60 queries" in checks[1]["told"]


def test_other_scores_are_not_held_to_the_promise(cli: Cli, make_run: MakeRun) -> None:
    """Thresholds of another score domain are not applied: whether the promise stands cannot be told."""
    new = make_run("new", file="another-model.trec")
    told = cli("gate", new, "--baseline", make_run("old"), "--json")
    promise = next(check for check in json.loads(told.out)["checks"] if check["kind"] == "promise")

    assert promise["outcome"] == "cannot tell"
    assert "Calibrate again" in promise["told"]


def test_a_promise_need_not_be_gated(cli: Cli, make_run: MakeRun) -> None:
    """`promise: false` leaves it out."""
    new = make_run("new", gate="{margin: 0.05, promise: false}")
    told = cli("gate", new, "--baseline", make_run("old"), "--json")

    assert {check["kind"] for check in json.loads(told.out)["checks"]} == {"measure"}


def test_a_promise_that_is_neither_certified_nor_broken_cannot_be_told(cli: Cli, make_run: MakeRun) -> None:
    """Four lost answers of 60 certify no .10 at 90 %, and break it as little."""
    told = cli("gate", make_run("new", 4), "--baseline", make_run("old"), "--json")
    promise = next(check for check in json.loads(told.out)["checks"] if check["kind"] == "promise")

    assert promise["outcome"] == "cannot tell"
    assert "no longer certified" in promise["told"]


@pytest.mark.parametrize(("policy", "code"), [("warn", 0), ("fail", 1)])
def test_what_cannot_be_told_passes_or_fails_as_the_suite_says(
    cli: Cli, make_run: MakeRun, policy: str, code: int
) -> None:
    """Few queries differ: its own outcome, and `cannot_tell` decides on the exit code."""
    new = make_run("new", 3, gate=f"{{margin: 0.01, promise: false, cannot_tell: {policy}}}")
    told = cli("gate", new, "--baseline", make_run("old"), "--json")
    found = json.loads(told.out)

    assert told.code == code, told
    assert found["outcome"] == "cannot tell"
    assert "only 3 queries differ" in found["checks"][0]["told"]


def test_fewer_queries_than_asked_for_cannot_tell(cli: Cli, make_run: MakeRun) -> None:
    """Even a plain drop is not judged on fewer queries than the suite asks for."""
    new = make_run("new", 30, gate="{margin: 0.01, promise: false, at_least: 61}")
    told = cli("gate", new, "--baseline", make_run("old"), "--json")

    assert told.code == 0
    assert "60 queries, fewer than the 61" in json.loads(told.out)["checks"][0]["told"]


def test_each_category_can_be_gated(cli: Cli, make_run: MakeRun) -> None:
    """`per: category` checks all queries and each category."""
    new = make_run("new", 30, gate="{margin: 0.05, per: category, promise: false}")
    told = cli("gate", new, "--baseline", make_run("old"), "--json")

    assert [check["name"] for check in json.loads(told.out)["checks"]] == [
        "mine, all queries: nDCG@10",
        "mine, a::b, 100%: nDCG@10",
        "mine, leave: nDCG@10",
    ]


def test_spend_has_a_limit(cli: Cli, make_run: MakeRun) -> None:
    """A pipeline that bills nothing stays within any limit, and the limit is a check."""
    new = make_run("new", gate="{margin: 0.05, promise: false, usd_per_1000: 0, units_per_1000: 1}")
    told = cli("gate", new, "--baseline", make_run("old"), "--json")

    assert [check["outcome"] for check in json.loads(told.out)["checks"] if check["kind"] == "spend"] == [
        "held",
        "held",
    ]


def test_junit_counts_failures_and_skips(cli: Cli, make_run: MakeRun, tmp_path: Path) -> None:
    """What closes the gate is a failure, what cannot be told is skipped."""
    file = tmp_path / "out" / "gate.xml"
    cli("gate", make_run("new", 4), "--baseline", make_run("old"), "--junit", file)
    skipped = ET.parse(file).getroot().find("testsuite")
    cli("gate", make_run("newer", 30), "--baseline", tmp_path / "old", "--junit", file)
    failed = ET.parse(file).getroot().find("testsuite")

    assert skipped is not None
    assert failed is not None
    assert len(skipped.findall("testcase/skipped")) == int(skipped.attrib["skipped"]) > 0
    assert len(failed.findall("testcase/failure")) == int(failed.attrib["failures"]) == 2


def test_on_github_it_annotates_and_appends_a_summary(
    cli: Cli, make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names from data are escaped, and what other steps wrote to the summary stays."""
    new, old = make_run("new", 30, gate="{margin: 0.05, per: category}"), make_run("old")
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    told = cli("gate", new, "--baseline", old)
    commands = [line for line in told.out.splitlines() if line.lstrip().startswith("::")]

    assert commands[0].startswith("::error title=evalkit gate%3A worse::mine, all queries: nDCG@10: ")
    assert any("a::b, 100%25" in line for line in commands)
    assert summary.read_text().startswith("before\n### ")
    assert "| mine, a::b, 100%: nDCG@10 |" in summary.read_text()


def test_a_suite_without_a_gate_says_what_to_add(cli: Cli, make_run: MakeRun) -> None:
    """No `gate:` is the user's mistake: exit code 2 and a line to add."""
    told = cli("gate", make_run("new", gate="null"), "--baseline", make_run("old"))

    assert told.code == 2
    assert "Add `gate: {margin: 0.02}`" in told.err


def test_a_check_on_one_query_prints_no_interval(cli: Cli, make_run: MakeRun) -> None:
    """One query has no interval; before, it read [+nan, +nan]."""
    old = make_run("old")
    suite = old.parent / "data" / "suite.yaml"
    new = old.parent / "new"
    assert cli("run", suite, "--limit", "1", "--out", new).code == 0
    told = cli("gate", new, "--baseline", old)

    assert "unchanged on 1 query: +0.000 on 1 query" in " ".join(told.out.split())
    assert "nan" not in told.out
