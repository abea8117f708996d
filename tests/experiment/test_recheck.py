"""Recheck: a model whose scores depend on the company is found out, one whose scores do not is cleared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from evalkit.sandbox import serving
from evalkit.sandbox.app import Sandbox
from evalkit.sandbox.scores import WordScorer
from tests.conftest import Cli
from tests.faults.conftest import write_suite


class Jealous(WordScorer):
    """Scores that depend on how many other documents there are."""

    def score(self, model: str, query: str, documents: Sequence[str]) -> list[float]:
        """Scale each score by the length of the list."""
        return [score * len(documents) / 100 for score in super().score(model, query, documents)]


class Moody(WordScorer):
    """Scores that drift with each call."""

    calls = 0

    def score(self, model: str, query: str, documents: Sequence[str]) -> list[float]:
        """Shrink each score a little more."""
        self.calls += 1
        return [score / (1 + self.calls / 1000) for score in super().score(model, query, documents)]


@pytest.mark.parametrize(
    ("scorer", "changed"),
    [
        (WordScorer(), {"again": 0, "reordered": 0, "alone": 0, "company": 0}),
        (Jealous(), {"again": 0, "reordered": 0, "alone": 6, "company": 0}),
        (Moody(), {"again": 6, "reordered": 6, "alone": 6, "company": 6}),
    ],
    ids=["steady", "jealous", "moody"],
)
def test_what_scores_depend_on(
    scorer: WordScorer, changed: dict[str, int], tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of twelve queries are asked again in four ways; each way counts the queries that changed."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-production")
    sandbox = Sandbox(scorer=scorer)
    with serving(sandbox) as address:
        suite = write_suite(tmp_path / "suite", address, 12)
        told = cli("run", suite, "--out", tmp_path / "out", "--recheck", "50%", "--json")
        asked = len(sandbox.seen)
        cli("run", suite, "--out", tmp_path / "out", "--recheck", "50%", "--json")

    assert told.code == 0, told
    found = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))["recheck"]
    assert {one["way"]: one["changed"] for one in found} == changed
    assert {one["queries"] for one in found} == {6}
    assert asked == 12 + 4 * 6
    assert len(sandbox.seen) == asked  # on the same day nothing is asked for twice


def test_no_change_in_six_is_no_proof(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of six queries changed: the bound is 1 - .05 ** (1 / 6) of all queries, and is said."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-production")
    with serving(Sandbox(scorer=WordScorer())) as address:
        suite = write_suite(tmp_path / "suite", address, 12)
        cli("run", suite, "--out", tmp_path / "out", "--recheck", "0.5", "--json")
    found = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))["recheck"]

    assert found[0]["upper"] == pytest.approx(1 - 0.05 ** (1 / 6))
    assert "at most 39% of all queries, at 95% confidence" in found[0]["sentence"]


def test_a_share_must_be_one(tmp_path: Path, cli: Cli) -> None:
    """A share beyond 100 % or no number is the user's error."""
    for share in ("150%", "many"):
        told = cli("run", tmp_path, "--recheck", share)
        assert told.code == 2
        assert "--recheck takes a share" in told.err


def test_a_sample_of_one_query_has_company(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The company of a single sampled query is another query's documents, not its own."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-production")
    sandbox = Sandbox(scorer=WordScorer())
    with serving(sandbox) as address:
        suite = write_suite(tmp_path / "suite", address, 12)
        told = cli("run", suite, "--out", tmp_path / "out", "--recheck", "1%", "--json")
    whole, *_, company = (set(json.loads(request.body)["documents"]) for request in sandbox.seen[-4:])

    assert told.code == 0, told
    assert company - whole


def test_what_asking_again_took_is_told(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its calls and money stand apart from the bill of the run; the second time there are none."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-production")
    with serving(Sandbox(scorer=WordScorer())) as address:
        suite = write_suite(tmp_path / "suite", address, 12)
        told = cli("run", suite, "--out", tmp_path / "out", "--recheck", "50%")
        kept = cli("run", suite, "--out", tmp_path / "out", "--recheck", "50%")

    assert "cohere/rerank-v3.5: billed 12 search units, planned 12\n" in told.out
    assert "Asking again took 24 calls, $0.0480.\n" in told.out
    assert "Asking again took" not in kept.out


def test_a_run_is_kept_when_asking_again_is_refused(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quota that ends in the recheck costs the recheck only: the run directory and its report are there."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-production")
    with serving(Sandbox(scorer=WordScorer())) as address:
        suite = write_suite(tmp_path / "suite", address, 12)
        told = cli("run", suite, "--out", tmp_path / "out", "--recheck", "50%", "--max-units", "20")
    info = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))

    assert told.code == 3
    assert "asking again ended early, the run did not: stopped before a call" in " ".join(told.err.split())
    assert [one["way"] for one in info["recheck"]] == ["again"]
    assert not any(info["failures"].values())
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "This ended early: stopped before a call" in page


def test_the_report_says_what_asking_again_found(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each way's sentence stands below the score distributions."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-production")
    with serving(Sandbox(scorer=Jealous())) as address:
        suite = write_suite(tmp_path / "suite", address, 12)
        cli("run", suite, "--out", tmp_path / "out", "--recheck", "50%")
    page = (tmp_path / "out" / "report.html").read_text("utf-8")

    assert "A sample of queries was asked again:" in page
    assert "best document alone: 6 of 6 queries have another score, by up to" in page
