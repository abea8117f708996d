"""The labelling page as a running server, on loopback only."""

from __future__ import annotations

import importlib.util
import secrets
from collections.abc import Callable

from evalkit.errors import InputError
from evalkit.labelling.session import Session
from evalkit.transport.loopback import listen


def serve(session: Session, port: int, tell: Callable[[str], None]) -> None:
    """Serve `session` on loopback until interrupted; `tell` is given the address, with its random token.

    Raises:
        InputError: the extra `sandbox` is not installed, or the port is taken.
    """
    if any(importlib.util.find_spec(name) is None for name in ("starlette", "uvicorn")):
        raise InputError("the labelling page needs Starlette. Install evalkit with its extra `sandbox`")
    import uvicorn

    from evalkit.labelling.page import application

    token = secrets.token_urlsafe(24)
    listener, address = listen(port)
    with listener:
        tell(f"{address}/{token}/")
        app = application(session, token)
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
