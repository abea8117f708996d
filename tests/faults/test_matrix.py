"""Every row of the fault matrix, through `evalkit run`: how it ends, what it says, and that it resumes."""

from __future__ import annotations

import json
import traceback

import pytest

from evalkit.errors import ProviderError
from evalkit.sandbox.faults import Rule
from tests.conftest import Cli
from tests.faults.conftest import KEY, Bench
from tests.faults.matrix import EMBED_ROWS, LABELLED_LOGIT, ROWS, Row

QUERIES = 6


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_fault_of_a_rerank_call(bench: Bench, row: Row) -> None:
    """The run ends as the row says; once the fault is gone, the next run asks only for what is missing."""
    told = bench.run([row.rule], queries=QUERIES, **row.settings)

    assert told.code == row.exit, told
    seen = [request.body for request in bench.sandbox.seen]
    if row.asked is not None:
        assert len(seen) == row.asked
    if row.gap:
        first, second = (request.at for request in bench.sandbox.seen[:2])
        assert second - first >= row.gap
    failures = bench.failures if (bench.out / "run.json").exists() else {}
    assert len(failures) == row.failed
    assert row.says in told.err + "".join(failures.values())
    answered = QUERIES - len(failures) if bench.out.exists() else None

    resumed = bench.run(queries=QUERIES)

    assert resumed.code == 0
    assert bench.failures == {}
    if answered is not None:
        assert len(bench.sandbox.seen) == QUERIES - answered
    info = json.loads((bench.out / "run.json").read_text("utf-8"))
    space = info["pipelines"]["v3.5"]["domain"]["score_space"]
    assert space == ("logit" if row.name in LABELLED_LOGIT else "unit")


@pytest.mark.parametrize("row", EMBED_ROWS, ids=lambda row: row.name)
def test_fault_of_an_embed_call(bench: Bench, row: Row) -> None:
    """A run without its embeddings ends and says why; once the fault is gone, it works."""
    told = bench.run([row.rule], retrieve="cohere/embed-v4.0")

    assert told.code == 3, told
    assert row.says in told.err

    assert bench.run(retrieve="cohere/embed-v4.0").code == 0


def test_connection_refused(bench: Bench) -> None:
    """Nobody listens: asks again for as long as its patience, then says where nobody listens."""
    told = bench.run(address="http://127.0.0.1:9", patience=0.3)

    assert told.code == 3
    assert "http://127.0.0.1:9: ConnectError" in told.err


def test_a_quarantined_response_is_kept(bench: Bench, cli: Cli) -> None:
    """A response that failed validation can be looked at: `evalkit cache info` counts it with the reason."""
    bench.run([Rule(fault="null", calls=(2,))])

    told = cli("cache", "info", "--json")
    assert json.loads(told.out)["quarantined"] == [["the score None is no number", 1]]


def test_the_key_is_nowhere(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """After faults of every kind the key is in no file, and in nothing that was printed."""
    told = ""
    rows = [row for row in (*ROWS, *EMBED_ROWS) if not row.settings and not row.gap]
    for number, row in enumerate(rows):
        monkeypatch.setenv("EVALKIT_CACHE", str(bench.folder / f"cache{number}"))
        retrieve = "cohere/embed-v4.0" if row in EMBED_ROWS else "bm25"
        done = bench.run([row.rule], queries=QUERIES, retrieve=retrieve)
        assert bench.sandbox.seen
        told += done.out + done.err
        if bench.out.exists():
            bench.out.rename(bench.folder / f"run{number}")
    files = [path for path in bench.folder.rglob("*") if path.is_file()]
    leaking = [path for path in files if KEY.encode() in path.read_bytes()]

    assert KEY not in told
    assert len(files) > 5 * len(rows)
    assert leaking == []


@pytest.mark.parametrize("status", [400, 401, 500])
def test_the_key_is_in_no_traceback(bench: Bench, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that repeats the key in its error does not get it into a traceback, causes included."""
    from evalkit.api import run

    bench.run([Rule(fault="echo_key", status=status)], patience=0.1)
    monkeypatch.setenv("EVALKIT_CACHE", str(bench.folder / "cache"))
    with pytest.raises(ProviderError) as caught:
        run(bench.folder / "suite.yaml", bench.folder / "other")
    told = "".join(traceback.format_exception(caught.value))

    assert KEY not in told
    assert "[key]" in told
