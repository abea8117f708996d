"""The sandbox's application: Cohere's endpoints, strict, with a quota and faults."""

from __future__ import annotations

import asyncio
import json
import math
import socket
import struct
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from evalkit.data.render import estimate_tokens
from evalkit.providers.catalog import CHUNK_TOKENS, DEFAULT_MAX_TOKENS_PER_DOC, DOCUMENTS_A_SEARCH, shipped
from evalkit.sandbox.faults import Faults, Rule, spoil
from evalkit.sandbox.quota import TRIAL_PREFIX, Quota, check_key
from evalkit.sandbox.requests import DIMENSIONS, RERANKERS, Rejected, check_embed, check_rerank, dimension
from evalkit.sandbox.scores import EmbeddedScorer, Scorer

BANNER_HEADER = {"x-evalkit-sandbox": "scores are not Cohere's"}
SERVERS_SEND = "evalkit.send"
Answer = Callable[[Any], dict[str, Any]]


class Seen(NamedTuple):
    """A request that came: `at` is the monotonic time."""

    endpoint: str
    body: bytes
    at: float


@dataclass
class Sandbox:
    """What the server does, and the requests that it has seen."""

    scorer: Scorer = field(default_factory=EmbeddedScorer)
    faults: Sequence[Rule] = ()
    per_minute: int | None = None
    per_month: int | None = None
    delay: float = 0.0  # seconds, before each answer
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._faults = Faults(self.faults)
        self._quota = {name: Quota(self.per_minute, self.per_month) for name in ("rerank", "embed")}
        self._lock = threading.Lock()

    def set_faults(self, rules: Sequence[Rule]) -> None:
        """Replace the fault script; calls are counted from 1 again."""
        self._faults = Faults(rules)

    def app(self) -> ASGIApp:
        """Return the ASGI application."""
        app = Starlette(
            routes=[
                Route("/v2/rerank", self._endpoint("rerank", check_rerank, self._rerank), methods=["POST"]),
                Route("/v2/embed", self._endpoint("embed", check_embed, self._embed), methods=["POST"]),
                Route("/v1/tokenize", self._free(_tokenize), methods=["POST"]),
                Route("/v1/check-api-key", self._free(_check_api_key), methods=["POST"]),
                Route("/v1/models", self._free(_models), methods=["GET"]),
            ]
        )
        return _with_servers_send(app)

    def _endpoint(
        self, name: str, check: Callable[[Any], None], answer: Answer
    ) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            content = await request.body()
            with self._lock:
                self.seen.append(Seen(name, content, time.monotonic()))
            try:
                key = check_key(request.headers.get("authorization", ""))
                body = _parsed(content)
                check(body)
                headers = self._quota[name].take(trial=key.startswith(TRIAL_PREFIX)) | BANNER_HEADER
            except Rejected as rejected:
                return _rejection(rejected)
            rule = self._faults.next(name)
            await asyncio.sleep(self.delay + (rule.seconds if rule else 0.0))
            if rule and rule.fault == "status":
                return Response(rule.content, rule.status, _media_type(rule) | rule.headers)
            if rule and rule.fault == "echo_key":
                return JSONResponse({"message": f"no such token: {key}"}, rule.status)
            good = await run_in_threadpool(answer, body)
            if rule and rule.fault in ("reset", "truncate"):
                return Broken(json.dumps(good).encode(), reset=rule.fault == "reset")
            if rule and rule.fault != "delay":
                return Response(spoil(rule.fault, good), 200, headers, "application/json")
            return JSONResponse(good, 200, headers)

        return respond

    def _free(self, answer: Callable[[Request, Any], Any]) -> Callable[[Request], Awaitable[Response]]:
        """Serve an endpoint without quota or faults."""

        async def respond(request: Request) -> Response:
            try:
                check_key(request.headers.get("authorization", ""))
                content = await request.body()
                body = _parsed(content) if content else None
                return JSONResponse(answer(request, body), 200, BANNER_HEADER)
            except Rejected as rejected:
                return _rejection(rejected)

        return respond

    def _rerank(self, body: dict[str, Any]) -> dict[str, Any]:
        scores = self.scorer.score(body["model"], body["query"], body["documents"])
        order = sorted(range(len(scores)), key=lambda index: -scores[index])[: body.get("top_n")]
        cut = body.get("max_tokens_per_doc") or DEFAULT_MAX_TOKENS_PER_DOC
        sizes = [min(estimate_tokens(text), cut) for text in body["documents"]]
        chunks = sum(max(1, math.ceil(size / CHUNK_TOKENS)) for size in sizes)
        return {
            "id": str(uuid.uuid4()),
            "results": [{"index": index, "relevance_score": scores[index]} for index in order],
            "meta": _meta({"search_units": math.ceil(chunks / DOCUMENTS_A_SEARCH)}),
        }

    def _embed(self, body: dict[str, Any]) -> dict[str, Any]:
        rows = self.scorer.embed(body["texts"], dimension(body))
        return {
            "id": str(uuid.uuid4()),
            "embeddings": {"float": [[float(f"{value:.8g}") for value in row] for row in rows.tolist()]},
            "texts": body["texts"],
            "meta": _meta({"input_tokens": sum(map(estimate_tokens, body["texts"])), "image_tokens": 0}),
            "response_type": "embeddings_by_type",
        }


class Broken(Response):
    """A response whose connection ends in the middle: reset, or closed before the promised length."""

    def __init__(self, content: bytes, *, reset: bool) -> None:
        super().__init__(content, 200, media_type="application/json")
        self._reset = reset

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Reset the connection before anything is sent, or close it after half of the body."""
        # uvicorn offers no way to drop a connection: its own `send` belongs to the object that holds it.
        transport = scope[SERVERS_SEND].__self__.transport
        if self._reset:
            linger_none = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_none)
            transport.abort()
            return
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send(
            {"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True}
        )
        transport.close()


def _with_servers_send(app: ASGIApp) -> ASGIApp:
    """Keep the server's own `send` where `Broken` finds it, as Starlette wraps it."""

    async def outermost(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, SERVERS_SEND: send}, receive, send)

    return outermost


def _tokenize(_: Request, body: Any) -> dict[str, Any]:
    text = body.get("text") if isinstance(body, dict) else None
    if not isinstance(text, str) or not 1 <= len(text) <= 65_536:
        raise Rejected(400, "invalid request: text must have 1 to 65536 characters")
    pieces = text.split()
    return {
        "tokens": list(range(len(pieces))),
        "token_strings": pieces,
        "meta": {"api_version": {"version": "1"}},
    }


def _check_api_key(_: Request, __: Any) -> dict[str, Any]:
    return {"valid": True, "organization_id": "sandbox", "owner_id": "sandbox"}


def _models(request: Request, _: Any) -> dict[str, Any]:
    wanted = request.query_params.get("endpoint")
    served = [(name, "rerank") for name in sorted(RERANKERS)] + [(name, "embed") for name in DIMENSIONS]
    known = shipped()
    return {
        "models": [
            {
                "name": name,
                "endpoints": [endpoint],
                "finetuned": False,
                "context_length": known[name].context if name in known else None,
                "is_deprecated": False,
            }
            for name, endpoint in served
            if wanted in (None, endpoint)
        ]
    }


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Rejected(400, "invalid request: the body is no JSON") from error


def _rejection(rejected: Rejected) -> Response:
    body = {"id": str(uuid.uuid4()), "message": rejected.message}
    return JSONResponse(body, rejected.status, BANNER_HEADER)


def _meta(units: dict[str, Any]) -> dict[str, Any]:
    return {"api_version": {"version": "2"}, "billed_units": units}


def _media_type(rule: Rule) -> dict[str, str]:
    return {"content-type": "text/html" if isinstance(rule.body, str) else "application/json"}
