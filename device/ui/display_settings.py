# SPDX-License-Identifier: Apache-2.0
"""How a view is looked at: overlay, enhancement, brightness and contrast. For the eye only; nothing of it is kept.

A ``Look`` is chosen on the look screen and used by every screen that shows a view. ``seen`` makes the picture and may
take some tens of milliseconds, so screens call it in a task; ``marks`` makes what is drawn over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from device.capture.frame import Box, Frame, Pixels, PixelSpacing, Point
from device.imaging.enhance import Enhancement, adjust, apply
from device.imaging.marks.annotations import blend_heat
from device.imaging.marks.styles import CALLIPER, LONG_AXIS, LONG_AXIS_LETTER, calliper_letter
from device.imaging.scale import measure
from device.inference.finding import Finding
from device.records.exam import View
from device.ui.context import Ui
from device.ui.widgets import Drawing
from device.ui.widgets.picture.drawings import Measure, Outline, Watermark


class Overlay(StrEnum):
    """What of the finding lies over the picture."""

    OUTLINE = "outline"
    HEAT = "heat"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class DisplaySettings:
    """How a view is looked at.

    Attributes:
        overlay: What of the finding lies over it.
        enhancement: Which enhancement view.
        brightness: -0.5 to 0.5, 0 as it is.
        contrast: 0.5 to 3, 1 as it is.
    """

    overlay: Overlay = Overlay.OUTLINE
    enhancement: Enhancement = Enhancement.NONE
    brightness: float = 0.0
    contrast: float = 1.0

    @property
    def plain(self) -> bool:
        """Whether the pixels are shown as they are."""
        return self.enhancement is Enhancement.NONE and self.brightness == 0.0 and self.contrast == 1.0


def render(pixels: Pixels, finding: Finding | None, look: DisplaySettings) -> Pixels:
    """The picture as it is looked at; the enhancement covers the sonogram, the scanner's text stays as it is.

    Args:
        pixels: uint8 (h, w) or (h, w, 3), a frame's.
        finding: What was found in it, for the heat map and the place of the sonogram.
        look: How to look at it.
    """
    shown = pixels
    if look.enhancement is not Enhancement.NONE:
        box = Box(0, 0, pixels.shape[1], pixels.shape[0]) if finding is None else finding.sonogram
        shown = _inside(pixels, box, apply(look.enhancement, _cut(pixels, box)))
    if look.brightness != 0.0 or look.contrast != 1.0:
        shown = adjust(shown, look.brightness, look.contrast)
    if look.overlay is Overlay.HEAT and finding is not None and finding.evaluable and finding.heat_map is not None:
        shown = blend_heat(shown, finding.heat_map, finding.sonogram)
    return shown


def marks(ui: Ui, finding: Finding | None, look: DisplaySettings, spacing: PixelSpacing | None = None) -> list[Drawing]:
    """Outline and long axis, where the look shows them and the finding has them; none of what is not evaluable.

    Args:
        ui: For the words of the length.
        finding: What was found.
        look: How it is looked at.
        spacing: The scale, where it is known better than when the finding was made.
    """
    if finding is None or finding.lesion is None or not finding.evaluable or look.overlay is Overlay.NONE:
        return []
    lesion = finding.lesion
    if look.overlay is Overlay.HEAT:
        return [Outline(lesion.contour)]
    length = length_words(ui, *lesion.long_axis, spacing)
    return [Outline(lesion.contour), Measure(*lesion.long_axis, LONG_AXIS_LETTER, length, style=LONG_AXIS)]


def callipers(ui: Ui, view: View) -> list[Drawing]:
    """The clinician's measurements, each with its letter and its length."""
    return measures(ui, [(one.start, one.end) for one in view.callipers], scale_of(view))


def measures(ui: Ui, ends: Sequence[tuple[Point, Point]], spacing: PixelSpacing | None) -> list[Drawing]:
    """Callipers, lettered in their order."""
    return [
        Measure(*pair, calliper_letter(number), length_words(ui, *pair, spacing), style=CALLIPER)
        for number, pair in enumerate(ends, 1)
    ]


def watermark(frame: Frame) -> list[Drawing]:
    """What lies across every picture of the phantom."""
    return [Watermark()] if frame.phantom else []


def scale_of(view: View) -> PixelSpacing | None:
    """The scale that counts for a view: as tapped or set by a preset, else that of its file."""
    return view.spacing or view.frame.spacing


def length_words(ui: Ui, start: Point, end: Point, spacing: PixelSpacing | None) -> str:
    """A length in millimetres, or in pixels where the scale is not known."""
    found = measure(start, end, spacing)
    if found.length_mm is None:
        return ui.t("imaging.pixels", px=f"{found.length_px:.0f}")
    return ui.t("imaging.millimetres", mm=ui.t.number(found.length_mm, 1))


def _cut(pixels: Pixels, box: Box) -> Pixels:
    return pixels[box.y : box.y + box.h, box.x : box.x + box.w].copy()


def _inside(pixels: Pixels, box: Box, part: Pixels) -> Pixels:
    """The picture with another part; in colour as soon as one of them is."""
    if (box.w, box.h) == (pixels.shape[1], pixels.shape[0]):
        return part
    whole = _rgb(pixels) if part.ndim == 3 else pixels
    part = _rgb(part) if whole.ndim == 3 else part
    result = whole.copy()
    result[box.y : box.y + box.h, box.x : box.x + box.w] = part
    return result


def _rgb(pixels: Pixels) -> Pixels:
    return pixels if pixels.ndim == 3 else pixels[..., None].repeat(3, axis=2)
