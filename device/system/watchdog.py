# SPDX-License-Identifier: Apache-2.0
"""Tells systemd that the screen loop is alive, so that an app that hangs is ended and started again.

``python -m device run`` makes one of these and lets the UI loop feed it. The protocol is that of sd_notify(3): a
datagram to the socket that systemd names in the environment. Without such a socket (on a desk) nothing is done.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

LONGEST_PAUSE_S = 1.0
_BEATS_A_LIMIT = 4
"""Feeding four times as often as needed leaves room for a slow frame."""


@dataclass(slots=True)
class Watchdog:
    """What one service tells systemd.

    Attributes:
        address: The socket of systemd, empty where there is none; an ``@`` in front means one without a file.
        limit_s: Seconds without :meth:`beat` after which systemd ends the program; ``None`` where it does not watch.
    """

    address: str = ""
    limit_s: float | None = None
    _is_ready: bool = field(default=False, init=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, pid: int | None = None) -> Self:
        """As systemd has asked this process for it.

        Args:
            environment: Tells ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID``.
            pid: Number of this process, to notice a limit that was meant for another one.
        """
        limit_us = environment.get("WATCHDOG_USEC", "")
        meant_for = environment.get("WATCHDOG_PID")
        for_us = meant_for is None or meant_for == str(os.getpid() if pid is None else pid)
        limit_s = int(limit_us) / 1e6 if for_us and limit_us.isdigit() and int(limit_us) > 0 else None
        return cls(environment.get("NOTIFY_SOCKET", ""), limit_s)

    @property
    def interval_s(self) -> float:
        """Seconds between two beats."""
        return LONGEST_PAUSE_S if self.limit_s is None else min(LONGEST_PAUSE_S, self.limit_s / _BEATS_A_LIMIT)

    def beat(self) -> None:
        """Say that the loop has come round again; the first time also that the program is ready."""
        self._send("WATCHDOG=1" if self._is_ready else "READY=1\nWATCHDOG=1")
        self._is_ready = True

    def stopping(self) -> None:
        """Say that the program is ending by its own will."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self.address:
            return
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        # systemd is away for a moment when it is updated itself; the next beat reaches it.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            out.sendto(message.encode(), address)
