"""TCP ports of this machine for servers that must be told theirs beforehand, and ports on which nobody answers."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Iterator
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_given: set[int] = set()


def free_port() -> int:
    """A port that nobody uses and that the kernel gives to nobody who asks it for any, so it stays free until used."""
    lowest, highest = (int(word) for word in _RANGE.read_text().split())
    outside = [port for port in range(10_000, 65_536) if not lowest <= port <= highest and port not in _given]
    for port in random.sample(outside, len(outside)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", port))
            _given.add(port)
            return port
    raise OSError("no port is free")


@contextlib.contextmanager
def nobodys_port() -> Iterator[int]:
    """A port of this machine that is taken, so that nobody else gets it, and on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
