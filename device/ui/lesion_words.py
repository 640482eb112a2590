# SPDX-License-Identifier: Apache-2.0
"""A lesion of the breast in a line of a screen: how large it is, what the model says, what is still wanted of it."""

from __future__ import annotations

from device.inference.finding import Caution
from device.inference.views import Combined
from device.records.lesion import Axes, BreastLesion
from device.records.report.lesions import combined_result
from device.records.report.places import lesion_place
from device.ui.context import Ui
from device.ui.record_words import SEPARATOR
from device.ui.status import Level
from device.ui.theme.text import Style
from device.ui.widgets import Banner, Label, Widget
from device.words import Translator


def axes_words(t: Translator, axes: Axes) -> str:
    """Lengths in the order of the lexicon."""
    return t("imaging.millimetres", mm=axes.written(t.number))


def lesion_line(t: Translator, lesion: BreastLesion) -> str:
    """One line for a list."""
    parts = [lesion_place(lesion, t)]
    if lesion.axes is not None:
        parts.append(axes_words(t, lesion.axes))
    if lesion.category is not None:
        parts.append(f"BI-RADS\u00a0{lesion.category.value}")
    return SEPARATOR.join(parts)


def combined_words(t: Translator, combined: Combined) -> str:
    """What the model says of all views of a lesion together, as the printed report says it."""
    word = combined_result(combined, t).replace(" %", "\u00a0%")
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
