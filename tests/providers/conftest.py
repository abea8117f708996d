"""Providers at work against a sandbox on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evalkit.pipelines.ports import Request
from evalkit.providers.base import Context
from evalkit.sandbox import sandboxed, serving
from evalkit.sandbox.app import Sandbox
from evalkit.sandbox.scores import WordScorer
from evalkit.transport.ledger import Ledger


@dataclass
class Served:
    """A sandbox, and contexts for providers that use it."""

    sandbox: Sandbox
    address: str
    ledger: Ledger

    def context(self, occasion: str = "", **settings: Any) -> Context:
        """Return a context with these settings under `providers: {cohere: ...}`."""
        quick = {"first_wait": 0.02, "patience": 1.0}
        return Context(
            self.ledger,
            sandboxed({"cohere": quick | settings}, self.address),
            sandbox=True,
            occasion=occasion,
        )

    def bodies(self) -> list[bytes]:
        """Return the body of each request that came."""
        return [request.body for request in self.sandbox.seen]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A sandbox that scores by shared words, and an empty ledger."""
    sandbox = Sandbox(scorer=WordScorer())
    with serving(sandbox) as address, Ledger(tmp_path / "ledger.sqlite") as ledger:
        yield Served(sandbox, address, ledger)


def requests(count: int, documents: int = 3) -> list[Request]:
    """Return requests with different queries over the same documents."""
    texts = tuple(f"document number {n}" for n in range(documents))
    return [Request(f"q{n}", f"which number is {n}", texts) for n in range(count)]
