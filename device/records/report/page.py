# SPDX-License-Identifier: Apache-2.0
"""The paper of the report: A4 pages with a head and a foot, and the few things that are set on them.

Wraps the PDF library, so that ``report`` reads as the report's content. Importing it costs half a second on a fast
machine, so it is imported only when a report is made.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont

from device.capture.frame import Pixels
from device.fonts.printed import ReportFont
from device.imaging.encoded import jpeg

# The library logs which glyphs a font lacks, and glyphs may be those of a patient's name.
logging.getLogger("fpdf").setLevel(logging.CRITICAL)
logging.getLogger("fontTools").setLevel(logging.CRITICAL)

MARGIN = 15.0
INK = (20, 20, 20)
FAINT = (95, 95, 95)
BAR = (0, 68, 136)
JPEG_QUALITY = 92
UNKNOWN_CHARACTERS = "\N{WHITE SQUARE}\N{REPLACEMENT CHARACTER}?"
"""What stands for a character that no font has: the first of these that one does have."""

_SIZES = {"title": 16.0, "heading": 12.5, "text": 10.0, "small": 8.5}
_LEADING = 0.55
"""Height of a line in millimetres by point size: Devanagari and Tamil reach higher and lower than Latin."""


class ReportPage(FPDF):
    """A4 portrait; lengths in millimetres.

    Args:
        fonts: Installed fonts, the language's own first.
        language: For the PDF's own language mark (screen readers).
        head: Left and right text of every page's head.
        foot: First line of every page's foot, in bold: what this must not be taken for.
        page_text: Gives "Page n of m" from two numbers.
        made_at: Date that the file carries; the same exam gives the same file.
    """

    def __init__(
        self,
        fonts: Sequence[ReportFont],
        language: str,
        head: tuple[str, str],
        foot: str,
        page_text: str,
        made_at: datetime,
    ) -> None:
        super().__init__("portrait", "mm", "A4")
        for font in fonts:
            self.add_font(font.script, "", font.regular)
            self.add_font(font.script, "B", font.bold)
        self._family = fonts[0].script
        self.set_fallback_fonts([font.script for font in fonts[1:]], exact_match=True)
        self.set_text_shaping(True)
        self._writable = {code for font in self.fonts.values() if isinstance(font, TTFFont) for code in font.cmap}
        self._unknown = next((c for c in UNKNOWN_CHARACTERS if ord(c) in self._writable), "?")
        self._head, self._foot, self._page_text = head, foot, page_text
        self.set_margins(MARGIN, MARGIN)
        self.c_margin = 0.0  # text begins where pictures and lines begin
        self.set_auto_page_break(True, MARGIN + 12)
        self.set_lang(language)
        self.creation_date = made_at
        self.set_creator("Mammascope")
        self.set_producer("Mammascope")
        self.alias_nb_pages("{n}")  # short, because the line is set as if this were printed
        self.add_page()

    # --- called by the library on every page --------------------------------------------------------------------------

    def header(self) -> None:
        """The head of a page."""
        self.pen("small", FAINT)
        left, right = self._head
        self.cell(self.epw / 2, 5, self.clean(left))
        self.cell(self.epw / 2, 5, self.clean(right), align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_draw_color(*FAINT)
        self.line(MARGIN, self.get_y() + 0.5, self.w - MARGIN, self.get_y() + 0.5)
        self.ln(4)

    def footer(self) -> None:
        """The foot of a page: the sentence that must be on every one of them."""
        self.set_y(-(MARGIN + 9))
        self.set_draw_color(*FAINT)
        self.line(MARGIN, self.get_y(), self.w - MARGIN, self.get_y())
        self.ln(1)
        self.pen("small", INK, bold=True)
        self.cell(self.epw * 0.75, 5, self._foot)
        self.pen("small", FAINT)
        numbers = self._page_text.replace("{page}", str(self.page_no()))
        self.cell(self.epw * 0.25, 5, numbers, align="R")

    # --- what is set on a page ----------------------------------------------------------------------------------------

    def pen(self, size: str, colour: tuple[int, int, int] = INK, bold: bool = False) -> float:
        """Choose size (``title``, ``heading``, ``text``, ``small``), colour and weight; gives the height of a line."""
        self.set_font(self._family, "B" if bold else "", _SIZES[size])
        self.set_text_color(*colour)
        # fpdf2#1772: a line that begins in a fallback font would otherwise set the font for itself alone, and what
        # follows in the page's own font would not be drawn.
        self.text(0, 0, "")
        return _SIZES[size] * _LEADING

    def clean(self, text: str) -> str:
        """Text that the fonts can write: composed, without control characters, unknown ones as squares."""
        composed = unicodedata.normalize("NFC", text)
        kept = (c if c == "\n" or unicodedata.category(c) != "Cc" else " " for c in composed)
        return "".join(
            c if c == "\n" or ord(c) in self._writable else self._unknown for c in kept if not self._unseen(c)
        )

    def _unseen(self, char: str) -> bool:
        """Whether a character only says how its neighbours look (joiners, styles of emoji) and no font needs it."""
        styles = 0xFE00 <= ord(char) <= 0xFE0F or 0x1F3FB <= ord(char) <= 0x1F3FF
        return (styles or unicodedata.category(char) == "Cf") and ord(char) not in self._writable

    def words(self, text: str, size: str = "text", bold: bool = False, faint: bool = False) -> None:
        """A paragraph from the left margin to the right one."""
        line = self.pen(size, FAINT if faint else INK, bold)
        self.multi_cell(0, line, self.clean(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def heading(self, text: str, keep: float = 20.0) -> None:
        """A heading, on the next page where less than ``keep`` millimetres are left below it."""
        self.ln(2.5)
        self.keep_together(keep + 8)
        self.words(text, "heading", bold=True)
        self.ln(0.5)

    def keep_together(self, height: float) -> None:
        """Go to the next page where less than ``height`` millimetres are left on this one."""
        if self.get_y() + height > self.page_break_trigger:
            self.add_page()

    def rows(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names on the left, values on the right, long values broken into lines."""
        name_width = 52.0
        for name, value in rows:
            self.keep_together(12)
            top = self.get_y()
            line = self.pen("text", FAINT)
            self.multi_cell(
                name_width, line, self.clean(name), align="L", new_x=XPos.RIGHT, new_y=YPos.TOP, max_line_height=line
            )
            left_bottom = top + line * self._lines_of(name, name_width)
            self.pen("text", INK)
            self.multi_cell(
                self.epw - name_width, line, self.clean(value), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT
            )
            self.set_y(max(self.get_y(), left_bottom))

    def picture(self, pixels: Pixels, width: float, height: float) -> tuple[float, float]:
        """A picture at the cursor, as large as fits into ``width`` by ``height``; gives its size in millimetres.

        Args:
            pixels: uint8 (h, w, 3) RGB.
            width: Most millimetres across.
            height: Most millimetres down.
        """
        rows, columns = pixels.shape[:2]
        scale = min(width / columns, height / rows)
        size = (columns * scale, rows * scale)
        self.image(jpeg(pixels, JPEG_QUALITY), self.get_x(), self.get_y(), *size)
        return size

    def bar(
        self, name: str, share: float, left: float, width: float, hatched: tuple[float, float] | None = None
    ) -> None:
        """A labelled bar from 0 to 100 %, at the cursor's height.

        Args:
            name: What it stands for.
            share: 0 to 1.
            left: Where it begins.
            width: How long 100 % are.
            hatched: Part of the scale to be hatched, 0 to 1 both.
        """
        line = self.pen("text", INK)
        self.set_x(left)
        self.cell(width * 0.7, line, self.clean(name))
        self.cell(width * 0.3, line, f"{100 * share:.0f} %", align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        top, high = self.get_y(), 3.4
        self.set_draw_color(*INK)
        self.set_line_width(0.2)
        if share > 0:
            self.set_fill_color(*BAR)
            self.rect(left, top, width * min(share, 1.0), high, "F")
        if hatched is not None:
            self._hatch(left + width * hatched[0], left + width * hatched[1], top, high)
        self.rect(left, top, width, high, "D")
        self.set_y(top + high + 1.2)

    def ring(self, centre: tuple[float, float], radius: float, width: float, faint: bool = False) -> None:
        """A circle as a line; millimetres."""
        self.set_draw_color(*(FAINT if faint else INK))
        self.set_line_width(width)
        self.circle(*centre, radius)
        self.set_draw_color(*INK)

    def disc(self, centre: tuple[float, float], radius: float, filled: bool = True) -> None:
        """A circle filled with ink, or with paper inside a line; millimetres."""
        self.set_fill_color(*(BAR if filled else (255, 255, 255)))
        self.set_line_width(0.3)
        self.circle(*centre, radius, style="DF")

    def mark(
        self, words: str, centre: tuple[float, float], bold: bool = False, faint: bool = False, light: bool = False
    ) -> None:
        """Small words with their middle at a place; ``light`` on a filled disc."""
        line = self.pen("small", (255, 255, 255) if light else FAINT if faint else INK, bold)
        width = self.get_string_width(self.clean(words)) + 1
        self.set_xy(centre[0] - width / 2, centre[1] - line / 2)
        self.cell(width, line, self.clean(words), align="C")

    def _hatch(self, left: float, right: float, top: float, high: float) -> None:
        """Slanting lines in a strip, its ends marked, visible on white and on the bar."""
        for colour, width in (((255, 255, 255), 0.55), (INK, 0.2)):
            self.set_draw_color(*colour)
            self.set_line_width(width)
            x = left - high
            while x < right:
                x0, x1 = max(x, left), min(x + high, right)
                self.line(x0, top + high - (x0 - x), x1, top + high - (x1 - x))
                x += 1.6
            for x in (left, right):
                self.line(x, top - 0.8, x, top + high + 0.8)
        self.set_draw_color(*INK)

    def _lines_of(self, text: str, width: float) -> int:
        lines = self.multi_cell(width, 5, self.clean(text), align="L", dry_run=True, output="LINES")
        return len(lines) if isinstance(lines, list) else 1
