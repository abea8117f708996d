"""This machine alone: a socket for the servers that evalkit runs itself, and no proxy on the way to one."""

from __future__ import annotations

import socket

from evalkit.errors import InputError

HOST = "127.0.0.1"
# Mounts of an httpx client: it would reach this machine through a proxy unless NO_PROXY names it.
DIRECT = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}


def listen(port: int) -> tuple[socket.socket, str]:
    """Return a socket that listens on loopback, and its address; `port` 0 is any free one.

    Raises:
        InputError: the port is taken, or not the user's to take.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise InputError(
            f"port {port} cannot be used ({error.strerror}). Choose another with --port"
        ) from error
    listener.listen()
    return listener, f"http://{HOST}:{listener.getsockname()[1]}"
