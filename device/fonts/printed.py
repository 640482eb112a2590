# SPDX-License-Identifier: Apache-2.0
"""Fonts for the printed report: those of the languages, and further ones for what people wrote.

A patient's name may be in any script whatever the language of the report. The page gets the fonts of the languages, the
report's own first, and where something was written that these cannot write (Arabic, Chinese, emoji, ...), further
fonts of the system that can. The fonts are Debian's ``fonts-noto-core``, with DejaVu for Latin where Noto is absent;
Chinese and Japanese need ``fonts-droid-fallback``, Korean ``fonts-nanum``, emoji ``fonts-symbola``. Characters that no
font has are shown as an empty square, never dropped in silence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from device.errors import FontMissingError
from device.fonts.files import FOLDERS, LANGUAGE_SCRIPTS, Script, file_name, find_file

FURTHER_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
"""Searched with all folders below them, for what people wrote in other scripts."""

_NOT_WRITTEN = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}
"""Unicode categories of what leaves no ink."""

_SUBSTITUTES = {Script.LATIN: ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")}
"""Regular and bold file where those of Noto are absent."""


@dataclass(frozen=True, slots=True)
class ReportFont:
    """One script's font.

    Attributes:
        script: ``latin``, ``devanagari``, ``tamil`` or a file's name; also its name on the page.
        regular: TrueType file.
        bold: TrueType file; the regular one where there is no bold.
    """

    script: str
    regular: Path
    bold: Path


def find_fonts(language: str, folders: Sequence[Path] | None = None, *, written: str = "") -> tuple[ReportFont, ...]:
    """The installed fonts, that of the language first.

    Args:
        language: ``en``, ``hi``, ``ta``, ``es`` or ``fr``.
        folders: Where to look; ``FOLDERS`` when not given.
        written: What people wrote; fonts that can write it are looked for.

    Raises:
        FontMissingError: The font that the language needs is not installed.
    """
    own = LANGUAGE_SCRIPTS.get(language, Script.LATIN)
    order = sorted(Script, key=lambda script: script != own)
    fonts = [font for script in order if (font := _find(script, folders or FOLDERS)) is not None]
    if not fonts or fonts[0].script != own.name.lower():
        raise FontMissingError(file_name(own))
    missing = {ord(char) for char in written if unicodedata.category(char) not in _NOT_WRITTEN}
    for font in fonts:
        missing -= _characters(font.regular)
    return (*fonts, *_further(missing))


def _further(missing: set[int]) -> Iterator[ReportFont]:
    """Fonts of the system that can write the rest, each as long as it helps; plain ones before others."""
    if not missing:
        return
    found = sorted({path for folder in FURTHER_FOLDERS for path in folder.rglob("*.ttf")}, key=_plainness)
    for path in found:
        helped = missing & _characters(path)
        if helped:
            missing = missing - helped
            bold = path.with_name(path.name.replace("-Regular", "-Bold"))
            yield ReportFont(path.stem.lower(), path, bold if bold.is_file() else path)
        if not missing:
            return


def _plainness(path: Path) -> tuple[int, str]:
    """Upright sans serif first; thin and slanted cuts of a family last."""
    name = path.stem
    if name.startswith("NotoSans") and name.endswith("-Regular"):
        return 0, name
    return (1 if name.endswith("-Regular") else 3 if "-" in name else 2), name


@lru_cache(maxsize=512)
def _characters(path: Path) -> frozenset[int]:
    """What a font can write; nothing where it cannot be read."""
    from fontTools.ttLib import TTFont, TTLibError  # type: ignore[import-untyped]  # a third of a second, and only reports need it

    try:
        with TTFont(path, lazy=True) as font:
            return frozenset(font.getBestCmap() or ())
    except (TTLibError, OSError, KeyError, ValueError):
        return frozenset()


def _find(script: Script, folders: Sequence[Path]) -> ReportFont | None:
    pairs = [(file_name(script), file_name(script, bold=True))]
    pairs += [_SUBSTITUTES[script]] if script in _SUBSTITUTES else []
    for regular, bold in pairs:
        found = find_file(regular, folders)
        if found is not None:
            thick = found.with_name(bold)
            return ReportFont(script.name.lower(), found, thick if thick.is_file() else found)
    return None
