"""Whether every language of the screens can be written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from device.system.check import CheckResult, CheckStatus
from device.system.child import run_in_child


@dataclass(frozen=True, slots=True)
class FontCheck:
    """The font files of every script are installed.

    Attributes:
        folders: Where to look; by default where the app looks.
    """

    folders: Sequence[Path] | None = None
    name: str = "Fonts"

    def run(self) -> CheckResult:
        """Look for the font files of every script."""
        missing = run_in_child(missing_fonts, self.folders)
        if not missing:
            return CheckResult(self.name, CheckStatus.OK, "Latin, Devanagari (Hindi) and Tamil are installed.")
        advice = "Install them with: sudo apt-get install --no-install-recommends fonts-noto-core"
        return CheckResult(self.name, CheckStatus.WARN, f"Not installed: {', '.join(missing)}.", advice)


def missing_fonts(folders: Sequence[Path] | None) -> list[str]:
    """Names of the font files that are not there."""
    from device.ui.theme.fonts import FOLDERS, FontBook  # pygame is for the child only

    return FontBook(folders or FOLDERS).missing()
