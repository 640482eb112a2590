# SPDX-License-Identifier: Apache-2.0
"""Exams made by hand for the upload tests: phantom-like pictures, findings with numbers that a test can look for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from device.capture.frame import Box, Frame, PixelSpacing, Point
from device.dicom.identity import DeviceIdentity
from device.inference.finding import Caution, Finding, Lesion, ModelResult, Reason
from device.inference.views import Combined
from device.records.exam import (
    BiRads,
    BiRadsEdition,
    Calliper,
    Exam,
    ExamState,
    FamilyHistory,
    Gender,
    Laterality,
    Patient,
    View,
)
from device.records.lesion import BreastLesion, BreastRegion, LesionView
from device.records.uids import derived_uid
from tests.device.records import made_up

MOMENT = datetime(2025, 3, 4, 9, 30, 15, 250_000, tzinfo=UTC)
DEVICE = DeviceIdentity(serial="10000000abcdef01", site="Kibera outreach", software="9.8.7")
PATIENT = Patient("KB-0042", "Wanjirũ Müller-Åse 李", 45, Gender.FEMALE, FamilyHistory.YES)


def picture(seed: int, height: int = 120, width: int = 160) -> np.ndarray:
    """Speckle with a dark ellipse, uint8 (h, w)."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    inside = ((x - width / 2) / (width / 5)) ** 2 + ((y - height / 2) / (height / 6)) ** 2 < 1
    mean = np.where(inside, 25.0, 110.0)
    return np.clip(random.rayleigh(mean / 1.25), 0, 255).astype(np.uint8)


def frame(seed: int, *, colour: bool = False, spacing: PixelSpacing | None = None, at: datetime = MOMENT) -> Frame:
    pixels = picture(seed)
    if colour:
        pixels = np.stack([pixels, pixels, pixels], axis=2)
        pixels[:10, :10] = (255, 0, 0)
    return Frame(pixels=pixels, origin="scanner.png", captured_at=at, spacing=spacing)


def lesion(mm: float | None = 11.3) -> Lesion:
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    contour: tuple[Point, ...] = tuple((80 + 32 * float(np.cos(a)), 60 + 20 * float(np.sin(a))) for a in angles)
    return Lesion(Box(48, 40, 65, 41), contour, ((48.0, 60.0), (112.0, 60.0)), 64.0, mm)


def finding(outlined: Lesion | None, result: ModelResult = ModelResult.MALIGNANT) -> Finding:
    refused = result is ModelResult.NOT_EVALUABLE
    return Finding(
        result=result,
        reason=Reason.TOO_DARK if refused else None,
        probabilities={"normal": 0.02, "benign": 0.111, "malignant": 0.869},
        uncertain_band=(0.3, 0.6),
        lesion=outlined,
        sonogram=Box(4, 6, 150, 110),
        heat_map=None,
        latency_ms=4.2,
        model="phantomnet@1.2.3",
    )


def view(
    exam_uid: str,
    number: int,
    *,
    scale: bool = True,
    outlined: bool = True,
    colour: bool = False,
    loop: int = 0,
    result: ModelResult = ModelResult.MALIGNANT,
) -> View:
    spacing = PixelSpacing(0.2, 0.25) if scale else None
    uids = {kind: derived_uid(exam_uid, f"test/{number}/{kind}") for kind in ("overlay", "cine", "report")}
    start = MOMENT + timedelta(minutes=number)
    steps = range(loop)
    return View(
        uid=derived_uid(exam_uid, f"test/{number}"),
        derived_uids=uids,
        frame=frame(number, colour=colour, spacing=spacing, at=start),
        finding=finding(lesion(12.8 if scale else None) if outlined else None, result),
        frozen_at=start + timedelta(seconds=1),
        laterality=Laterality.LEFT if number % 2 else Laterality.RIGHT,
        clock_position=10,
        note="Palpable lump, painful – \\ since März",
        callipers=(Calliper((10.0, 12.0), (40.0, 52.0), 50.0, 11.18 if scale else None),),
        cine=tuple(
            frame(100 + i, colour=colour, spacing=spacing, at=start + timedelta(milliseconds=40 * i)) for i in steps
        ),
    )


def exam(name: str = "one", *views: View, patient: Patient = PATIENT) -> Exam:
    """A final exam; without views given, one view with a lesion and a scale."""
    uid = exam_uid(name)
    return Exam(
        uid=uid,
        patient=patient,
        operator="Nurse Achieng",
        started_at=MOMENT,
        clock_trusted=True,
        state=ExamState.FINAL,
        views=views or (view(uid, 1),),
        birads=BiRads.SUSPICIOUS_MODERATE,
        note="Second look advised.",
        finalised_at=MOMENT + timedelta(minutes=9),
    )


def lesions(first: str, second: str, third: str) -> tuple[BreastLesion, ...]:
    """One with everything in two views, one with little in another, and one that no view shows."""
    uid = derived_uid(first, "test/lesion")
    combined = Combined(
        ModelResult.UNCERTAIN,
        None,
        {"normal": 0.1, "benign": 0.55, "malignant": 0.35},
        (0.3, 0.6),
        Caution.UNFAMILIAR_SOURCE,
        2,
        "phantomnet@1.2.3",
    )
    return (
        made_up.breast_lesion(f"{uid}1", first, second, combined=combined),
        BreastLesion(f"{uid}2", Laterality.RIGHT, views=(LesionView(third),)),
        made_up.breast_lesion(f"{uid}3", region=BreastRegion.AXILLA, views=(), edition=BiRadsEdition.E2013),
    )


def exam_uid(name: str) -> str:
    return derived_uid("2.25.1", f"test-exam/{name}")


def changed(original: Exam, **values: Any) -> Exam:
    return replace(original, **values)


def changed_view(original: View, **values: Any) -> View:
    return replace(original, **values)


def replaced_frame(original: Exam, pixels: np.ndarray) -> Exam:
    """The exam with other pixels in its first view."""
    first = original.views[0]
    other = changed_view(first, frame=replace(first.frame, pixels=pixels))
    return changed(original, views=(other, *original.views[1:]))
