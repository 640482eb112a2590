"""What the model says of one view: the finding, and its one-line JSON form.

A finding is immutable and self-contained: it holds everything a screen, a report or the clinic needs, so that nobody
has to ask the model again. Its JSON form is a contract that other programs rely on (``to_contract``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from device.capture.frame import Box, Pixels, Point
from device.imaging.quality import Reason as Reason

CLASSES = ("normal", "benign", "malignant")
"""Class order of every probability vector, as in the manifest."""

NO_MODEL = "none@0.0.0"
"""What stands for the model's name where there was none."""


class Assessment(StrEnum):
    """What the device says in one word; never a diagnosis."""

    NORMAL = "normal"
    BENIGN = "benign"
    MALIGNANT = "malignant"
    UNCERTAIN = "uncertain"
    NOT_EVALUABLE = "not_evaluable"


@dataclass(frozen=True, slots=True)
class Lesion:
    """The outlined region that speaks for a lesion, in pixels of the frame.

    Attributes:
        box: Smallest upright rectangle around the outline.
        contour: Closed outline, at least three points.
        long_axis: The two outline points that lie farthest apart.
        long_axis_px: Their distance in pixels of the frame.
        long_axis_mm: Their distance in millimetres, ``None`` when the scale is unknown.
    """

    box: Box
    contour: tuple[Point, ...]
    long_axis: tuple[Point, Point]
    long_axis_px: float
    long_axis_mm: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """What the model says of one frame.

    Attributes:
        assessment: The word shown to the clinician.
        reason: Why the frame is not evaluable; ``None`` exactly when it is evaluable.
        probabilities: Calibrated, by class name, summing to 1; ``None`` only where nothing could be computed.
        uncertain_band: Lower and upper malignant probability between which the assessment is ``uncertain``.
        lesion: Outline and size, ``None`` when nothing was outlined.
        sonogram: Where in the frame the B-mode picture was found.
        heat_map: uint8 (h, w) over the sonogram box, 255 where most speaks for the class; or ``None``.
        latency_ms: From frame to finding, without decoding.
        model: ``name@version`` of the bundle.
    """

    assessment: Assessment
    reason: Reason | None
    probabilities: Mapping[str, float] | None
    uncertain_band: tuple[float, float]
    lesion: Lesion | None
    sonogram: Box
    heat_map: Pixels | None
    latency_ms: float
    model: str

    @property
    def evaluable(self) -> bool:
        """Whether the frame is something that the model was made for."""
        return self.reason is None

    def to_contract(self, file: str, frame: int) -> dict[str, Any]:
        """The JSON object of ``python -m device classify --json`` for this finding.

        Args:
            file: The path as the user gave it.
            frame: Number of the frame inside the file, from 0.
        """
        probabilities = None
        if self.probabilities is not None:
            probabilities = {name: round(float(self.probabilities[name]), 6) for name in CLASSES}
        return {
            "file": file,
            "frame": frame,
            "evaluable": self.evaluable,
            "reason": None if self.reason is None else self.reason.value,
            "probabilities": probabilities,
            "assessment": self.assessment.value,
            "lesion": None if self.lesion is None else _lesion_to_contract(self.lesion),
            "sonogram": list(self.sonogram),
            "latency_ms": round(self.latency_ms, 3),
            "model": self.model,
        }


def without_model(sonogram: Box) -> Finding:
    """What is said of a frame when no model can be loaded: nothing, and why; the frame can still be kept.

    Args:
        sonogram: Where the B-mode picture lies in the frame.
    """
    return Finding(Assessment.NOT_EVALUABLE, Reason.NO_MODEL, None, (0.0, 1.0), None, sonogram, None, 0.0, NO_MODEL)


def _lesion_to_contract(lesion: Lesion) -> dict[str, Any]:
    return {
        "box": list(lesion.box),
        "contour": [[round(x, 1), round(y, 1)] for x, y in lesion.contour],
        "long_axis_px": round(lesion.long_axis_px, 1),
        "long_axis_mm": None if lesion.long_axis_mm is None else round(lesion.long_axis_mm, 1),
    }
