"""Whether there is a network, and whether the clinic answers. Having none is ordinary: exams wait for one."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from device.errors import MammascopeError
from device.system.check import ROOT, CheckResult, CheckStatus, read_text
from device.system.child import run_in_child

_EVERYWHERE_V4 = "00000000"
_EVERYWHERE_V6 = "0" * 32
_CONNECT_S = 5.0


def routed_interfaces(root: Path = ROOT) -> list[str]:
    """Names of the interfaces over which the rest of the network is reached (those with a default route)."""
    names = set()
    for line in (read_text(root / "proc/net/route") or "").splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7 and fields[1] == fields[7] == _EVERYWHERE_V4:
            names.add(fields[0])
    for line in (read_text(root / "proc/net/ipv6_route") or "").splitlines():
        fields = line.split()
        # The kernel keeps an unreachable default route on `lo` where IPv6 is off.
        if len(fields) > 9 and fields[0] == _EVERYWHERE_V6 and fields[1] == "00" and fields[9] != "lo":
            names.add(fields[9])
    return sorted(names)


@dataclass(frozen=True, slots=True)
class NetworkCheck:
    """There is a way to the outside, right now."""

    root: Path = ROOT
    name: str = "Network"

    def run(self) -> CheckResult:
        """Name the interface in use."""
        names = routed_interfaces(self.root)
        if not names:
            sentence = "No network now; exams are kept here and sent when there is one."
            return CheckResult(self.name, CheckStatus.ABSENT, sentence)
        return CheckResult(self.name, CheckStatus.OK, f"Connected through {', '.join(names)}.")


@dataclass(frozen=True, slots=True)
class ClinicCheck:
    """The clinic's archive can be reached.

    Attributes:
        url: Its address; empty when the device is not enrolled.
    """

    url: str
    root: Path = ROOT
    name: str = "Clinic"

    def run(self) -> CheckResult:
        """Open a connection to the clinic's address and close it again; nothing is sent."""
        if not self.url:
            return CheckResult(self.name, CheckStatus.ABSENT, "This device is not enrolled with a clinic.")
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        try:
            run_in_child(connect, host, port)
        except (OSError, MammascopeError) as error:
            reason = (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
            advice = "Without a network this is to be expected; with one, check the address with the clinic."
            return CheckResult(self.name, CheckStatus.WARN, f"{host} does not answer: {reason}.", advice)
        return CheckResult(self.name, CheckStatus.OK, f"{host} answers on port {port}.")


def connect(host: str, port: int) -> None:
    """Connect and hang up.

    Raises:
        OSError: The name is unknown, or nobody answers.
    """
    socket.create_connection((host, port), timeout=_CONNECT_S).close()
