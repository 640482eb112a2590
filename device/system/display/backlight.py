# SPDX-License-Identifier: Apache-2.0
"""The brightness of the panel, where the kernel lets it be set; many screens on HDMI have no such thing."""

from __future__ import annotations

from pathlib import Path

from device.errors import BacklightError
from device.system.check import ROOT, read_text


def backlights(root: Path = ROOT) -> list[Path]:
    """Folders of the panels whose brightness can be set."""
    return sorted((root / "sys/class/backlight").glob("*"))


def set_brightness(percent: int, root: Path = ROOT) -> int:
    """Set all panels.

    Args:
        percent: 5 to 100; a panel that is dark cannot be made bright again by touch.
        root: Where ``/sys`` lies.

    Returns:
        How many panels there are; 0 where none can be set.

    Raises:
        BacklightError: The kernel refuses.
    """
    panels = backlights(root)
    for panel in panels:
        most = read_text(panel / "max_brightness") or ""
        if not most.isdigit():
            continue
        level = max(1, round(int(most) * min(max(percent, 5), 100) / 100))
        try:
            (panel / "brightness").write_text(f"{level}\n", encoding="ascii")
        except OSError as error:
            raise BacklightError(panel.name, error.strerror or type(error).__name__) from error
    return len(panels)
