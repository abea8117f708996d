"""Calls through Cohere's SDK: its retries off, the response kept as it came, its errors turned into ours."""

from __future__ import annotations

import importlib.metadata
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evalkit.errors import InputError
from evalkit.providers.complaints import REDACTED, REMEDIES, mapped, readable, redacted
from evalkit.transport.loopback import DIRECT
from evalkit.transport.pool import Received
from evalkit.transport.retry import Transient

CLIENT_NAME = "evalkit"


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
            told = redacted(str(error), self._key)
            raise Transient(f"{self._base_url}: {type(error).__name__}: {told}".rstrip(": ")) from error
        except (TypeError, ValueError, AttributeError, KeyError, RecursionError):
            # The SDK stumbles over a 200 of an odd shape in its own ways; our reader says what is wrong.
            if self._seen.response is None or self._seen.response.status_code != httpx.codes.OK:
                raise
        seconds = time.perf_counter() - start
        response = self._seen.response
        body = response.content.replace(self._key.encode(), REDACTED.encode())
        headers = {name.lower(): redacted(value, self._key) for name, value in response.headers.items()}
        return Received(body, headers, seconds)

    def _mapped(self, status: int | None, headers: Mapping[str, str], body: Any) -> Exception:
        message = readable(_message(body), self._key)
        lower = {name.lower(): value for name, value in headers.items()}
        return mapped(status, message, lower, self._base_url, REMEDIES)


def _message(body: Any) -> str:
    """Return an error body's `message` (or `detail`, `error`), or itself."""
    if isinstance(body, dict):
        body = next((body[name] for name in ("message", "detail", "error") if body.get(name)), body)
    return str(body or "")
