"""Fonts for the printed report: which files there are, and what they can write.

A patient's name may be in any script whatever the language of the report, so all fonts that are installed are given to
the page, the language's own first. The fonts are Debian's ``fonts-noto-core``, with DejaVu for Latin where Noto is
absent. Characters that no font has are shown as an empty square, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from device.errors import FontMissingError

FOLDERS = (
    Path("/usr/share/fonts/truetype/noto"),
    Path("/usr/share/fonts/noto"),
    Path("/usr/share/fonts/truetype/dejavu"),
    Path("/usr/share/fonts/dejavu"),
    Path("/usr/local/share/fonts"),
)

_FILES = {
    "latin": (("NotoSans-Regular.ttf", "NotoSans-Bold.ttf"), ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")),
    "devanagari": (("NotoSansDevanagari-Regular.ttf", "NotoSansDevanagari-Bold.ttf"),),
    "tamil": (("NotoSansTamil-Regular.ttf", "NotoSansTamil-Bold.ttf"),),
}
"""Regular and bold file of each script, the preferred ones first."""

LANGUAGE_SCRIPTS = {"hi": "devanagari", "ta": "tamil"}
"""Scripts of the languages that are not written in Latin letters."""


@dataclass(frozen=True, slots=True)
class ReportFont:
    """One script's font.

    Attributes:
        script: ``latin``, ``devanagari`` or ``tamil``; also its name on the page.
        regular: TrueType file.
        bold: TrueType file; the regular one where there is no bold.
    """

    script: str
    regular: Path
    bold: Path


def find_fonts(language: str, folders: Sequence[Path] | None = None) -> tuple[ReportFont, ...]:
    """The installed fonts, that of the language first.

    Args:
        language: ``en``, ``hi``, ``ta``, ``es`` or ``fr``.
        folders: Where to look; ``FOLDERS`` when not given.

    Raises:
        FontMissingError: The font that the language needs is not installed.
    """
    own = LANGUAGE_SCRIPTS.get(language, "latin")
    order = sorted(_FILES, key=lambda script: script != own)
    fonts = [font for script in order if (font := _find(script, folders or FOLDERS)) is not None]
    if not fonts or fonts[0].script != own:
        raise FontMissingError(_FILES[own][0][0])
    return tuple(fonts)


def _find(script: str, folders: Sequence[Path]) -> ReportFont | None:
    for regular, bold in _FILES[script]:
        for folder in folders:
            if (folder / regular).is_file():
                thick = folder / bold
                return ReportFont(script, folder / regular, thick if thick.is_file() else folder / regular)
    return None
