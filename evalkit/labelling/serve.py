"""The labelling page as a running server, on loopback only."""

from __future__ import annotations

import importlib.util
import secrets
import socket
from collections.abc import Callable

from evalkit.errors import InputError
from evalkit.labelling.session import Session

HOST = "127.0.0.1"


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
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with listener:
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise InputError(
                f"port {port} cannot be had: {error.strerror}. Name another with --port"
            ) from error
        listener.listen()
        tell(f"http://{HOST}:{listener.getsockname()[1]}/{token}/")
        app = application(session, token)
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
