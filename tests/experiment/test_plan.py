"""The plan: what a run will send, before it sends anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evalkit.sandbox import serving
from evalkit.sandbox.app import Sandbox
from evalkit.sandbox.faults import Rule
from evalkit.sandbox.scores import WordScorer
from tests.conftest import Cli
from tests.faults.conftest import write_suite


def test_the_plan_before_and_after_a_run(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before: the calls, units and money that the run then needs; after: nothing. It sends nothing."""
    sandbox = Sandbox(scorer=WordScorer())
    with serving(sandbox) as address:
        suite = write_suite(tmp_path / "suite", address, 12, retrieve="cohere/embed-v4.0", rate="trial")
        monkeypatch.setenv("CO_API_KEY", "sandbox-production")
        before = cli("plan", suite, "--json")
        assert sandbox.seen == []
        embed, rerank = json.loads(before.out)
        suite = write_suite(tmp_path / "suite", address, 12, retrieve="cohere/embed-v4.0")
        told = cli("run", suite, "--out", tmp_path / "out", "--json")
        after = json.loads(cli("plan", suite, "--json").out)

    assert told.code == 0, told
    assert (embed["model"], embed["calls"], embed["unit"]) == ("cohere/embed-v4.0", 2, "token")
    assert (rerank["model"], rerank["calls"], rerank["units"], rerank["unit"]) == (
        "cohere/rerank-v3.5",
        12,
        12.0,
        "search",
    )
    assert rerank["usd"] == pytest.approx(12 * 2.0 / 1000)
    assert rerank["minutes"] == pytest.approx(1.2)  # ten calls a minute
    assert "candidates are not known" in " ".join(rerank["warnings"])
    assert len(sandbox.seen) == embed["calls"] + rerank["calls"]
    assert [line["calls"] - line["calls_in_ledger"] for line in after] == [0, 0]
    assert [line["units"] for line in after] == [0, 0]


def test_the_run_keeps_its_plan_beside_the_bill(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`run.json` has what was planned and what was billed, for each stage; the command says it."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-production")
    with serving(Sandbox(scorer=WordScorer())) as address:
        suite = write_suite(tmp_path / "suite", address, 12)
        told = cli("run", suite, "--out", tmp_path / "out")
        again = cli("run", suite, "--out", tmp_path / "again")
    stages = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))["pipelines"]["v3.5"]["stages"]

    assert (stages[1]["planned"], stages[1]["billed"], stages[1]["unit"]) == (12.0, 12.0, "search")
    assert stages[1]["usd"] == pytest.approx(0.024)
    assert "cohere/rerank-v3.5: billed 12 search units, planned 12" in told.out
    assert "billed" not in again.out


def test_the_plan_needs_no_key_and_no_server(tmp_path: Path, cli: Cli) -> None:
    """Nothing listens and there is no key: the plan is the same."""
    told = cli("plan", write_suite(tmp_path / "suite", "http://127.0.0.1:9", 12))

    assert told.code == 0, told
    assert "cohere/rerank-v3.5" in told.out
    assert all(len(line) <= 80 for line in told.out.splitlines())


def test_a_budget_stops_the_run_and_a_larger_one_resumes(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--max-units` and `--max-usd` end with exit 3 before the call that would exceed them."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-production")
    sandbox = Sandbox(scorer=WordScorer())
    with serving(sandbox) as address:
        suite = write_suite(tmp_path / "suite", address, 12)
        first = cli("run", suite, "--out", tmp_path / "out", "--json", "--max-units", 5)
        assert (first.code, len(sandbox.seen)) == (3, 5)
        second = cli("run", suite, "--out", tmp_path / "out", "--json", "--max-usd", 0.006)
        assert (second.code, len(sandbox.seen)) == (3, 8)
        third = cli("run", suite, "--out", tmp_path / "out", "--json", "--max-units", 4)

    assert "--max-units 5" in first.err
    assert "--max-usd 0.006" in second.err
    assert (third.code, len(sandbox.seen)) == (0, 12)


def test_an_unknown_price_stops_a_bounded_run_before_anything_is_sent(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `--max-usd` no pipeline is paid for if another's price is unknown; kept answers need none."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-production")
    sandbox = Sandbox(scorer=WordScorer())
    with serving(sandbox) as address:
        path = write_suite(tmp_path / "suite", address, 12)
        suite = json.loads(path.read_text("utf-8"))
        suite["pipelines"]["new"] = {"retrieve": "bm25", "rerank": "cohere/rerank-v4.0-fast"}
        suite["providers"]["cohere"]["catalog"] = {"rerank-v4.0-fast": {"usd": None}}
        path.write_text(json.dumps(suite), "utf-8")
        refused = cli("run", path, "--out", tmp_path / "out", "--max-usd", 1)
        assert sandbox.seen == []
        cli("run", path, "--out", tmp_path / "out")
        kept = cli("run", path, "--out", tmp_path / "out", "--max-usd", 1)

    assert refused.code == 2
    assert "the price of cohere/rerank-v4.0-fast is unknown" in refused.err
    assert kept.code == 0, kept


def test_one_model_is_one_line_of_the_plan(tmp_path: Path, cli: Cli) -> None:
    """A model asked for different candidates by two pipelines stands in the plan once, with all calls."""
    path = write_suite(tmp_path / "suite", "http://127.0.0.1:9", 12)
    suite = json.loads(path.read_text("utf-8"))
    rendered = {"style": "yaml", "fields": ["text"]}
    suite["pipelines"]["other"] = {"retrieve": "bm25", "rerank": "cohere/rerank-v3.5", "render": rendered}
    path.write_text(json.dumps(suite), "utf-8")

    (line,) = json.loads(cli("plan", path, "--json").out)

    assert (line["calls"], line["units"]) == (24, 24.0)


def test_the_bill_is_the_sum_of_what_a_model_was_asked(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two pipelines that ask one model for different candidates are billed together, not named once."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-production")
    with serving(Sandbox(scorer=WordScorer())) as address:
        path = write_suite(tmp_path / "suite", address, 12)
        suite = json.loads(path.read_text("utf-8"))
        suite["pipelines"]["other"] = {
            "retrieve": "bm25",
            "rerank": "cohere/rerank-v3.5",
            "render": {"style": "yaml", "fields": ["text"]},
        }
        path.write_text(json.dumps(suite), "utf-8")
        told = cli("run", path, "--out", tmp_path / "out")

    assert "cohere/rerank-v3.5: billed 24 search units, planned 24" in told.out


def test_a_first_stage_that_pipelines_share_is_billed_once(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An embedding model that stands alone and in a fused first stage has one bill, under its own name."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-production")
    with serving(Sandbox(scorer=WordScorer())) as address:
        path = write_suite(tmp_path / "suite", address, 12, retrieve="cohere/embed-v4.0")
        suite = json.loads(path.read_text("utf-8"))
        suite["pipelines"]["both"] = {"retrieve": {"fuse": ["cohere/embed-v4.0", "bm25"]}}
        path.write_text(json.dumps(suite), "utf-8")
        told = cli("run", path, "--out", tmp_path / "out")

    assert [line.split(":")[0] for line in told.out.splitlines() if ": billed " in line] == [
        "cohere/embed-v4.0",
        "cohere/rerank-v3.5",
    ]


def test_a_run_says_what_its_stages_warn_of(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Documents that are probably cut are told on stderr, and nothing printed acts on the terminal."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-production")
    with serving(Sandbox(scorer=WordScorer())) as address:
        suite = write_suite(tmp_path / "suite", address, 12, max_tokens_per_doc=5)
        told = cli("run", suite, "--out", tmp_path / "out", "--recheck", "10%")

    assert "note: cohere/rerank-v3.5: 12 of 12 documents probably exceed max_tokens_per_doc = 5" in told.err
    lines = [line for line in told.out.splitlines() if "Report: " not in line]
    assert all(len(line) <= 80 for line in lines)


def test_a_bill_that_was_not_measured_is_told(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model priced by the token whose answers tell search units: the bill says that it is an estimate."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-production")
    with serving(Sandbox(scorer=WordScorer())) as address:
        path = write_suite(tmp_path / "suite", address, 12)
        path.write_text(
            path.read_text("utf-8").replace("cohere/rerank-v3.5", "cohere/rerank-v5.0-pro"), "utf-8"
        )
        told = cli("run", path, "--out", tmp_path / "out")

    assert told.code == 0, told
    assert "note: cohere/rerank-v5.0-pro: its answers do not tell `input_tokens`" in told.err


def test_a_failed_query_is_told_with_what_it_counts_for(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report says that a query without an answer stays in the measures and is not in the thresholds."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-production")
    with serving(Sandbox(scorer=WordScorer(), faults=[Rule(fault="nan", calls=(2,))])) as address:
        suite = write_suite(tmp_path / "suite", address, 12)
        told = cli("run", suite, "--out", tmp_path / "out")
    report = (tmp_path / "out" / "report.md").read_text("utf-8")

    assert told.code == 3
    assert "1 query of v3.5 without an answer: measured as if nothing was found, and left out of" in report
