# SPDX-License-Identifier: Apache-2.0
"""Exams made by hand for the tests of reports and exports: speckle, findings of every kind, names in many scripts."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import numpy as np

from device.capture.frame import Box, Frame, Point
from device.inference.finding import CLASSES, Finding, Lesion, ModelResult, Reason
from device.records.exam import (
    Addendum,
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
from device.records.lesion import Axes, BreastLesion, BreastRegion, LesionView, Plane
from device.records.lexicon import (
    AssociatedFeature,
    BiRadsEdition,
    Boundary,
    Calcifications,
    Descriptors,
    EchoPattern,
    Elasticity,
    Management,
    Margin,
    Orientation,
    PosteriorFeatures,
    Shape,
    Vascularity,
)

Made = TypeVar("Made", Exam, View, Patient, Finding, Frame)

MOMENT = datetime(2025, 3, 4, 9, 30, tzinfo=UTC)
PATIENT = Patient("KB-0042", "Wanjirũ Müller", 45, Gender.FEMALE, FamilyHistory.YES)
PROBABILITIES = {
    ModelResult.NORMAL: (0.91, 0.07, 0.02),
    ModelResult.BENIGN: (0.03, 0.9, 0.07),
    ModelResult.MALIGNANT: (0.02, 0.11, 0.87),
    ModelResult.UNCERTAIN: (0.04, 0.63, 0.33),
    ModelResult.NOT_EVALUABLE: (0.4, 0.3, 0.3),
}


@cache
def frame(seed: int = 1, width: int = 320, height: int = 240) -> Frame:
    """Speckle with a dark ellipse."""
    y, x = np.mgrid[:height, :width]
    inside = ((x - width / 2) / (width / 5)) ** 2 + ((y - height / 2) / (height / 6)) ** 2 < 1
    speckle = np.random.default_rng(seed).rayleigh(np.where(inside, 20.0, 88.0))
    return Frame(np.clip(speckle, 0, 255).astype(np.uint8), "scanner.png", captured_at=MOMENT)


def lesion(mm: float | None = 12.8) -> Lesion:
    turns = np.linspace(0, 2 * math.pi, 24, endpoint=False)
    contour: tuple[Point, ...] = tuple((160 + 64 * math.cos(t), 120 + 40 * math.sin(t)) for t in turns)
    return Lesion(Box(96, 80, 129, 81), contour, ((96.0, 120.0), (224.0, 120.0)), 128.0, mm)


def finding(
    result: ModelResult = ModelResult.MALIGNANT, outlined: Lesion | None = None, reason: Reason = Reason.TOO_DARK
) -> Finding:
    return Finding(
        result=result,
        reason=reason if result is ModelResult.NOT_EVALUABLE else None,
        probabilities=dict(zip(CLASSES, PROBABILITIES[result], strict=True)),
        uncertain_band=(0.2, 0.45),
        lesion=outlined,
        sonogram=Box(0, 0, 320, 240),
        heat_map=None,
        latency_ms=4.2,
        model="phantomnet@1.2.3",
    )


def view(number: int = 1, found: Finding | None = None, **values: object) -> View:
    plain = View(
        uid=f"2.25.7{number}",
        derived_uids={},
        frame=frame(number),
        finding=found or finding(outlined=lesion()),
        frozen_at=MOMENT + timedelta(minutes=number),
        laterality=Laterality.LEFT,
        clock_position=10,
        note="Palpable lump.",
        callipers=(Calliper((160.0, 80.0), (160.0, 160.0), 80.0, 8.1),),
    )
    return changed(plain, **values)


PLANES = (Plane.RADIAL, Plane.ANTIRADIAL, None)


def shown(*view_uids: str) -> tuple[LesionView, ...]:
    """The views of a lesion by their UIDs."""
    return tuple(LesionView(name, PLANES[n % 3], n > 0) for n, name in enumerate(view_uids))


def breast_lesion(uid: str = "2.25.51", *view_uids: str, **values: Any) -> BreastLesion:
    """A lesion with something said of everything; shown by one view unless others are named."""
    plain = BreastLesion(
        uid=uid,
        laterality=Laterality.LEFT,
        clock_position=10,
        region=BreastRegion.CENTRAL,
        distance_from_nipple_cm=3.5,
        depth_cm=1.2,
        views=shown(*(view_uids or ("2.25.71",))),
        axes=Axes(12.8, 8.1, 9.4),
        descriptors=Descriptors(
            Shape.IRREGULAR,
            Orientation.NOT_PARALLEL,
            Margin.SPICULATED,
            Boundary.ECHOGENIC_HALO,
            EchoPattern.HYPOECHOIC,
            PosteriorFeatures.SHADOWING,
            (Calcifications.IN_MASS, Calcifications.INTRADUCTAL),
            (AssociatedFeature.ARCHITECTURAL_DISTORTION, AssociatedFeature.SKIN_RETRACTION),
            Vascularity.RIM,
            Elasticity.HARD,
        ),
        category=BiRads.SUSPICIOUS_HIGH,
        edition=BiRadsEdition.V2025,
        advice=(Management.CORE_BIOPSY, Management.SURGEON),
        note="Hard, does not move.",
    )
    return replace(plain, **values)


def exam(*views: View, **values: object) -> Exam:
    """A final exam; with one malignant view unless views are given."""
    plain = Exam(
        uid="2.25.123456789012345678901234567890",
        patient=PATIENT,
        operator="Nurse Achieng",
        started_at=MOMENT,
        clock_trusted=True,
        state=ExamState.FINAL,
        views=views or (view(),),
        birads=BiRads.SUSPICIOUS_MODERATE,
        note="Second look advised.",
        finalised_at=MOMENT + timedelta(minutes=9),
        addenda=(Addendum("Biopsy is on 12 March.", "Dr. Rao", MOMENT + timedelta(days=3)),),
    )
    return changed(plain, **values)


def changed(value: Made, **values: Any) -> Made:
    """A copy of a frozen dataclass with other values."""
    return replace(value, **values)
