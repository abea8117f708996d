"""`kill -9` and Ctrl-C in mid-run: nothing that was committed is done again, and the result is the same."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from evalkit.sandbox import serving
from evalkit.sandbox.app import Sandbox
from evalkit.sandbox.scores import WordScorer
from evalkit.transport.ledger import FILE, Ledger
from tests import corpora
from tests.faults.conftest import KEY, TOPICS, write_suite

QUERIES = 60
KILLS = 20
IN_FLIGHT = 4
SEED = 7
TEXTS = 400  # embedded in a few seconds


def start(suite: Path, cache: Path, out: Path, errors: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    """Start `evalkit run` as a user does; standard error goes to `errors`."""
    return subprocess.Popen(
        [sys.executable, "-m", "evalkit", "run", str(suite), "--out", str(out), "--json"],
        env=os.environ | {"EVALKIT_CACHE": str(cache), "CO_API_KEY": KEY},
        stdout=subprocess.DEVNULL,
        stderr=errors,
    )


def committed(cache: Path, column: str = "json_extract(meta, '$.id')", operation: str = "rerank") -> set[str]:
    """Return the ids of the responses in the ledger, or another column of its entries."""
    if not (cache / FILE).exists():
        return set()
    with Ledger(cache / FILE) as ledger, ledger.connection() as connection:
        select = f"SELECT {column} FROM entries WHERE operation = ?"  # noqa: S608  a column of ours
        return {row[0] for row in connection.execute(select, [operation])}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a suite of many texts to embed, and the run of it that nothing disturbed in `out`."""
    folder = tmp_path_factory.mktemp("undisturbed")
    documents = {
        f"d{n}": f"Case {n} of the {TOPICS[n % 12]} rule: " + "ask the desk, then wait. " * (n % 7)
        for n in range(TEXTS)
    }
    corpora.write_dataset(
        folder, documents, {"q0": ("which visa rule holds in case 11", "")}, [("q0", "d11", 1)]
    )
    suite = corpora.write_suite(folder, corpora.SUITE.replace("  late:", "  # late:"))
    assert start(suite, folder / "cache", folder / "out").wait(120) == 0
    return folder


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_texts_embedded_before_the_end_are_not_embedded_again(
    undisturbed: Path, tmp_path: Path, blow: signal.Signals
) -> None:
    """Stopped in mid-embedding and started again, a run embeds only the rest, and its scores are the same."""
    cache = tmp_path / "cache"
    with (tmp_path / "told").open("wb") as errors:
        process = start(undisturbed / "suite.yaml", cache, tmp_path / "out", errors)
        while not committed(cache, "key", "embed") and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(blow)
        process.wait(60)
    told = (tmp_path / "told").read_text("utf-8")
    kept = len(committed(cache, "key", "embed"))
    assert 0 < kept < TEXTS
    if blow == signal.SIGINT:
        assert process.returncode == 130
        stood = re.search(rf"Interrupted at local/minilm-l6: documents, (\d+) of {TEXTS}\.", told)
        assert stood, told
        assert int(stood[1]) <= kept
        assert f"every embedded text until then is kept in {cache / FILE}" in told

    assert start(undisturbed / "suite.yaml", cache, tmp_path / "out").wait(120) == 0

    (stage,) = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))["pipelines"]["embed"]["stages"]
    assert (stage["from_ledger"], stage["calls"]) == (kept, TEXTS + 1 - kept)
    calm = (undisturbed / "out" / "scores.parquet").read_bytes()
    assert (tmp_path / "out" / "scores.parquet").read_bytes() == calm


def test_kill_dash_nine_at_twenty_moments(tmp_path: Path) -> None:
    """A run killed at twenty seeded moments ends with the scores of an undisturbed one, and asks for no more
    than what was in flight a second time.
    """
    rng = np.random.default_rng(SEED)
    sandbox = Sandbox(scorer=WordScorer(), delay=0.03)
    with serving(sandbox) as address:
        suite = write_suite(tmp_path / "suite", address, QUERIES, concurrency=IN_FLIGHT)
        assert start(suite, tmp_path / "calm", tmp_path / "undisturbed").wait(120) == 0
        assert len(sandbox.seen) == QUERIES
        sandbox.seen.clear()

        cache = tmp_path / "killed"
        for _ in range(KILLS):
            before = len(sandbox.seen)
            wanted = before + int(rng.integers(1, 6))
            pause = float(rng.uniform(0, 0.04))
            process = start(suite, cache, tmp_path / "resumed")
            while len(sandbox.seen) < wanted and process.poll() is None:
                time.sleep(0.001)
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
            process.wait(60)
            time.sleep(0.1)  # what was in flight reaches the server's log

        assert start(suite, cache, tmp_path / "resumed").wait(120) == 0

    asked = Counter(request.body for request in sandbox.seen)
    again = sum(count - 1 for count in asked.values())
    assert len(asked) == QUERIES
    assert 0 < again <= KILLS * IN_FLIGHT
    assert len(committed(cache)) == QUERIES
    undisturbed = (tmp_path / "undisturbed" / "scores.parquet").read_bytes()
    assert (tmp_path / "resumed" / "scores.parquet").read_bytes() == undisturbed


def test_what_was_committed_before_a_kill_is_not_asked_for_again(tmp_path: Path) -> None:
    """The requests seen twice are exactly those whose response the ledger did not hold at the kill."""
    sandbox = Sandbox(scorer=WordScorer(), delay=0.03)
    with serving(sandbox) as address:
        suite = write_suite(tmp_path / "suite", address, QUERIES, concurrency=IN_FLIGHT)
        process = start(suite, tmp_path, tmp_path / "out")
        while len(sandbox.seen) < 9:
            time.sleep(0.001)
        process.kill()
        process.wait(60)
        time.sleep(0.1)
        seen, kept = len(sandbox.seen), len(committed(tmp_path))
        assert seen - kept <= IN_FLIGHT

        assert start(suite, tmp_path, tmp_path / "out").wait(120) == 0

    assert len(sandbox.seen) == QUERIES + seen - kept
