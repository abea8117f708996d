"""What one command works with: the ledger opened, the sandbox served where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from evalkit.providers.base import Context
from evalkit.providers.settings import in_sandbox
from evalkit.sandbox import sandboxed, serving
from evalkit.suite import Suite
from evalkit.transport.ledger import Ledger, default_path


@contextmanager
def session(
    suite: Suite,
    *,
    sandbox: bool = False,
    offline: bool = False,
    max_units: float | None = None,
    max_usd: float | None = None,
) -> Iterator[Context]:
    """Yield the context for a suite's providers; with `sandbox` a sandbox of its own serves Cohere's calls.

    The context's `sandbox` is also set where the environment's key is a sandbox's.

    Raises:
        InputError: the ledger's folder cannot be used, or the sandbox is not installed.
    """
    settings = suite.providers
    with ExitStack() as opened:
        ledger = opened.enter_context(Ledger(default_path()))
        if sandbox:
            settings = sandboxed(settings, opened.enter_context(serving()))
        yield Context(
            ledger,
            settings,
            offline=offline,
            sandbox=in_sandbox(asked=sandbox),
            max_units=max_units,
            max_usd=max_usd,
        )
