"""`{http: URL, model: NAME}`: rerankers behind servers that speak the shape of Cohere's API, or nearly."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from evalkit.errors import InputError, ProviderError
from evalkit.pipelines.ports import Answer, PlanLine, Request
from evalkit.providers import asking, planning, settings
from evalkit.providers.asking import Asking, Part, Wire
from evalkit.providers.base import Context
from evalkit.providers.complaints import REDACTED, REMEDIES, mapped, readable, redacted
from evalkit.records import ScoreSpace
from evalkit.transport.budget import Budget, Cost
from evalkit.transport.loopback import DIRECT
from evalkit.transport.pool import Pool, Received
from evalkit.transport.retry import Transient

DEFAULT_PATH = "/v1/rerank"  # what most of them serve: vLLM, LiteLLM, llama.cpp, Jina, LocalAI, Xinference
FREE = Cost(0.0, "", 0.0)
HTTP_REMEDIES = REMEDIES | {
    401: "The key is not accepted: check the variable that `providers: {http: {api_key_env: ...}}` names",
    404: "The server has no such path or model: check `http` and `model` in the suite",
    422: "The server does not take this request: check that `http` in the suite is its rerank route",
}


class HttpReranker:
    """A reranker at the address that the suite names: the whole one, or only the server (`/v1/rerank` then).

    `score_space` is `unit` until a score outside [0, 1] shows that the server returns logits; these are kept
    as they are.
    """

    score_space: ScoreSpace = "unit"

    def __init__(self, name: str, context: Context) -> None:
        self.name = name
        self._model = name.partition("/")[2]
        self._context = context
        self._settings = settings.read(settings.HttpSettings, "http", context.settings)
        url = settings.address(self._settings.base_url, api_root=False)
        self._url = self.address = url if urlsplit(url).path else url + DEFAULT_PATH
        variable = self._settings.api_key_env
        self._key = settings.key_from(variable) if variable else None
        if variable and self._key is None:
            raise InputError(f"{name}: the suite names {variable} for the key, but it is not set. Set it")

    def rerank(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """Answer each request: from the ledger, or with one call each."""
        asked = self._asking(requests)
        asking.refuse_offline(self._context, self.name, len(asked.missing), len(asked.by_key))
        own, context = self._settings, self._context
        pool = Pool(
            context.ledger,
            Budget(context.usage, context.max_units, context.max_usd),
            requests=own.rate,
            pacers=context.pacers.setdefault(self._url, {}),
            retry=own.retry,
            workers=own.concurrency,
        )
        with Poster(self._url, self._model, self._key, own.timeout, own.concurrency) as poster:
            wire = Wire(self._model, self._url, {}, poster.post, lambda _: FREE, lambda _, __: FREE, "httpx")
            yield from map(self._seen, asked.answers(pool, wire))

    def plan_rerank(self, requests: Sequence[Request]) -> PlanLine:
        """Say what `rerank` would send; what the server's owner bills is not known to evalkit."""
        asked = self._asking(requests)
        return planning.line(
            self.name,
            "rerank",
            calls=len(asked.by_key),
            missing=len(asked.missing),
            cost=FREE,
            tokens=sum(planning.rerank_tokens(part, 2**31) for part in asked.missing),
            minutes=planning.minutes(len(asked.missing), self._settings.rate),
            warnings=(),
        )

    def _asking(self, requests: Sequence[Request]) -> Asking:
        return Asking(requests, self._context, {"base_url": self._url, "model": self._model})

    def _seen(self, answer: Answer) -> Answer:
        if asking.outside_unit(answer):
            self.score_space = "logit"
        return answer


class Poster:
    """Posts rerank requests; for use in a `with`, from any number of threads."""

    def __init__(self, url: str, model: str, key: str | None, timeout: float, connections: int) -> None:
        import httpx

        self._url = url
        self._model = model
        self._key = key
        self._texts_only = False
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(timeout=timeout, limits=limits, headers=headers, mounts=DIRECT)

    def post(self, part: Part) -> Received:
        """Ask for the scores of all documents; raises as `pool.Call.send` says."""
        import httpx

        start = time.perf_counter()
        try:
            response = self._http.post(self._url, json=self._body(part))
            if response.status_code == 422 and "texts" in response.text and not self._texts_only:
                # TEI's rerank route: its own body names the documents `texts` and has no model.
                self._texts_only = True
                response = self._http.post(self._url, json=self._body(part))
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise ProviderError(f"no request can be made to {self._url} ({type(error).__name__})") from None
        except httpx.RequestError as error:
            raise Transient(
                f"{self._url}: {type(error).__name__}: {redacted(str(error), self._key)}"
            ) from error
        headers = {name.lower(): redacted(value, self._key) for name, value in response.headers.items()}
        if response.status_code != httpx.codes.OK:
            message = readable(response.text, self._key)
            raise mapped(response.status_code, message, headers, self._url, HTTP_REMEDIES)
        body = (
            response.content.replace(self._key.encode(), REDACTED.encode()) if self._key else response.content
        )
        return Received(body, headers, time.perf_counter() - start)

    def __enter__(self) -> Poster:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def _body(self, part: Part) -> dict[str, Any]:
        documents = list(part.documents)
        if self._texts_only:
            return {"query": part.query, "texts": documents}
        return {"model": self._model, "query": part.query, "documents": documents}
