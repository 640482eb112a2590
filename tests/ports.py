# SPDX-License-Identifier: Apache-2.0
"""TCP ports of this machine for servers that must be told theirs beforehand, and ports on which nothing answers."""

from __future__ import annotations

import contextlib
import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_given: set[int] = set()


def free_port() -> int:
    """A free port outside of those that the kernel hands out, so it stays free until used.

    Several processes of one run (pytest-xdist) have ports of their own, so that none takes another's meanwhile.
    """
    lowest, highest = (int(word) for word in _RANGE.read_text().split())
    workers, worker = (
        int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")),
        os.environ.get("PYTEST_XDIST_WORKER", "gw0"),
    )
    own = range(10_000 + int(worker.removeprefix("gw")) % workers, 65_536, workers)
    outside = [port for port in own if not lowest <= port <= highest and port not in _given]
    for port in random.sample(outside, len(outside)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", port))
            _given.add(port)
            return port
    raise OSError("no port is free")


@contextlib.contextmanager
def nobodys_port() -> Iterator[int]:
    """A port of this machine that is taken, so that no other process gets it, and on which nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
