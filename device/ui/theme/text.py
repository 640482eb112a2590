# SPDX-License-Identifier: Apache-2.0
"""Draws text and keeps account of it: what is visible where, and what did not fit.

Every word on the screen goes through ``TextPainter``. It keeps rendered lines (shaping costs more than blitting), wraps
at words, and notes each text that is visible and each that overflows its place, so that a test in five languages can
fail on a cut sentence, and so that a driver can tap what it reads.
"""

from __future__ import annotations

import unicodedata
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum

import pygame

from device.fonts.shaping import FontBook
from device.imaging.marks.styles import Colour
from device.ui.theme.palette import Ink, Palette

CACHE_PIXELS = 2_000_000
"""Upper limit of the kept lines together: 8 MB of RGBA."""

MEASURE_ENTRIES = 4000
LINE_SPACING = 1.38
"""Line height over font size; holds the tallest of the three Noto fonts (Devanagari: 1.36)."""


class Style(Enum):
    """Size in pixels at 800x480, and weight. Nothing is smaller than 18."""

    SMALL = (18, False)
    BODY = (21, False)
    STRONG = (21, True)
    TITLE = (27, True)
    HUGE = (42, True)


class Align(StrEnum):
    """Where a line stands in its rectangle."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class SeenText:
    """A text that was drawn, and the part of the screen where it is visible, in logical pixels."""

    text: str
    rect: pygame.Rect


@dataclass(frozen=True, slots=True)
class Overflow:
    """A text or a group of widgets that needs more room than it got, in logical pixels."""

    what: str
    needed: tuple[int, int]
    given: tuple[int, int]


class TextPainter:
    """Measures, wraps and draws text in the sizes of one screen and the colours of one palette.

    Args:
        fonts: Where fonts come from.
        palette: Colours that an ``Ink`` stands for.
        scale: Screen size over 800x480; multiplies every font size.
    """

    def __init__(self, fonts: FontBook, palette: Palette, scale: float) -> None:
        self._fonts = fonts
        self._palette = palette
        self._scale = scale
        self._lines: OrderedDict[tuple[str, int, bool, Colour], pygame.Surface] = OrderedDict()
        self._pixels = 0
        self._sizes: OrderedDict[tuple[str, Style], int] = OrderedDict()
        self.seen: list[SeenText] = []
        self.overflows: list[Overflow] = []

    def begin(self) -> None:
        """Forget what was visible; called before each redraw."""
        self.seen.clear()
        self.overflows.clear()

    def cover(self, rect: pygame.Rect) -> None:
        """Something opaque is about to be drawn over ``rect``: what was seen there can be read no more."""
        self.seen[:] = [item for item in self.seen if not rect.colliderect(item.rect)]

    def px(self, style: Style) -> int:
        """Font size in pixels on this screen."""
        return round(style.value[0] * self._scale)

    def line_height(self, style: Style) -> int:
        """Height in pixels of one line, the same for all scripts."""
        return round(self.px(style) * LINE_SPACING)

    def width(self, text: str, style: Style) -> int:
        """Width in pixels of ``text`` on one line."""
        key = (text, style)
        if key not in self._sizes:
            self._sizes[key] = self._fonts.size(text, self.px(style), style.value[1])[0]
            if len(self._sizes) > MEASURE_ENTRIES:
                self._sizes.popitem(last=False)
        return self._sizes[key]

    def wrap(self, text: str, style: Style, width: int, *, break_words: bool = False) -> list[str]:
        """Cut ``text`` into lines of at most ``width`` pixels, at spaces and line ends.

        Args:
            text: What to wrap.
            style: Size and weight.
            width: Pixels a line may have.
            break_words: Also cut inside a word that is too wide by itself (file names, codes); else it stays whole.
        """
        lines: list[str] = []
        for paragraph in text.split("\n"):
            line = ""
            for word in self._words(paragraph, style, width, break_words):
                longer = f"{line} {word}" if line else word
                if line and self.width(longer, style) > width:
                    lines.append(line)
                    line = word
                else:
                    line = longer
            lines.append(line)
        return lines

    def _words(self, paragraph: str, style: Style, width: int, break_words: bool) -> Iterator[str]:
        for word in _together(paragraph.split(" ")):
            if not break_words or self.width(word, style) <= width:
                yield word
                continue
            piece = ""
            for cluster in clusters(word):
                if piece and self.width(piece + cluster, style) > width:
                    yield piece
                    piece = ""
                piece += cluster
            yield piece

    def shorten(self, text: str, style: Style, width: int) -> str:
        """``text``, or as much of its beginning as fits into ``width`` pixels with an ellipsis."""
        if self.width(text, style) <= width:
            return text
        parts = list(clusters(text))
        low, high = 0, len(parts)
        while low < high:
            middle = (low + high + 1) // 2
            if self.width("".join(parts[:middle]).rstrip() + "…", style) <= width:
                low = middle
            else:
                high = middle - 1
        return "".join(parts[:low]).rstrip() + "…"

    def shortened(self, text: str, style: Style, width: int, most: int) -> list[str]:
        """``text`` on at most ``most`` lines of ``width`` pixels, the last with an ellipsis where that is not all."""
        lines = self.wrap(text, style, width, break_words=True)
        if len(lines) <= most:
            return lines
        return [*lines[: most - 1], self.shorten(" ".join(lines[most - 1 :]), style, width)]

    def fitted(self, text: str, width: int, height: int) -> tuple[list[str], Style]:
        """One line of running text, or else smaller lines, as many as there is room for, and then an ellipsis."""
        if self.width(text, Style.BODY) <= width:
            return [text], Style.BODY
        most = max(1, height // self.line_height(Style.SMALL))
        return self.shortened(text, Style.SMALL, width, most), Style.SMALL

    def draw(
        self,
        surface: pygame.Surface,
        lines: list[str],
        rect: pygame.Rect,
        style: Style,
        ink: Ink,
        align: Align = Align.LEFT,
    ) -> None:
        """Draw wrapped ``lines``, centred from top to bottom in ``rect``; notes them as seen, or as overflowing."""
        height = self.line_height(style)
        above = (height - sum(self._fonts.line(self.px(style), style.value[1]))) // 2
        widest = max((self.width(line, style) for line in lines), default=0)
        needed = (widest, height * len(lines))
        whole = " ".join(lines)
        if needed[0] > rect.width or needed[1] > rect.height:
            self.overflows.append(Overflow(whole, needed, rect.size))
        y = rect.y + (rect.height - needed[1]) // 2
        shown = pygame.Rect(0, 0, 0, 0)
        for line in lines:
            picture = self._line(line, style, self._palette.pair(ink)[0])
            x = _left(rect, picture.get_width(), align)
            surface.blit(picture, (x, y + above))  # not by the picture's height, which differs between scripts
            drawn = pygame.Rect(x, y + above, picture.get_width(), min(picture.get_height(), height - above))
            shown = drawn if not shown else shown.union(drawn)
            y += height
        visible = shown.clip(surface.get_clip())
        if whole.strip() and visible:
            self.seen.append(SeenText(whole, visible))
            if visible != shown and surface.get_clip() == surface.get_rect():
                self.overflows.append(Overflow(whole, shown.size, visible.size))

    def _line(self, text: str, style: Style, colour: Colour) -> pygame.Surface:
        key = (text, self.px(style), style.value[1], colour)
        if key in self._lines:
            self._lines.move_to_end(key)
            return self._lines[key]
        picture = self._fonts.render(text, *key[1:])
        self._lines[key] = picture
        self._pixels += picture.get_width() * picture.get_height()
        while self._pixels > CACHE_PIXELS and len(self._lines) > 1:
            oldest = self._lines.popitem(last=False)[1]
            self._pixels -= oldest.get_width() * oldest.get_height()
        return picture


def _together(words: list[str]) -> list[str]:
    """Words, each with the separator that follows it, which begins no line, and a colon with the number behind it."""
    joined: list[str] = []
    for word in words:
        counted = word[:1].isdecimal() and bool(joined) and joined[-1].endswith(":")
        if (word == "·" and joined) or counted:
            joined[-1] += f" {word}"
        else:
            joined.append(word)
    return joined


def _left(rect: pygame.Rect, width: int, align: Align) -> int:
    if align is Align.CENTRE:
        return rect.x + (rect.width - width) // 2
    return rect.right - width if align is Align.RIGHT else rect.x


def clusters(text: str) -> Iterator[str]:
    """Cut ``text`` where a person sees one sign end: marks, joiners and joined consonants stay with their base.

    A reading of Unicode's extended grapheme clusters (UAX 29) that covers the scripts of this program.
    """
    cluster = ""
    for char in text:
        joins = unicodedata.category(char) in ("Mn", "Mc", "Me") or char in "\u200c\u200d"
        conjunct = cluster[-1:] in ("\u094d", "\u200d") and unicodedata.category(char) == "Lo"
        if cluster and not joins and not conjunct:
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster
