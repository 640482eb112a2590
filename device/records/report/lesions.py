# SPDX-License-Identifier: Apache-2.0
"""The lesions on the printed report: the body map with all of them, then what is said of each."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from device.imaging.body_map import BOUNDS, BodyMap, Part, Role, body_map
from device.inference.views import Combined
from device.records.exam import Exam
from device.records.lesion import BreastLesion
from device.records.lexicon import BiRads, BiRadsEdition
from device.records.report.places import lesion_place, map_place
from device.words import Translator

if TYPE_CHECKING:
    from device.records.report.page import ReportPage

_MAP_WIDTH_MM: Final = 96.0
_GAP_MM: Final = 6.0
_SPOT_CM: Final = 1.0
DESCRIPTORS: Final = (
    "shape",
    "orientation",
    "margin",
    "boundary",
    "echo_pattern",
    "posterior",
    "calcifications",
    "associated",
    "vascularity",
    "elasticity",
)
"""Fields of ``Descriptors`` in the order of the lexicon."""


def overview(page: ReportPage, exam: Exam, text: Translator) -> None:
    """The body map, and beside it a line for each lesion."""
    height = _MAP_WIDTH_MM / BOUNDS[2] * BOUNDS[3]
    page.heading(text("lesions.list"), keep=height + 14)
    top = page.get_y()
    draw_map(page, body_map([map_place(lesion) for lesion in exam.lesions]), (page.l_margin, top), _MAP_WIDTH_MM, text)
    column = page.l_margin + _MAP_WIDTH_MM + _GAP_MM
    page.set_left_margin(column)
    page.set_xy(column, top)
    for number, lesion in enumerate(exam.lesions, start=1):
        page.words(f"{number}. {lesion_place(lesion, text)}", bold=True)
        brief = [size for size in (_size(lesion, text), _category(lesion)) if size]
        if brief:
            page.words(" · ".join(brief))
        page.ln(1)
    page.set_left_margin(page.l_margin - _MAP_WIDTH_MM - _GAP_MM)
    page.set_xy(page.l_margin, max(page.get_y(), top + height))
    page.words(text("report.map_legend"), "small", faint=True)


def details(page: ReportPage, exam: Exam, number: int, lesion: BreastLesion, text: Translator) -> None:
    """What is said of one lesion; its views come after it."""
    title = f"{text('lesions.title', number=number)}: {lesion_place(lesion, text)}"
    page.heading(title, keep=40)
    rows = []
    if lesion.axes is not None:
        rows.append((text("report.size"), _size(lesion, text)))
    if lesion.depth_cm is not None:
        rows.append((text("lesions.depth"), text("lesions.cm", cm=text.number(lesion.depth_cm))))
    rows += _descriptors(lesion, text)
    if lesion.category is not None:
        rows.append((text("report.lesion_category"), category_words(lesion.category, lesion.edition, text)))
    if lesion.advice:
        rows.append((text("report.advice"), _words("advice", lesion.advice, text)))
    if lesion.combined is not None:
        rows.append((text("report.combined", count=lesion.combined.used), combined_result(lesion.combined, text)))
    views = _views(exam, lesion, text)
    if views:
        rows.append((text("report.lesion_views"), views))
    page.rows(rows)
    if lesion.combined is not None and lesion.combined.caution is not None:
        page.words(text(f"report.caution_{lesion.combined.caution.value}"), bold=True)
    if lesion.note:
        page.words(text("report.note", note=lesion.note))


def draw_map(page: ReportPage, drawn: BodyMap, corner: tuple[float, float], width: float, text: Translator) -> None:
    """The body map with its upper left corner at ``corner``, millimetres of the page."""
    scale = width / BOUNDS[2]

    def at(point: tuple[float, float]) -> tuple[float, float]:
        return corner[0] + (point[0] - BOUNDS[0]) * scale, corner[1] + (point[1] - BOUNDS[1]) * scale

    for circle in drawn.circles:
        strong = circle.part in (Part.RIM, Part.AXILLA, Part.AXILLARY_TAIL)
        page.ring(at(circle.centre), circle.radius * scale, 0.3 if strong else 0.12, faint=not strong)
    for label in drawn.labels:
        words = text(f"report.place_{label.text}") if label.role is Role.SIDE else label.text
        page.mark(words, at(label.centre), bold=False, faint=label.role is Role.RING)
    for spot in drawn.spots:
        if spot.ray is not None:
            page.set_line_width(0.6)
            page.line(*at(spot.ray[0]), *at(spot.ray[1]))
    for spot in drawn.spots:
        page.disc(at(spot.centre), _SPOT_CM * scale, filled=spot.placed)
        page.mark(str(spot.number), at(spot.centre), bold=True, light=spot.placed)


def _size(lesion: BreastLesion, text: Translator) -> str:
    if lesion.axes is None:
        return ""
    return text("report.sizes_mm", sizes=lesion.axes.written(text.number))


def _category(lesion: BreastLesion) -> str:
    return "" if lesion.category is None else f"BI-RADS {lesion.category.value}"


def category_words(category: BiRads, edition: BiRadsEdition, text: Translator) -> str:
    """A category with its meaning and the edition that it was given by."""
    words = text("report.birads", category=category.value, meaning=text(f"report.birads_{category.value.lower()}"))
    return f"{words} · {text(f'lesions.edition_{edition.name.lower()}')}"


def _descriptors(lesion: BreastLesion, text: Translator) -> list[tuple[str, str]]:
    rows = []
    for field in DESCRIPTORS:
        given: StrEnum | tuple[StrEnum, ...] | None = getattr(lesion.descriptors, field)
        words = given if isinstance(given, tuple) else () if given is None else (given,)
        if words:
            rows.append((text(f"lesions.{field}"), _words(field, words, text)))
    return rows


def _words(field: str, given: Sequence[StrEnum], text: Translator) -> str:
    return ", ".join(text(f"lesions.{field}_{word.value}") for word in given)


def combined_result(combined: Combined, text: Translator) -> str:
    """What the model says of all views of a lesion together."""
    word = text.result(combined.result)
    if combined.probabilities is None:
        return word
    share = f"{100 * combined.probabilities['malignant']:.0f}"
    return text("report.combined_value", result=word, malignant=share)


def _views(exam: Exam, lesion: BreastLesion, text: Translator) -> str:
    """Numbers of its views with how they were taken: ``1 (radial), 2 (antiradial)``."""
    numbers = {view.uid: number for number, view in enumerate(exam.views, start=1)}
    said = []
    for shown in lesion.views:
        if shown.uid in numbers:
            plane = "" if shown.plane is None else f" ({text(f'lesions.plane_{shown.plane.value}')})"
            said.append(f"{numbers[shown.uid]}{plane}")
    return ", ".join(said)
