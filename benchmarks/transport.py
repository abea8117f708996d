"""The transport against its targets: paced and unpaced calls, a cached run, the ledger's reads and writes.

The server is `evalkit sandbox` in a process of its own, with 50 ms before each answer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from benchmarks.table import Row, at_least, at_most, publish
from evalkit.pipelines.ports import Answer, Request
from evalkit.providers.base import Context, reranker
from evalkit.transport.ledger import FILE, Entry, Ledger

KEY = "sandbox-production"
DELAY = 0.05
WORKERS = 16
UNPACED_CALLS = 800
PAIRS_OF_RUNS = 3  # bare and ours in turn, as the machine's speed changes
PACED_CALLS, PACED_RATE = 800, 600  # longer than a minute: the limit must bite
QUERIES, DOCUMENTS, DEPTH = 500, 1000, 50
MODELS = ("rerank-v3.5", "rerank-v4.0-pro", "rerank-v4.0-fast")
ENTRIES, BODY = 20_000, bytes(1500)


def main() -> None:
    """Measure all, print the table, and write it with `--write`."""
    os.environ["CO_API_KEY"] = KEY
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [*paced(folder), unpaced(folder), *cached(folder), *ledger(folder)]
    publish(
        "transport",
        "Transport",
        rows,
        f"The bare SDK and evalkit took {PAIRS_OF_RUNS} turns each; the best of each is compared.",
    )


@contextmanager
def server(*arguments: str) -> Iterator[str]:
    """Serve a sandbox that scores by shared words in another process."""
    command = [sys.executable, "-m", "evalkit", "sandbox", "--port", "0", "--words", *arguments]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout  # noqa: S101  piped above
        process.stdout.readline()
        yield process.stdout.readline().removeprefix("Serving at ").split(". ")[0]
        process.terminate()


def requests(count: int, documents: int = 10) -> list[Request]:
    """Return different queries over the same documents."""
    texts = tuple(f"document number {n} says little" for n in range(documents))
    return [Request(f"q{n}", f"which number is {n}", texts) for n in range(count)]


def paced(folder: Path) -> list[Row]:
    """Keep to a limit that the server enforces: 429s are failures here, as patience is zero."""
    with server("--delay", str(DELAY), "--per-minute", str(PACED_RATE)) as address:
        own = {"base_url": address, "rate": float(PACED_RATE), "patience": 0.0}
        start = time.perf_counter()
        answers = asked(folder / "paced.sqlite", own, requests(PACED_CALLS))
        took = time.perf_counter() - start - DELAY
    refused = sum(answer.scores is None for answer in answers)
    return [
        at_least(
            f"{PACED_CALLS} calls paced at {PACED_RATE} a minute: share of the rate",
            (PACED_CALLS - 1) / took * 60 / PACED_RATE,
            0.97,
            "of it",
        ),
        at_most("429s among them", float(refused), 0, "calls"),
    ]


def unpaced(folder: Path) -> Row:
    """Compare with the bare SDK in a pool of as many threads."""
    bare, ours = 0.0, 0.0
    with server("--delay", str(DELAY)) as address:
        own = {"base_url": address, "rate": "unlimited"}
        for turn in range(PAIRS_OF_RUNS):
            bare = max(bare, UNPACED_CALLS / bare_seconds(address, requests(UNPACED_CALLS)))
            start = time.perf_counter()
            asked(folder / f"unpaced{turn}.sqlite", own, requests(UNPACED_CALLS))
            ours = max(ours, UNPACED_CALLS / (time.perf_counter() - start))
    row = at_least(
        f"{UNPACED_CALLS} calls unpaced: share of the bare SDK's calls a second", ours / bare, 0.9, "of it"
    )
    return row._replace(measured=f"{row.measured} ({ours:.0f} of {bare:.0f} a second)")


def asked(path: Path, settings: dict[str, object], some: Sequence[Request]) -> list[Answer]:
    """Ask through evalkit, with a ledger at `path`."""
    with Ledger(path) as kept:
        context = Context(kept, {"cohere": settings})
        return list(reranker("cohere/rerank-v3.5", context).rerank(some))


def bare_seconds(address: str, some: Sequence[Request]) -> float:
    """Return the time that the SDK alone takes."""
    import cohere

    with cohere.ClientV2(KEY, base_url=address) as client, ThreadPoolExecutor(WORKERS) as pool:
        start = time.perf_counter()
        for _ in pool.map(
            lambda r: client.rerank(model="rerank-v3.5", query=r.query, documents=r.documents), some
        ):
            pass
        return time.perf_counter() - start


def cached(folder: Path) -> list[Row]:
    """Run a suite that the ledger holds whole, after the server has gone: any request would fail."""
    suite = folder / "suite"
    write_dataset(suite)
    run = [sys.executable, "-m", "evalkit", "run", str(suite), "--out", str(folder / "out"), "--json"]
    environment = os.environ | {"EVALKIT_CACHE": str(folder)}
    with server() as address:
        write_suite(suite, address)
        subprocess.run(run, env=environment, check=True, capture_output=True)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(run, env=environment, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    what = f"cached run of {QUERIES} queries x {len(MODELS)} models x {DEPTH} documents"
    from_ledger = scoring_seconds(folder, suite)
    return [
        at_most(f"{what}, whole process", min(times), 3, "s"),
        Row("of which from the ledger to ranked scores", f"{from_ledger:.2f} s", "", None),
    ]


def scoring_seconds(folder: Path, suite: Path) -> float:
    """Return the time that the pipelines take without measures, intervals and thresholds."""
    from evalkit import suite as suites
    from evalkit.experiment.execute import Executor, quiet
    from evalkit.experiment.prepare import prepare

    loaded = suites.load(suite)
    inputs = prepare(loaded)
    with Ledger(folder / FILE) as kept:
        executor = Executor(inputs, Context(kept, loaded.providers, sandbox=True), quiet)
        start = time.perf_counter()
        for name, pipeline in loaded.pipelines.items():
            executor.run(name, pipeline)
        return time.perf_counter() - start


def write_dataset(folder: Path) -> None:
    """Write a data set in which each query has one relevant document."""
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": f"d{n}", "title": "", "text": f"topic{n % 97} thing{n}"} for n in range(DOCUMENTS)]
    queries = [{"_id": f"q{n}", "text": f"topic{n % 97} thing{n} please"} for n in range(QUERIES)]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text, "utf-8")
    qrels = "".join(f"q{n}\td{n}\t1\n" for n in range(QUERIES))
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{qrels}", "utf-8")


def write_suite(folder: Path, address: str) -> None:
    """Write a suite of three rerankers over one embedder."""
    embed = "cohere/embed-v4.0"
    pipelines = {"embed": {"retrieve": embed}} | {
        name: {"retrieve": embed, "rerank": f"cohere/{name}"} for name in MODELS
    }
    cohere = {"base_url": address, "rate": "unlimited", "inputs_per_minute": None}
    suite = {
        "name": "cached",
        "dataset": ".",
        "depth": DEPTH,
        "pipelines": pipelines,
        "providers": {"cohere": cohere},
    }
    (folder / "suite.yaml").write_text(json.dumps(suite), "utf-8")


def ledger(folder: Path) -> list[Row]:
    """Write and read entries one at a time."""
    entries = [Entry(f"{n:064x}", "rerank", "u", BODY, {"model": "m", "units": 1.0}) for n in range(ENTRIES)]
    with Ledger(folder / "speed.sqlite") as kept:
        start = time.perf_counter()
        for entry in entries:
            kept.put(entry)
        writes = ENTRIES / (time.perf_counter() - start)
        start = time.perf_counter()
        for entry in entries:
            kept.get_many([entry.key])
        reads = ENTRIES / (time.perf_counter() - start)
        start = time.perf_counter()
        kept.get_many(entry.key for entry in entries)
        together = ENTRIES / (time.perf_counter() - start)
    return [
        at_least("ledger: committed writes of 1.5 kB", writes, 5_000, "a second"),
        at_least("ledger: reads, one at a time", reads, 20_000, "a second"),
        at_least("ledger: reads, all keys at once", together, 20_000, "a second"),
    ]


if __name__ == "__main__":
    main()
