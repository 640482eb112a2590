# SPDX-License-Identifier: Apache-2.0
"""The colours of the light and the dark theme, and the only pairs in which text may be drawn.

A handheld is read in bright sun and in a dark room, so every text is drawn through an ``Ink``: a named pair of text
and background colour. Because there is no other way to draw text, a test that walks over ``Ink`` proves the contrast
of everything on the screen.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from device.imaging.marks.styles import CALLIPER, TAG_TEXT, Colour


class Ink(StrEnum):
    """A text colour on the background that it is meant for; the value is ``text/background`` in ``Palette``."""

    BODY = "text/background"
    MUTED = "muted/background"
    CARD = "text/card"
    CARD_MUTED = "muted/card"
    BUTTON = "text/button"
    BUTTON_PRESSED = "text/pressed"
    PRIMARY = "on_primary/primary"
    PRIMARY_PRESSED = "on_primary/primary_pressed"
    DANGER = "on_danger/danger"
    DANGER_PRESSED = "on_danger/danger_pressed"
    DISABLED = "disabled/button"
    FIELD = "text/field"
    FIELD_HINT = "muted/field"
    SELECTED = "on_primary/primary"
    STATUS = "muted/status"
    GOOD = "on_good/good"
    WARNING = "on_warning/warning"
    ERROR = "on_error/error"
    INFO = "on_info/info"
    PICTURE = "on_picture/picture"
    TAG = "on_tag/tag"


@dataclass(frozen=True, slots=True)
class Palette:
    """All colours of one theme.

    ``picture`` is what lies behind a sonogram, ``tag`` behind the letter of a mark on it. Marks themselves look the
    same in both themes and on paper, see ``imaging.marks``. ``band`` is drawn as hatches with a rim, never as the
    only carrier of a meaning.
    """

    background: Colour
    card: Colour
    text: Colour
    muted: Colour
    border: Colour
    button: Colour
    pressed: Colour
    disabled: Colour
    primary: Colour
    primary_pressed: Colour
    on_primary: Colour
    danger: Colour
    danger_pressed: Colour
    on_danger: Colour
    field: Colour
    focus: Colour
    status: Colour
    good: Colour
    on_good: Colour
    warning: Colour
    on_warning: Colour
    error: Colour
    on_error: Colour
    info: Colour
    on_info: Colour
    picture: Colour
    on_picture: Colour
    tag: Colour
    on_tag: Colour
    band: Colour

    def pair(self, ink: Ink) -> tuple[Colour, Colour]:
        """Text and background colour of ``ink``."""
        text, background = ink.value.split("/")
        return self.colour(text), self.colour(background)

    def colour(self, name: str) -> Colour:
        """The colour called ``name``; raises ``KeyError`` for an unknown name."""
        if name not in {item.name for item in fields(self)}:
            raise KeyError(name)
        value: Colour = getattr(self, name)
        return value


LIGHT = Palette(
    background=(246, 247, 249),
    card=(255, 255, 255),
    text=(18, 24, 32),
    muted=(72, 80, 92),
    border=(150, 158, 170),
    button=(224, 229, 236),
    pressed=(196, 204, 216),
    disabled=(92, 100, 112),
    primary=(0, 84, 140),
    primary_pressed=(0, 60, 104),
    on_primary=(255, 255, 255),
    danger=(168, 24, 32),
    danger_pressed=(126, 14, 22),
    on_danger=(255, 255, 255),
    field=(255, 255, 255),
    focus=(0, 84, 140),
    status=(228, 232, 238),
    good=(18, 104, 60),
    on_good=(255, 255, 255),
    warning=(255, 206, 84),
    on_warning=(48, 34, 0),
    error=(168, 24, 32),
    on_error=(255, 255, 255),
    info=(206, 226, 244),
    on_info=(12, 40, 70),
    picture=(0, 0, 0),
    on_picture=(240, 240, 240),
    tag=CALLIPER.colour,
    on_tag=TAG_TEXT,
    band=(120, 128, 140),
)

DARK = Palette(
    background=(14, 17, 22),
    card=(27, 32, 40),
    text=(232, 236, 242),
    muted=(172, 180, 192),
    border=(92, 102, 116),
    button=(44, 52, 64),
    pressed=(64, 74, 90),
    disabled=(152, 160, 172),
    primary=(120, 190, 245),
    primary_pressed=(84, 160, 220),
    on_primary=(6, 24, 40),
    danger=(255, 150, 144),
    danger_pressed=(230, 118, 112),
    on_danger=(48, 4, 6),
    field=(20, 24, 31),
    focus=(120, 190, 245),
    status=(27, 32, 40),
    good=(120, 214, 160),
    on_good=(4, 36, 18),
    warning=(255, 206, 84),
    on_warning=(48, 34, 0),
    error=(255, 150, 144),
    on_error=(48, 4, 6),
    info=(38, 62, 88),
    on_info=(214, 232, 250),
    picture=(0, 0, 0),
    on_picture=(240, 240, 240),
    tag=CALLIPER.colour,
    on_tag=TAG_TEXT,
    band=(150, 158, 170),
)

PALETTES = {"light": LIGHT, "dark": DARK}


def luminance(colour: Colour) -> float:
    """Relative luminance, 0 to 1, after WCAG 2.2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: Colour, second: Colour) -> float:
    """Contrast ratio of two colours, 1 to 21, after WCAG 2.2."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
