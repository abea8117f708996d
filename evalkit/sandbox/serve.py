"""The sandbox as a running server on loopback."""

from __future__ import annotations

import importlib.util
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from evalkit.errors import InputError
from evalkit.transport.loopback import listen

if TYPE_CHECKING:
    from evalkit.sandbox.app import Sandbox
    from evalkit.sandbox.faults import Rule

START_SECONDS = 20.0
BANNER = "SANDBOX SCORES, NOT COHERE'S"


@contextmanager
def serving(sandbox: Sandbox | None = None, port: int = 0) -> Iterator[str]:
    """Serve `sandbox` on loopback in a thread of this process and yield its address; 0 is any free port.

    Raises:
        InputError: the extra `sandbox` is not installed, or the port is taken.
    """
    server, listener, address = _server(sandbox, port)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        _await_start(server)
        yield address
    finally:
        server.should_exit = server.force_exit = True
        thread.join(START_SECONDS)
        listener.close()


def serve(
    port: int,
    tell: Callable[[str], None],
    faults: Sequence[Rule] = (),
    *,
    per_minute: int | None = None,
    per_month: int | None = None,
    delay: float = 0.0,
    words: bool = False,
) -> None:
    """Serve a sandbox on loopback until interrupted; `tell` is given the address first."""
    _need_extra()
    from evalkit.sandbox.app import Sandbox
    from evalkit.sandbox.scores import EmbeddedScorer, WordScorer

    scorer = WordScorer() if words else EmbeddedScorer()
    server, listener, address = _server(Sandbox(scorer, faults, per_minute, per_month, delay), port)
    with listener:
        tell(address)
        server.run(sockets=[listener])


def sandboxed(settings: Mapping[str, Mapping[str, Any]], address: str) -> dict[str, dict[str, Any]]:
    """Return a suite's provider settings with Cohere's calls going to a sandbox, as fast as it answers."""
    own = {"rate": "unlimited", "inputs_per_minute": None} | dict(settings.get("cohere", {}))
    return {**{name: dict(value) for name, value in settings.items()}, "cohere": own | {"base_url": address}}


def _need_extra() -> None:
    for package in ("starlette", "uvicorn"):
        if importlib.util.find_spec(package) is None:
            raise InputError(f"the sandbox needs {package}. Install evalkit with its extra `sandbox`")


def _server(sandbox: Sandbox | None, port: int) -> tuple[Any, socket.socket, str]:
    _need_extra()
    import uvicorn

    from evalkit.sandbox.app import Sandbox

    listener, address = listen(port)
    config = uvicorn.Config(
        (sandbox or Sandbox()).app(),
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="none",
        http="h11",
    )
    return uvicorn.Server(config), listener, address


def _await_start(server: Any) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        if time.monotonic() > deadline:
            raise InputError("the sandbox did not start. Try another port with --port")
        time.sleep(0.005)
