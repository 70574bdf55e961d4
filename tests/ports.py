"""A port for a server that is started as a process of its own."""

import random
import socket

BELOW_CONNECTIONS = range(20_000, 32_000)
"""Ports that no system gives to a connection of its own accord: one of those may be another's
before the server has come up."""


def free_port() -> int:
    """A port of the loopback that nobody uses."""
    draw = random.SystemRandom()
    while True:
        port = draw.choice(BELOW_CONNECTIONS)
        with socket.socket() as found:
            try:
                found.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
