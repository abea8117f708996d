"""Every row of the fault matrix, through `evalkit run`: how it ends, what it says, and that it resumes."""

from __future__ import annotations

import json

import pytest

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
    from evalkit.sandbox.faults import Rule

    bench.run([Rule(fault="null", calls=(2,))])

    told = cli("cache", "info", "--json")
    assert json.loads(told.out)["quarantined"] == [["the score None is no number", 1]]


def test_the_key_is_nowhere(bench: Bench) -> None:
    """After faults of every kind the key is in no file, and in nothing that was printed."""
    from evalkit.transport.ledger import default_path

    told = ""
    for row in ROWS:
        if not row.settings and not row.gap:
            done = bench.run([row.rule], queries=QUERIES)
            told += done.out + done.err
    files = [
        path for root in (bench.folder, default_path().parent) for path in root.rglob("*") if path.is_file()
    ]
    leaking = [path for path in files if KEY.encode() in path.read_bytes()]

    assert KEY not in told
    assert len(files) > 5
    assert leaking == []
