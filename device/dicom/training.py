# SPDX-License-Identifier: Apache-2.0
"""What of an exam is for the clinic: pictures of the phantom are of no patient, and must never be filed under one.

Used where instances are made for the outbox (``operations.for_clinic``) and for a stick (``transfer.dicom_files``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from device.records.exam import Exam, Patient
from device.records.lesion import BreastLesion

TRAINING_PATIENT: Final = Patient("TRAINING", "TRAINING EXAM")
"""Under whom an archive files what was practised; says so in both attributes that lists of patients show."""


def for_clinic(exam: Exam, *, training_exams: bool) -> Exam | None:
    """The exam as the clinic may get it; ``None`` where it gets nothing.

    Args:
        exam: Any exam.
        training_exams: Whether the site wants exams that show only the phantom; as a study of the training patient.
    """
    if exam.training:
        return as_training(exam) if training_exams else None
    phantoms = {view.uid for view in exam.views if view.phantom}
    return replace(
        exam,
        views=tuple(view for view in exam.views if not view.phantom),
        lesions=tuple(left for lesion in exam.lesions if (left := _without(lesion, phantoms)) is not None),
    )


def as_training(exam: Exam) -> Exam:
    """A training exam without the patient that the form was filled in for; any other exam as it is."""
    return replace(exam, patient=TRAINING_PATIENT) if exam.training else exam


def _without(lesion: BreastLesion, phantoms: set[str]) -> BreastLesion | None:
    """A lesion without its views of the phantom; ``None`` where it has no others, for it is the phantom's then."""
    if lesion.views and phantoms.issuperset(lesion.view_uids):
        return None
    for uid in phantoms:
        lesion = lesion.without_view(uid)
    return lesion
