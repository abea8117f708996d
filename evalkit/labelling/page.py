"""The page and its calls: only with the token, only from loopback, texts only ever as text."""

from __future__ import annotations

import hmac
import json
import secrets
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from evalkit.errors import InputError
from evalkit.labelling.session import Item, Session

HOSTS = ["127.0.0.1", "localhost", "[::1]"]  # a name that somebody else's DNS points here is refused
MAX_BODY = 10_000


def application(session: Session, token: str) -> Starlette:
    """Return the server of one session; every address begins with the token."""

    def guarded(answer: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            if not hmac.compare_digest(request.path_params["token"].encode(), token.encode()):
                return PlainTextResponse("no such page", 404)
            if request.method == "POST" and not _from_here(request):
                return PlainTextResponse("only from this page", 403)
            try:
                response: Response = await answer(request)
            except InputError as error:
                response = JSONResponse({"error": str(error)}, 400)
            return _closed(response)

        return endpoint

    async def page(_: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        text = (files("evalkit.labelling") / "page.html").read_text("utf-8").replace("NONCE", nonce)
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return HTMLResponse(text, headers={"Content-Security-Policy": policy})

    async def state(_: Request) -> Response:
        return JSONResponse(_state(session, session.next))

    async def judge(request: Request) -> Response:
        told = await _body(request)
        session.judge(_key(told), _grade(told))
        return JSONResponse(_state(session, session.next))

    async def skip(request: Request) -> Response:
        session.skip(_key(await _body(request)))
        return JSONResponse(_state(session, session.next))

    async def undo(_: Request) -> Response:
        item = session.undo()
        return JSONResponse(_state(session, item or session.next))

    routes = [
        Route("/{token}/", guarded(page), methods=["GET"]),
        Route("/{token}/state", guarded(state), methods=["GET"]),
        Route("/{token}/judge", guarded(judge), methods=["POST"]),
        Route("/{token}/skip", guarded(skip), methods=["POST"]),
        Route("/{token}/undo", guarded(undo), methods=["POST"]),
    ]
    return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)])


def _state(session: Session, item: Item | None) -> dict[str, Any]:
    """Return all that the page shows."""
    return {
        "item": None if item is None else item._asdict(),
        "grades": [{"grade": grade, "meaning": session.grades[grade]} for grade in sorted(session.grades)],
        "judged": len(session.judged),
        "total": len(session.items),
        "skipped": sum(key not in session.judged for key in session.skipped),
        "rater": session.rater,
        "log": str(session.log),
    }


async def _body(request: Request) -> dict[str, Any]:
    """Return the JSON object of a small request.

    Raises:
        InputError: it is large, or no JSON object.
    """
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise InputError("the request is too large")
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise InputError("the request is no JSON object")
    return told


def _key(told: dict[str, Any]) -> tuple[str, str]:
    return str(told.get("query_id")), str(told.get("doc_id"))


def _grade(told: dict[str, Any]) -> int:
    grade = told.get("grade")
    if not isinstance(grade, int) or isinstance(grade, bool):
        raise InputError("the grade is no whole number")
    return grade


def _from_here(request: Request) -> bool:
    """Return whether a browser says that the request comes from our own page."""
    origin = request.headers.get("origin")
    return origin is None or origin == f"http://{request.headers.get('host')}"


def _closed(response: Response) -> Response:
    """Return the response with headers that keep it from caches, frames, and other sites."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
