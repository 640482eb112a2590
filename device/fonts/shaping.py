# SPDX-License-Identifier: Apache-2.0
"""Shapes text for the screens: Hindi and Tamil need HarfBuzz with the right script, and each its own font.

SDL_ttf shapes one run of one script with one font. A sentence mixes scripts (``BI-RADS``, file names and numbers inside
a Hindi sentence), so text is cut into runs, each is rendered with the font of its script, and the runs are put together
on one baseline. The fonts are Debian's ``fonts-noto-core``; without them Latin text falls back to the font that pygame
brings, and the other scripts are refused by name (``FontMissingError``) rather than shown as empty boxes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pygame

from device.fonts.files import FOLDERS, Script, file_name, find_file, require_font

_HALVES: Final = re.compile("[\ud800-\udfff]")

JOINERS = "\u200c\u200d\u25cc"
"""Zero-width joiners and the dotted circle belong to the run that they stand in."""


def script_of(char: str) -> Script | None:
    """The script of one character; ``None`` for those that go with their neighbours (spaces, joiners)."""
    code = ord(char)
    if 0x0900 <= code <= 0x097F or 0xA8E0 <= code <= 0xA8FF:
        return Script.DEVANAGARI
    if 0x0B80 <= code <= 0x0BFF:
        return Script.TAMIL
    if char.isspace() or char in JOINERS:
        return None
    return Script.LATIN


def runs(text: str) -> Iterator[tuple[Script, str]]:
    """Cut ``text`` into stretches of one script each, in order; joined together they are ``text`` again."""
    current: Script | None = None
    start = 0
    for index, char in enumerate(text):
        script = script_of(char)
        if script is None or script is current:
            continue
        if current is not None:
            yield current, text[start:index]
            start = index
        current = script
    if text[start:]:
        yield current or Script.LATIN, text[start:]


def _drawable(text: str) -> str:
    """Text with a mark for each half character: a name that is no UTF-8 must not end the program."""
    return text if text.isascii() else _HALVES.sub("\ufffd", text)


class FontBook:
    """Opens fonts by script, size and weight, once each.

    Args:
        folders: Where to look for the Noto files; the first folder that holds a file wins.
    """

    def __init__(self, folders: Sequence[Path] = FOLDERS) -> None:
        if not pygame.font.get_init():
            pygame.font.init()
        self._folders = tuple(folders)
        self._open: dict[tuple[Script, int, bool], pygame.font.Font] = {}

    def path(self, script: Script, bold: bool) -> Path | None:
        """The file for ``script``, ``None`` if it is not installed."""
        return find_file(file_name(script, bold), self._folders)

    def require(self, language: str) -> None:
        """Check that ``language`` can be shown.

        Raises:
            FontMissingError: The font of its script is not installed.
        """
        require_font(language, self._folders)

    def font(self, script: Script, px: int, bold: bool) -> pygame.font.Font:
        """The font for one run; text of a script whose font is missing is drawn with the Latin one."""
        key = (script, px, bold)
        if key not in self._open:
            path = self.path(script, bold) or self.path(script, False) or self.path(Script.LATIN, bold)
            font = pygame.font.Font(path, px)
            font.set_script(script.value)
            self._open[key] = font
        return self._open[key]

    def line(self, px: int, bold: bool) -> tuple[int, int]:
        """Pixels above and below the baseline of a Latin line, on which lines of every script stand."""
        font = self.font(Script.LATIN, px, bold)
        return font.get_ascent(), -font.get_descent()

    def size(self, text: str, px: int, bold: bool) -> tuple[int, int]:
        """Width and height in pixels of ``text`` on one line, shaped."""
        width, (ascent, descent) = 0, self.line(px, bold)
        for script, run in runs(_drawable(text)):
            font = self.font(script, px, bold)
            width += font.size(run)[0]
            ascent, descent = max(ascent, font.get_ascent()), max(descent, -font.get_descent())
        return width, ascent + descent

    def render(self, text: str, px: int, bold: bool, colour: tuple[int, int, int]) -> pygame.Surface:
        """Draw ``text`` on one line, shaped, on a transparent surface.

        The baseline is common to all runs, and as far below the upper edge as in a Latin line: so a Hindi word stands
        where a Latin one would, whatever else is in its line.
        """
        parts, (ascent, descent) = [], self.line(px, bold)
        for script, run in runs(_drawable(text)):
            font = self.font(script, px, bold)
            parts.append((font.render(run, True, colour), font.get_ascent()))
            ascent, descent = max(ascent, font.get_ascent()), max(descent, -font.get_descent())
        surface = pygame.Surface((sum(part[0].get_width() for part in parts), ascent + descent), pygame.SRCALPHA)
        x = 0
        for picture, part_ascent in parts:
            surface.blit(picture, (x, ascent - part_ascent))
            x += picture.get_width()
        return surface
