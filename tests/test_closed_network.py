"""The tests' own promise: nothing leaves this machine."""

import socket

import pytest
from pytest_socket import SocketConnectBlockedError


def test_a_connection_beyond_loopback_fails() -> None:
    """A test that tries to reach an address elsewhere is stopped before anything is sent."""
    with pytest.warns(UserWarning, match="192.0.2.1"), pytest.raises(SocketConnectBlockedError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
