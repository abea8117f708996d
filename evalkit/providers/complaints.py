"""What servers answer instead of scores: what an error status means, told without the key."""

from __future__ import annotations

import time
from collections.abc import Mapping

from evalkit.errors import ProviderError
from evalkit.providers.settings import KEY
from evalkit.transport.retry import Refused, Transient, retry_after

REDACTED = "[key]"
LENGTH = 300  # characters of a server's words
REMEDIES = dict.fromkeys((301, 302, 307, 308), "The server has moved: set `base_url` to its new address") | {
    401: f"The key is not accepted: check {KEY}",
    402: "The account's billing limit is reached: raise it on the provider's dashboard, then run again",
    403: "The key may not do this: use one with access to the model",
    404: "No such model, or the key has no access to it: check the name in the suite, and `base_url`. "
    "`evalkit models` lists those that are known",
    422: "The server does not take this request; a server that only resembles Cohere's is written "
    "`{http: URL, model: NAME}` in the suite",
}


def redacted(text: str, key: str | None) -> str:
    """Return a server's words without the key: it may repeat it."""
    return text.replace(key, REDACTED) if key else text


def readable(text: str, key: str | None) -> str:
    """Return a server's words in one line of a readable length, without the key."""
    line = " ".join(redacted(text, key).split())  # before it is cut, or half a key could be left
    return line if len(line) <= LENGTH else line[: LENGTH - 3] + "..."


def mapped(
    status: int | None, message: str, headers: Mapping[str, str], base_url: str, remedies: Mapping[int, str]
) -> Exception:
    """Return what an error status means: `Transient`, `Refused`, or `ProviderError` to end the run.

    `message` is the server's own, without any key; `headers` have lower-case names; `remedies` says what to
    do about the statuses that end a run.
    """
    said = f"HTTP {status}: {message}" if message else f"HTTP {status}"
    if status == 429 and "/ month" in message:
        return ProviderError(
            f"the key's monthly quota is used up ({said}). What was answered is kept: run again next month, "
            "or with a production key, to ask for the rest only"
        )
    if status in (408, 429) or (status is not None and status >= 500):
        wait = retry_after(headers.get("retry-after"), time.time())
        return Transient(f"{base_url}: {said}", wait, too_many=status in (429, 529))
    if status is not None and status in remedies:
        return ProviderError(f"{base_url} answered {said.rstrip('.')}. {remedies[status]}")
    return Refused(said)
