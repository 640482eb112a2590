# SPDX-License-Identifier: Apache-2.0
"""Whether there is a network. Having none is ordinary: exams wait for one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from device.system.check import ROOT, CheckResult, CheckStatus, read_text

_EVERYWHERE_V4 = "00000000"
_EVERYWHERE_V6 = "0" * 32


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
