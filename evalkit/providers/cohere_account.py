"""Where Cohere's calls go, with which key, within which limits."""

from __future__ import annotations

import os
from collections.abc import Sequence

from evalkit.errors import InputError
from evalkit.pipelines.ports import Operation
from evalkit.providers import catalog, settings
from evalkit.providers.base import Context
from evalkit.providers.cohere_client import CohereClient
from evalkit.transport.budget import Budget
from evalkit.transport.pacing import Pacer
from evalkit.transport.pool import Pool, Received

TRIAL_LIMIT = "x-trial-endpoint-call-limit"


class Account:
    """Where Cohere's calls go, with which key and limits; shared by rerank and embed.

    `base_url` is what the ledger's keys hold: for a sandbox a name of its own, so that its scores never serve
    a real run.
    """

    def __init__(self, name: str, context: Context) -> None:
        self.model = name.partition("/")[2]
        self.context = context
        self.settings = settings.read(settings.CohereSettings, "cohere", context.settings)
        named = self.settings.base_url or os.environ.get("CO_API_URL") or settings.COHERE
        self._url = settings.address(named, api_root=True)
        self._key = settings.key_from(settings.KEY)
        if context.sandbox and not settings.in_sandbox(asked=False):
            self._key = settings.SANDBOX_KEY  # a real key never goes to a sandbox
        self.base_url = settings.SANDBOX if settings.in_sandbox(asked=context.sandbox) else self._url

    def client(self) -> CohereClient:
        """Open a client.

        Raises:
            InputError: there is no key.
        """
        if self._key is None:
            raise InputError(
                f"cohere/{self.model} needs a key: set {settings.KEY} (dashboard.cohere.com has trial keys), "
                "or try the suite without one by adding --sandbox"
            )
        return CohereClient(self._url, self._key, self.settings.timeout, self.settings.concurrency)

    def pool(self, does: Operation, inputs: float | None = None) -> Pool:
        """Make a pool for this account's limits."""
        context, own = self.context, self.settings
        return Pool(
            context.ledger,
            Budget(context.usage, context.max_units, context.max_usd),
            requests=own.requests_per_minute,
            inputs=inputs,
            pacers=context.pacers.setdefault(f"{does} {self._url}", {}),
            retry=own.retry,
            workers=own.concurrency,
            on_answer=None if own.rate else _learn_trial_limit,
        )

    def known(self, does: Operation) -> catalog.Model:
        """Return what is known of the model."""
        return catalog.find(self.model, does, self.settings.catalog)

    def warn(self, lines: Sequence[str]) -> None:
        """Put warnings where the run reports them, once."""
        said = self.context.usage.warnings
        said.extend(line for line in lines if line not in said)


def _learn_trial_limit(received: Received, pacer: Pacer) -> None:
    """Slow down to the limit that only a trial key's answers tell."""
    told = received.headers.get(TRIAL_LIMIT, "")
    if told.isdecimal() and int(told) > 0:
        pacer.learn(float(told))
