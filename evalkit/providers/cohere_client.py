"""Calls through Cohere's SDK: its retries off, the response kept as it came, its errors turned into ours."""

from __future__ import annotations

import importlib.metadata
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evalkit.errors import InputError, ProviderError
from evalkit.providers.settings import KEY
from evalkit.transport.pool import Received
from evalkit.transport.retry import Refused, Transient, retry_after

REDACTED = "[key]"
CLIENT_NAME = "evalkit"
MESSAGE_LENGTH = 300
# This machine is never reached through the environment's proxy: httpx would, unless NO_PROXY names it.
DIRECT = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}


class CohereClient:
    """`cohere.ClientV2` at one address with one key; for use in a `with`, from any number of threads."""

    def __init__(self, base_url: str, key: str, timeout: float, connections: int) -> None:
        import cohere
        import httpx

        self.sdk = f"cohere {importlib.metadata.version('cohere')}"
        self._base_url = base_url
        self._key = key
        self._seen = threading.local()
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        # Our own transport, as its hook sees the response before the SDK does; redirects would carry texts to
        # a server that nobody named.
        hooks = {"response": [self._see]}
        self._http = httpx.Client(timeout=timeout, limits=limits, event_hooks=hooks, mounts=DIRECT)
        self._client = cohere.ClientV2(
            key, base_url=base_url, client_name=CLIENT_NAME, httpx_client=self._http
        )
        self._options: Any = {"max_retries": 0, "timeout_in_seconds": timeout}

    def rerank(self, model: str, query: str, documents: Sequence[str], **more: Any) -> Received:
        """Ask for the scores of all documents.

        Raises:
            Transient, Refused: for this call, see `pool.Call.send`.
            ProviderError: no call will be answered.
        """
        return self._received(
            lambda: self._client.rerank(
                model=model, query=query, documents=documents, request_options=self._options, **more
            )
        )

    def embed(self, model: str, texts: Sequence[str], input_type: str, **more: Any) -> Received:
        """Ask for the float embeddings of all texts; raises as `rerank` does."""
        return self._received(
            lambda: self._client.embed(
                model=model,
                texts=texts,
                input_type=input_type,
                embedding_types=["float"],
                truncate="END",
                request_options=self._options,
                **more,
            )
        )

    def __enter__(self) -> CohereClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def _see(self, response: Any) -> None:
        """Keep the response to the call that this thread is making."""
        response.read()
        self._seen.response = response

    def _received(self, send: Callable[[], object]) -> Received:
        import httpx
        from cohere.core.api_error import ApiError

        self._seen.response = None
        start = time.perf_counter()
        try:
            send()
        except ApiError as error:
            if error.status_code != httpx.codes.OK:
                cause = None if self._key in str(error) else error  # a server may repeat the key
                raise self._mapped(error.status_code, error.headers or {}, error.body) from cause
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise InputError(f"no request can be made to {self._base_url} ({type(error).__name__})") from None
        except httpx.RequestError as error:
            told = str(error).replace(self._key, REDACTED)
            raise Transient(f"{self._base_url}: {type(error).__name__}: {told}".rstrip(": ")) from error
        except (TypeError, ValueError, AttributeError, KeyError, RecursionError):
            # The SDK stumbles over a 200 of an odd shape in its own ways; our reader says what is wrong.
            if self._seen.response is None or self._seen.response.status_code != httpx.codes.OK:
                raise
        seconds = time.perf_counter() - start
        response = self._seen.response
        body = response.content.replace(self._key.encode(), REDACTED.encode())
        headers = {
            name.lower(): value.replace(self._key, REDACTED) for name, value in response.headers.items()
        }
        return Received(body, headers, seconds)

    def _mapped(self, status: int | None, headers: Mapping[str, str], body: Any) -> Exception:
        message = _message(body).replace(self._key, REDACTED)
        lower = {name.lower(): value for name, value in headers.items()}
        return mapped(status, message, lower, self._base_url, REMEDIES)


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


REMEDIES = {
    301: "The server has moved: set `base_url` to its new address",
    302: "The server has moved: set `base_url` to its new address",
    307: "The server has moved: set `base_url` to its new address",
    308: "The server has moved: set `base_url` to its new address",
    401: f"The key is not accepted: check {KEY}",
    402: "The account's billing limit is reached: raise it on the provider's dashboard, then run again",
    403: "The key may not do this: use one with access to the model",
    404: "No such model, or the key has no access to it: check the name in the suite, and `base_url`. "
    "`evalkit models` lists those that are known",
    422: "The server does not take this request; a server that only resembles Cohere's is written "
    "`{http: URL, model: NAME}` in the suite",
}


def _message(body: Any) -> str:
    """Return an error body's `message` (or `detail`, `error`), or itself, cut to a readable length."""
    if isinstance(body, dict):
        found = next((body[name] for name in ("message", "detail", "error") if body.get(name)), body)
        return _short(found if isinstance(found, str) else str(found))
    return _short(str(body or ""))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MESSAGE_LENGTH else line[: MESSAGE_LENGTH - 3] + "..."
