"""A finding in words and bars, the same on every screen: word with icon, sentence, probabilities, and what it is not.

The word never stands on a colour alone: each has an icon of its own and a sentence. What the model was not made for and
that this is no diagnosis are part of every screen that shows a finding (``limits``).
"""

from __future__ import annotations

from device.inference.finding import NO_MODEL, Assessment, Finding
from device.records.exam import Laterality, View
from device.ui.context import Ui
from device.ui.inference_worker import ModelState, ModelStatus
from device.ui.looks import length_words, scale_of
from device.ui.status import Level
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets.banner import Banner
from device.ui.widgets.base import Widget
from device.ui.widgets.label import Label
from device.ui.widgets.probability_bar import ProbabilityBar

LOOKS = {
    Assessment.NORMAL: (Level.OK, "check"),
    Assessment.BENIGN: (Level.INFO, "info"),
    Assessment.MALIGNANT: (Level.ERROR, "warning"),
    Assessment.UNCERTAIN: (Level.WARNING, "question"),
    Assessment.NOT_EVALUABLE: (Level.WARNING, "cross"),
}
"""Ground and icon of every assessment."""


def assessment_banner(ui: Ui, finding: Finding) -> Banner:
    """The word, large, with its icon."""
    level, icon = LOOKS[finding.assessment]
    return Banner(ui, ui.t.assessment(finding.assessment), level, icon=icon, style=Style.TITLE, key="assessment")


def says(ui: Ui) -> Label:
    """Whose word the assessment is."""
    return Label(ui, ui.t("imaging.model_says"), Style.SMALL, Ink.MUTED)


def explanation(ui: Ui, finding: Finding) -> Label:
    """The sentence below the word: what it means, or why there is none."""
    if finding.reason is not None:
        return Label(ui, ui.t.reason(finding.reason), key="reason")
    return Label(ui, ui.t(f"finding.hint_{finding.assessment.value}"), key="hint")


def malignant_bar(ui: Ui, finding: Finding) -> Widget | None:
    """How likely malignant, with the band in which the model does not decide."""
    if finding.probabilities is None or not finding.evaluable:
        return None
    words = ui.t.assessment(Assessment.MALIGNANT)
    band, name = finding.uncertain_band, ui.t("imaging.uncertain_band")
    return ProbabilityBar(ui, words, finding.probabilities["malignant"], band, band_label=name, key="malignant")


def probability_bars(ui: Ui, finding: Finding) -> list[Widget | None]:
    """All three calibrated probabilities; none where the frame is not evaluable, or somebody would read them."""
    if finding.probabilities is None or not finding.evaluable:
        return []
    others = [
        ProbabilityBar(ui, ui.t.assessment(which), finding.probabilities[which.value], key=which.value)
        for which in (Assessment.BENIGN, Assessment.NORMAL)
    ]
    return [malignant_bar(ui, finding), *others]


def details(ui: Ui, view: View) -> list[Widget | None]:
    """Size, measurements, place and model of a view."""
    finding, spacing = view.finding, scale_of(view)
    lines = [ui.t("imaging.place", place=place_words(ui, view))]
    if finding.lesion is not None and finding.evaluable:
        lines.append(ui.t("imaging.long_axis", length=length_words(ui, *finding.lesion.long_axis, spacing)))
    for number, one in enumerate(view.callipers, 1):
        length = length_words(ui, one.start, one.end, spacing)
        lines.append(ui.t("imaging.calliper", number=number, length=length))
    if spacing is None:
        lines.append(ui.t("imaging.no_scale"))
    if view.operator_region is not None:
        lines.append(ui.t("imaging.marked_by_hand"))
    if finding.model != NO_MODEL:
        lines.append(ui.t("imaging.model", model=finding.model))
    return [Label(ui, line, Style.SMALL, break_words=True) for line in lines]


def place_words(ui: Ui, view: View) -> str:
    """Side and clock position."""
    if view.laterality is None:
        return ui.t("imaging.side_unknown")
    side = ui.t("imaging.side_left" if view.laterality is Laterality.LEFT else "imaging.side_right")
    return side if view.clock_position is None else ui.t("imaging.side_hour", side=side, hour=view.clock_position)


def limits(ui: Ui) -> Label:
    """What it must not be used for, and that it is no diagnosis; on every screen with a finding."""
    return Label(ui, ui.t("imaging.limits"), Style.SMALL, Ink.MUTED, key="limits")


def model_banner(ui: Ui, status: ModelStatus) -> Widget | None:
    """Says that the model is loading, or why there is none; nothing when it can be asked."""
    if status.state is ModelState.LOADING:
        return Banner(ui, ui.t("imaging.model_loading"), Level.INFO, style=Style.SMALL, key="model")
    if status.state is ModelState.MISSING and status.error is not None:
        sentence = ui.t.error(status.error)
        return Banner(ui, sentence, Level.WARNING, icon="model", style=Style.SMALL, key="model")
    return None
