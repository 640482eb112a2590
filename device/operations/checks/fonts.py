# SPDX-License-Identifier: Apache-2.0
"""Whether every language of the screens can be written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from device.fonts.files import FOLDERS, missing_files
from device.system.check import CheckResult, CheckStatus


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
        missing = missing_files(self.folders or FOLDERS)
        if not missing:
            return CheckResult(self.name, CheckStatus.OK, "Latin, Devanagari (Hindi) and Tamil are installed.")
        advice = "Install them with: sudo apt-get install --no-install-recommends fonts-noto-core"
        return CheckResult(self.name, CheckStatus.WARN, f"Not installed: {', '.join(missing)}.", advice)
