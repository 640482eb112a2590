# SPDX-License-Identifier: Apache-2.0
"""Font files by script: Debian's ``fonts-noto-core``, one family for each script.

Opening a font is up to those who draw with it; this module only looks for files, so the self-check needs no pygame.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from device.errors import FontMissingError

FOLDERS = (
    Path("/usr/share/fonts/truetype/noto"),
    Path("/usr/share/fonts/noto"),
    Path("/usr/share/fonts/truetype/dejavu"),
    Path("/usr/share/fonts/dejavu"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
)
"""The first that holds a file wins."""


class Script(StrEnum):
    """A script with its ISO 15924 code, as HarfBuzz wants it."""

    LATIN = "Latn"
    DEVANAGARI = "Deva"
    TAMIL = "Taml"


LANGUAGE_SCRIPTS = {"hi": Script.DEVANAGARI, "ta": Script.TAMIL}
"""Scripts that a language needs beside Latin."""

_NAMES = {
    Script.LATIN: ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf"),
    Script.DEVANAGARI: ("NotoSansDevanagari-Regular.ttf", "NotoSansDevanagari-Bold.ttf"),
    Script.TAMIL: ("NotoSansTamil-Regular.ttf", "NotoSansTamil-Bold.ttf"),
}
"""Regular and bold file."""


def file_name(script: Script, bold: bool = False) -> str:
    """The name of a script's font file."""
    return _NAMES[script][bold]


def find_file(name: str, folders: Sequence[Path] = FOLDERS) -> Path | None:
    """A font file by its name, ``None`` if it is not installed."""
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def missing_files(folders: Sequence[Path] = FOLDERS) -> list[str]:
    """Names of the font files that are not installed, for the self-check."""
    return [name for names in _NAMES.values() for name in names if find_file(name, folders) is None]


def require_font(language: str, folders: Sequence[Path] = FOLDERS) -> None:
    """Check that a language can be shown; Latin letters always can.

    Raises:
        FontMissingError: The font of its script is not installed.
    """
    script = LANGUAGE_SCRIPTS.get(language, Script.LATIN)
    if script is not Script.LATIN and find_file(file_name(script), folders) is None:
        raise FontMissingError(file_name(script))
