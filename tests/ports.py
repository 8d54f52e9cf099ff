"""Ports for the servers that tests start."""

import secrets
import socket

FIRST, LAST = 15_000, 32_000  # below those that the system hands out by itself
_kept: list[socket.socket] = []


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens, and that no other process of tests on this machine is given until this one ends."""
    while True:
        port = FIRST + secrets.randbelow(LAST - FIRST)
        keeper, probe = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
        try:
            keeper.bind(("127.0.0.1", port))  # by UDP, which no server here uses: a mark for other processes of tests
            probe.bind(("127.0.0.1", port))
            _kept.append(keeper)
            return port
        except OSError:
            keeper.close()
        finally:
            probe.close()
