"""What a suite may set for a provider, the key from the environment, and where calls go."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)

from evalkit.data.yamls import problems
from evalkit.errors import InputError
from evalkit.transport.pool import MAX_WORKERS
from evalkit.transport.retry import Retry

KEY = "CO_API_KEY"
COHERE = "https://api.cohere.com"
SANDBOX_PREFIX = "sandbox-"  # the sandbox takes these keys only, Cohere takes none of them
SANDBOX_KEY = "sandbox-production"
# Stands for the address in the ledger, so that no real run is ever served.
# Raise it when the sandbox's scores change.
SANDBOX = "sandbox:1"
RATES = {"trial": 10.0, "production": 1000.0, "unlimited": None}
EMBED_INPUTS_A_MINUTE = 2000.0


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    concurrency: PositiveInt = Field(default=MAX_WORKERS, le=MAX_WORKERS)
    timeout: PositiveFloat = 60.0  # seconds
    first_wait: NonNegativeFloat = Retry.first_wait
    longest_wait: PositiveFloat = Retry.longest_wait
    patience: NonNegativeFloat = Retry.patience  # seconds that one call may spend waiting, in all

    @property
    def retry(self) -> Retry:
        """How failures that may pass are asked again."""
        return Retry(self.first_wait, self.longest_wait, self.patience)


class CohereSettings(_Settings):
    """The suite's `providers: {cohere: ...}`.

    `rate` is in calls a minute; without one, production's is kept until a trial key shows itself.
    """

    base_url: str | None = None
    rate: Literal["trial", "production", "unlimited"] | PositiveFloat | None = None
    inputs_per_minute: PositiveFloat | None = EMBED_INPUTS_A_MINUTE
    max_tokens_per_doc: PositiveInt | None = None
    output_dimension: PositiveInt | None = None
    catalog: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @property
    def requests_per_minute(self) -> float | None:
        """The rate to start with; None: no limit."""
        rate = self.rate or "production"
        return RATES[rate] if isinstance(rate, str) else rate


class HttpSettings(_Settings):
    """The suite's `providers: {http: ...}`; `api_key_env` names the variable that holds a key, if any."""

    base_url: str
    api_key_env: str | None = None
    rate: PositiveFloat | None = None


S = TypeVar("S", bound=BaseModel)


def read(kind: type[S], provider: str, settings: Mapping[str, Mapping[str, Any]]) -> S:
    """Return a provider's settings.

    Raises:
        InputError: some are unknown or wrong; all of them at once.
    """
    try:
        return kind.model_validate(dict(settings.get(provider, {})))
    except ValidationError as error:
        known = ", ".join(kind.model_fields)
        raise InputError(
            f"the suite's `providers: {provider}:` {problems(error)}. It takes {known}"
        ) from error


def score_settings(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the settings that change scores, so that thresholds depend on them; rates and prices do not."""
    changing = ("base_url", "max_tokens_per_doc", "output_dimension")
    found = {
        name: {key: value for key, value in own.items() if key in changing} for name, own in settings.items()
    }
    return {name: own for name, own in found.items() if own}


def key_from(variable: str) -> str | None:
    """Return the key in an environment variable, or None where there is none.

    Raises:
        InputError: it holds what no key holds (told without showing it).
    """
    key = os.environ.get(variable, "").strip()
    if not key:
        return None
    if not key.isascii() or not key.isprintable() or " " in key:
        raise InputError(f"{variable} holds a space or a character that no key has. Copy the key again")
    return key


def in_sandbox(*, asked: bool) -> bool:
    """Return whether Cohere's calls go to a sandbox: as asked, or because the environment's key is one's."""
    return asked or (key_from(KEY) or "").startswith(SANDBOX_PREFIX)


def address(url: str, *, api_root: bool) -> str:
    """Return an address in the form that the ledger's keys use: no slash at the end.

    Raises:
        InputError: it is no http address, holds credentials, or (`api_root`) already ends in a version or
            a query.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise InputError(f"base_url {url!r} is no address ({error}). Correct it") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"base_url must start with http:// or https:// and name a server, not {url!r}")
    if parts.username or parts.password:
        raise InputError("base_url must not hold credentials: they would be stored beside every score")
    if api_root and (parts.query or parts.fragment):
        raise InputError("base_url must end before any `?` or `#`: the SDK adds /v2/rerank by itself")
    trimmed = url.rstrip("/")
    if api_root and trimmed.rsplit("/", 1)[-1] in ("v1", "v2"):
        raise InputError(f"base_url {url} must end before the version: the SDK adds /v2/rerank by itself")
    return trimmed
