# SPDX-License-Identifier: Apache-2.0
"""Exams of phantoms as handhelds send them, with real findings of the shipped model: for pages that are looked at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from device.capture.frame import Frame
from device.capture.phantom.frames import IN_DISTRIBUTION_SEED, phantom_frame
from device.capture.phantom.tissue import Lesion
from device.inference.bundle import newest_bundle
from device.inference.classifier import Classifier
from device.records.exam import (
    BiRads,
    Calliper,
    Exam,
    ExamState,
    FamilyHistory,
    Gender,
    Laterality,
    Patient,
    View,
)
from device.records.uids import new_exam_uid, new_uids

CHECKOUT = Path(__file__).resolve().parents[2]


@cache
def _classifier() -> Classifier:
    return Classifier(newest_bundle(CHECKOUT / "models"))


def phantom_view(
    lesion: Lesion | None,
    *,
    side: Laterality = Laterality.LEFT,
    clock: int | None = 2,
    seed: int = IN_DISTRIBUTION_SEED,
    measured: bool = False,
    loop: int = 0,
) -> View:
    """A view of a phantom with what the shipped model says of it."""
    frame = phantom_frame(seed, lesion)
    finding = _classifier().classify(frame)
    uid, derived = new_uids()
    callipers: tuple[Calliper, ...] = ()
    if measured and finding.lesion is not None:
        box = finding.lesion.box
        start, end = (box.x + box.w / 2, float(box.y)), (box.x + box.w / 2, float(box.y + box.h))
        mm = None if frame.spacing is None else frame.spacing.y_mm * box.h
        callipers = (Calliper(start, end, float(box.h), mm),)
    start_at = datetime.now(UTC)
    cine: tuple[Frame, ...] = tuple(
        Frame(
            frame.pixels, "phantom", captured_at=start_at + timedelta(milliseconds=80 * number), spacing=frame.spacing
        )
        for number in range(loop)
    )
    return View(uid, derived, frame, finding, start_at, side, clock, callipers=callipers, cine=cine)


def phantom_exam(code: str, *views: View, name: str = "", started: datetime | None = None, **values: Any) -> Exam:
    """A final exam of a phantom."""
    moment = started or datetime.now(UTC)
    common: dict[str, Any] = {
        "operator": "Nurse Achieng",
        "birads": BiRads.BENIGN,
        "clock_trusted": True,
        "state": ExamState.FINAL,
        "finalised_at": moment + timedelta(minutes=9),
    }
    patient = Patient(code, name, 47, Gender.FEMALE, FamilyHistory.NO)
    return Exam(uid=new_exam_uid(), patient=patient, started_at=moment, views=views, **{**common, **values})
