"""The sentences of the printed report, in English, and how other languages come in.

Records stand left of the screens and do not know their translator, so whoever makes a report passes a ``Text``: a
callable that gives the sentence for a key. The keys are those of ``ENGLISH``; the translations lie with all the others
in ``device/ui/locale/<language>/report.toml``, and a test keeps the five in step. Without a translator
(the command line on a machine without the app's language files) ``english`` serves.
"""

from __future__ import annotations

from typing import Protocol

ENGLISH = {
    "report.title": "Breast ultrasound exam",
    "report.product": "Mammascope handheld",
    "report.disclaimer": "Research and triage support, not a diagnosis.",
    "report.draft": "DRAFT, not finalised",
    "report.page": "Page {page} of {pages}",
    "report.exam_id": "Exam {id}",
    "report.patient": "Patient",
    "report.code": "Code",
    "report.name": "Name",
    "report.age": "Age",
    "report.age_years": "{years} years",
    "report.gender": "Gender",
    "report.gender_female": "Female",
    "report.gender_male": "Male",
    "report.gender_other": "Other",
    "report.family_history": "Breast cancer in the family",
    "report.family_history_yes": "Yes",
    "report.family_history_no": "No",
    "report.family_history_unknown": "Not known",
    "report.not_given": "Not given",
    "report.exam": "Exam",
    "report.started": "Started",
    "report.finalised": "Finalised",
    "report.operator": "Operator",
    "report.site": "Site",
    "report.clock_unverified": "Clock unverified: date and time may be wrong.",
    "report.clinician": "Assessment by the clinician",
    "report.birads": "BI-RADS {category}: {meaning}",
    "report.birads_none": "No BI-RADS category was given.",
    "report.birads_0": "incomplete, more imaging is needed",
    "report.birads_1": "negative",
    "report.birads_2": "benign",
    "report.birads_3": "probably benign",
    "report.birads_4a": "low suspicion of malignancy",
    "report.birads_4b": "moderate suspicion of malignancy",
    "report.birads_4c": "high suspicion of malignancy",
    "report.birads_5": "highly suggestive of malignancy",
    "report.birads_6": "malignancy known from biopsy",
    "report.note": "Note: {note}",
    "report.view": "View {number}: {place}",
    "report.place_left": "left breast",
    "report.place_right": "right breast",
    "report.place_unknown": "side not given",
    "report.place_with_clock": "{side}, {hour} o'clock",
    "report.model_says": "The model says",
    "report.assessment_normal": "Normal",
    "report.assessment_benign": "Benign",
    "report.assessment_malignant": "Malignant",
    "report.assessment_uncertain": "Uncertain",
    "report.assessment_not_evaluable": "Not evaluable",
    "report.meaning_normal": "The model sees no lesion in this view. This does not rule one out.",
    "report.meaning_benign": "What the model sees in this view looks benign to it. This does not rule out cancer.",
    "report.meaning_malignant": "What the model sees in this view looks suspicious to it. "
    "Further examination is advised.",
    "report.meaning_uncertain": "The model cannot decide about this view. Judge by your own examination.",
    "report.reason_too_small": "The picture is too small to be evaluated.",
    "report.reason_too_dark": "The picture is too dark to be evaluated.",
    "report.reason_too_bright": "The picture is too bright to be evaluated.",
    "report.reason_no_texture": "The picture shows no tissue that could be evaluated.",
    "report.reason_colour": "The picture is coloured (doppler or another overlay), and the model was not made "
    "for that.",
    "report.reason_not_breast_ultrasound": "The picture does not look like B-mode ultrasound of the breast.",
    "report.reason_no_model": "There was no working model on the device, so nothing can be said of the picture.",
    "report.probabilities": "Calibrated probabilities",
    "report.probabilities_none": "No probabilities could be computed.",
    "report.class_normal": "Normal",
    "report.class_benign": "Benign",
    "report.class_malignant": "Malignant",
    "report.uncertain_band": "From {low} % to {high} % malignant (hatched) the model says uncertain.",
    "report.long_axis_mm": "Long axis (L): {mm} mm",
    "report.long_axis_px": "Long axis (L): {px} pixels, scale unknown",
    "report.no_lesion": "No lesion was outlined.",
    "report.calliper_mm": "Measurement {number}: {mm} mm",
    "report.calliper_px": "Measurement {number}: {px} pixels, scale unknown",
    "report.model": "Model: {model}",
    "report.legend": "Unbroken line: outline by the model. Line with the letter L: its long axis. Dashed lines with "
    "numbers: measurements by the clinician.",
    "report.no_views": "This exam has no views.",
    "report.views_damaged": "Views that could not be read and are missing here: {count}",
    "report.addenda": "Addenda",
    "report.addendum": "{date}, {author}",
    "report.exclusions_title": "What this must not be used for",
    "report.exclusions": "The model was made for B-mode ultrasound pictures of the breast. It was not made for doppler "
    "or elastography, for breasts after surgery, for the axilla, for implants, or for anything else.",
    "report.intended_use": "The model's result supports a clinician and never replaces the examination. Symptoms, "
    "doubt or a suspicious picture need further examination, whatever the model says.",
}
"""Every key with its English sentence; ``{names}`` in braces are filled in."""


class Text(Protocol):
    """Gives the sentence for a key; the screens' translator is one."""

    def __call__(self, key: str, **params: object) -> str:
        """The sentence for ``key``, its ``{names}`` filled in from ``params``."""


def english(key: str, **params: object) -> str:
    """The English sentence for a key of the report.

    Raises:
        KeyError: The report has no such key.
    """
    return ENGLISH[key].format(**params)
