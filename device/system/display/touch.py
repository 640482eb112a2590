# SPDX-License-Identifier: Apache-2.0
"""Whether a finger can reach the app: a touch panel that the kernel knows and this user may read."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from device.system.cameras import board_model
from device.system.check import ROOT, CheckResult, CheckStatus, read_text

_DIRECT = 1 << 1
"""INPUT_PROP_DIRECT (linux/input-event-codes.h): one touches what one sees, unlike on a touchpad."""


@dataclass(frozen=True, slots=True)
class TouchPanel:
    """A panel for fingers.

    Attributes:
        name: What the kernel calls it.
        event: Its device, for instance ``event2``.
    """

    name: str
    event: str


def touch_panels(root: Path = ROOT) -> list[TouchPanel]:
    """The touch panels by the kernel's list (``/proc/bus/input/devices``)."""
    found = []
    for block in (read_text(root / "proc/bus/input/devices") or "").split("\n\n"):
        name = re.search(r'^N: Name="(.*)"', block, re.MULTILINE)
        properties = re.search(r"^B: PROP=([0-9a-f]+)$", block, re.MULTILINE)
        event = re.search(r"^H: Handlers=.*\b(event\d+)", block, re.MULTILINE)
        if name and properties and event and int(properties[1], 16) & _DIRECT:
            found.append(TouchPanel(name[1], event[1]))
    return found


@dataclass(frozen=True, slots=True)
class TouchCheck:
    """There is a touch panel, and this user may read it."""

    root: Path = ROOT
    name: str = "Touch"

    def run(self) -> CheckResult:
        """Name the panels, and those that are refused."""
        panels = touch_panels(self.root)
        if not panels:
            if "Raspberry Pi" not in (board_model(self.root) or ""):
                return CheckResult(self.name, CheckStatus.ABSENT, "There is no touch panel; a mouse takes its place.")
            advice = "Switch off, check the panel's ribbon cable at both ends, switch on; without a panel use a mouse."
            return CheckResult(self.name, CheckStatus.WARN, "No touch panel is found.", advice)
        names = ", ".join(f"{panel.name} ({panel.event})" for panel in panels)
        if not any(os.access(self.root / "dev/input" / panel.event, os.R_OK) for panel in panels):
            advice = (
                "Run sudo ./setup.sh install again, which gives the app the right; or add this user to group input."
            )
            return CheckResult(self.name, CheckStatus.FAIL, f"{names}: this user may not use it.", advice)
        return CheckResult(self.name, CheckStatus.OK, f"{names}.")
