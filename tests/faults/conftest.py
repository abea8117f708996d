"""A sandbox with faults, a small suite that reranks with it, and the command line around them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evalkit.sandbox import serving
from evalkit.sandbox.app import Sandbox
from evalkit.sandbox.faults import Rule
from evalkit.sandbox.scores import WordScorer
from tests.conftest import Cli, Told
from tests.corpora import write_dataset

KEY = "sandbox-production-4be1c0ffee"
TOPICS = ("leave", "laptop", "meal", "mileage", "badge", "canteen", "parking", "pension", "desk", "visa")
TOPICS += ("payroll", "training")


def write_suite(folder: Path, address: str, queries: int, retrieve: str = "bm25", **settings: Any) -> Path:
    """Write a data set of 12 documents and a suite that reranks 3 candidates of each query with Cohere."""
    write_dataset(
        folder,
        {f"d{n}": f"The {topic} rule, and how a {topic} is asked for." for n, topic in enumerate(TOPICS)},
        {f"q{n:02}": (f"which {TOPICS[n % 12]} rule holds in case {n}", "") for n in range(queries)},
        [(f"q{n:02}", f"d{n % 12}", 1) for n in range(queries)],
    )
    cohere = {"base_url": address, "rate": "unlimited", "first_wait": 0.05, "patience": 2.0, "timeout": 20}
    suite = {
        "name": "faults",
        "dataset": ".",
        "depth": 3,
        "pipelines": {
            "first": {"retrieve": retrieve},
            "v3.5": {"retrieve": retrieve, "rerank": "cohere/rerank-v3.5"},
        },
        "measures": ["RR@10"],
        "providers": {"cohere": cohere | settings},
    }
    path = folder / "suite.yaml"
    path.write_text(json.dumps(suite), "utf-8")  # JSON is YAML
    return path


@dataclass
class Bench:
    """A server to break, and a suite to run against it."""

    sandbox: Sandbox
    address: str
    folder: Path
    cli: Cli

    @property
    def out(self) -> Path:
        """The run directory."""
        return self.folder / "run"

    def run(self, rules: Sequence[Rule] = (), queries: int = 6, **settings: Any) -> Told:
        """Run the suite against the server with these faults, and forget what it saw before."""
        self.sandbox.set_faults(rules)
        self.sandbox.seen.clear()
        suite = write_suite(self.folder, settings.pop("address", self.address), queries, **settings)
        return self.cli("run", suite, "--out", self.out, "--json")

    @property
    def failures(self) -> dict[str, str]:
        """The reason for each query without an answer."""
        info = json.loads((self.out / "run.json").read_text("utf-8"))
        return {one["query_id"]: one["reason"] for some in info["failures"].values() for one in some}


@pytest.fixture
def bench(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A sandbox that scores by shared words, with the environment set to use it."""
    monkeypatch.setenv("CO_API_KEY", KEY)
    sandbox = Sandbox(scorer=WordScorer())
    with serving(sandbox) as address:
        yield Bench(sandbox, address, tmp_path / "suite", cli)
