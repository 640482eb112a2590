# SPDX-License-Identifier: Apache-2.0
"""A finding in words and bars, the same on every screen: word with icon, sentence, probabilities, and what it is not.

The word never stands on a colour alone: each has an icon of its own and a sentence. What the model was not made for and
that this is no diagnosis are part of every screen that shows a finding (``limits``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from device.imaging.marks.styles import calliper_letter
from device.inference.finding import NO_MODEL, Caution, Finding, ModelResult
from device.records.exam import View
from device.records.report.places import place_words
from device.ui.context import Ui
from device.ui.display_settings import length_words, scale_of
from device.ui.record_words import SEPARATOR
from device.ui.result_looks import RESULT_LOOKS
from device.ui.screen import Screen
from device.ui.session.inference_worker import ModelState, ModelStatus
from device.ui.status import Level
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Banner, Dialog, Label, Widget
from device.ui.widgets.picture.probability_bar import ProbabilityBar
from device.ui.widgets.picture.short_note import ShortNote

SAID_ELSEWHERE: Final = (Caution.PHANTOM, Caution.SCALE_CONTRADICTED)
"""Cautions whose sentence stands across the picture, or beside the lengths that it is about."""


def result_banner(ui: Ui, finding: Finding) -> Banner:
    """The word, large, with its icon."""
    level, icon = RESULT_LOOKS[finding.result]
    return Banner(ui, ui.t.result(finding.result), level, icon=icon, style=Style.TITLE, key="assessment")


def says(ui: Ui) -> Label:
    """Whose word the result is."""
    return Label(ui, ui.t("imaging.model_says"), Style.SMALL, Ink.MUTED)


def explanation(ui: Ui, finding: Finding) -> Label:
    """The sentence below the word: what it means, as the report says it, or why there is none."""
    if finding.reason is not None:
        return Label(ui, ui.t.reason(finding.reason), key="reason")
    return Label(ui, meaning(ui, finding), key="meaning")


def meaning(ui: Ui, finding: Finding) -> str:
    """What a word means and does not mean: the printed report's own sentence."""
    if finding.result is ModelResult.NOT_EVALUABLE:
        return ui.t("finding.hint_not_evaluable")
    return ui.t(f"report.meaning_{finding.result.value}")


def caution_words(ui: Ui, cautions: Iterable[Caution]) -> Banner | None:
    """Why a finding deserves less trust, in so few words that they are seen beside it."""
    words = [ui.t(f"live.caution_{caution.value}") for caution in cautions]
    return Banner(ui, SEPARATOR.join(words), Level.WARNING, style=Style.SMALL, key="caution") if words else None


def malignant_bar(ui: Ui, finding: Finding) -> Widget | None:
    """How likely malignant, with the band in which the model does not decide."""
    if finding.probabilities is None or not finding.evaluable:
        return None
    words = ui.t.result(ModelResult.MALIGNANT)
    band, name = finding.uncertain_band, ui.t("imaging.uncertain_band")
    return ProbabilityBar(ui, words, finding.probabilities["malignant"], band, band_label=name, key="malignant")


def probability_bars(ui: Ui, finding: Finding) -> list[Widget | None]:
    """All three calibrated probabilities; none where the frame is not evaluable, or they would be read as a result."""
    if finding.probabilities is None or not finding.evaluable:
        return []
    others = [
        ProbabilityBar(ui, ui.t.result(which), finding.probabilities[which.value], key=which.value)
        for which in (ModelResult.BENIGN, ModelResult.NORMAL)
    ]
    return [malignant_bar(ui, finding), *others]


def details(ui: Ui, view: View) -> list[Widget | None]:
    """Cautions in whole sentences, size, measurements, place and model of a view."""
    finding, spacing = view.finding, scale_of(view)
    lines = [ui.t(f"report.caution_{caution.value}") for caution in view.cautions if caution not in SAID_ELSEWHERE]
    lines.append(ui.t("imaging.place", place=place_words(view, ui.t)))
    if finding.lesion is not None and finding.evaluable:
        lines.append(ui.t("imaging.long_axis", length=length_words(ui, *finding.lesion.long_axis, spacing)))
    for number, one in enumerate(view.callipers, 1):
        length = length_words(ui, one.start, one.end, spacing)
        lines.append(ui.t("imaging.calliper", letter=calliper_letter(number), length=length))
    if spacing is None:
        contradicted = view.frame.scale_contradicted or Caution.SCALE_CONTRADICTED in finding.cautions
        lines.append(ui.t("report.caution_scale_contradicted" if contradicted else "imaging.no_scale"))
    if view.operator_region is not None:
        lines.append(ui.t("imaging.marked_by_hand"))
    if finding.model != NO_MODEL:
        lines.append(ui.t("imaging.model", model=finding.model))
    return [Label(ui, line, Style.SMALL, break_words=True) for line in lines]


def limits(ui: Ui) -> Label:
    """What it must not be used for, and that it is no diagnosis; on every form with a finding."""
    return Label(ui, ui.t("imaging.limits"), Style.SMALL, Ink.MUTED, key="limits")


def short_limits(screen: Screen) -> ShortNote:
    """The same as one short line over a picture; a tap says the rest."""
    ui = screen.ui

    def more() -> None:
        screen.app.open(Dialog.message(ui, ui.t("imaging.limits_short"), ui.t("imaging.limits")))

    return ShortNote(ui, ui.t("imaging.limits_short"), more)


def model_banner(ui: Ui, status: ModelStatus) -> Widget | None:
    """Says that the model is loading, or why there is none; nothing when it can be asked."""
    if status.state is ModelState.LOADING:
        return Banner(ui, ui.t("imaging.model_loading"), Level.INFO, style=Style.SMALL, key="model")
    if status.state is ModelState.MISSING and status.error is not None:
        sentence = ui.t.error(status.error)
        return Banner(ui, sentence, Level.WARNING, icon="model", style=Style.SMALL, key="model")
    return None
