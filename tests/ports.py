"""Ports for the servers that tests start."""

import os
import random
import socket

# Below the ports that systems hand out by themselves: one of those may be some connection's by the time a server
# that starts for seconds takes it. Tests run side by side, each process of them with ports of its own.
_FIRST, _EACH, _PROCESSES = 20_000, 1_500, 8
_dice = random.Random()  # noqa: S311 (not a secret); two runs on one machine shall differ


def free_port() -> int:
    """Return a port that nothing listens on."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PROCESSES
    for _ in range(1_000):
        port = _FIRST + worker * _EACH + _dice.randrange(_EACH)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")
