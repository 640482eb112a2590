# SPDX-License-Identifier: Apache-2.0
"""A lesion of the breast in words: where it lies, how large it is, what is still wanted of it."""

from __future__ import annotations

from device.imaging.body_map import MapPlace
from device.inference.finding import Caution
from device.inference.views import Combined
from device.records.lesion import Axes, BreastLesion
from device.ui.context import Ui
from device.ui.record_words import SEPARATOR
from device.ui.status import Level
from device.ui.theme.text import Style
from device.ui.widgets import Banner, Label, Widget
from device.words import Translator


def map_place(lesion: BreastLesion) -> MapPlace:
    """Where it lies on the body map."""
    side = None if lesion.laterality is None else lesion.laterality.value
    region = None if lesion.region is None else lesion.region.value
    return MapPlace(side, lesion.clock_position, lesion.distance_from_nipple_cm, region)


def lesion_place(t: Translator, lesion: BreastLesion) -> str:
    """Side, clock position or region, distance from the nipple."""
    side = "unknown" if lesion.laterality is None else lesion.laterality.value
    words = t(f"report.place_{side}")
    if lesion.clock_position is not None:
        words = t("report.place_with_clock", side=words, hour=lesion.clock_position)
    parts = [words]
    if lesion.region is not None:
        parts.append(t(f"lesions.region_{lesion.region.value}"))
    if lesion.distance_from_nipple_cm is not None:
        parts.append(t("lesions.from_nipple", cm=t.number(lesion.distance_from_nipple_cm)))
    return ", ".join(parts)


def axes_words(t: Translator, axes: Axes) -> str:
    """Lengths in the order of the lexicon."""
    return t("imaging.millimetres", mm=axes.written(t.number))


def lesion_line(t: Translator, lesion: BreastLesion) -> str:
    """One line for a list."""
    parts = [lesion_place(t, lesion)]
    if lesion.axes is not None:
        parts.append(axes_words(t, lesion.axes))
    if lesion.category is not None:
        parts.append(f"BI-RADS\u00a0{lesion.category.value}")
    return SEPARATOR.join(parts)


def combined_words(t: Translator, combined: Combined) -> str:
    """What the model says of all views of a lesion together, as the printed report says it."""
    word = t(f"report.assessment_{combined.result.value}")
    if combined.probabilities is not None:
        share = f"{100 * combined.probabilities['malignant']:.0f}"
        word = t("report.combined_value", result=word, malignant=share).replace(" %", "\u00a0%")
    return t("common.pair", name=t("report.combined", count=combined.used), value=word)


def combined_labels(ui: Ui, lesion: BreastLesion, number: int = 1) -> list[Widget]:
    """The same as a line of a screen, with what it deserves less trust for; a single view says it by itself."""
    combined = lesion.combined
    if combined is None or len(lesion.views) < 2:
        return []
    found: list[Widget] = [Label(ui, combined_words(ui.t, combined), key=f"combined.{number}")]
    if combined.caution not in (None, Caution.PHANTOM):  # that it is a phantom's, the exam says at its top
        words = ui.t(f"report.caution_{combined.caution}")
        found.append(Banner(ui, words, Level.WARNING, style=Style.SMALL, key=f"combined_caution.{number}"))
    return found


def wanted(t: Translator, lesion: BreastLesion) -> str:
    """Asks for the view that is missing to a pair across each other; empty where nothing is missing."""
    if lesion.wanted_plane is not None:
        return t("lesions.wanted", plane=t(f"lesions.plane_{lesion.wanted_plane.value}"))
    if len(lesion.views) == 1 and lesion.views[0].plane is None:
        return t("lesions.wanted_pair")
    if lesion.views and all(view.callipers_in_picture for view in lesion.views):
        return t("lesions.wanted_bare")
    return ""
