# SPDX-License-Identifier: Apache-2.0
"""What the model says of one view: the finding, and its one-line JSON form.

A finding is immutable and self-contained: it holds everything a screen, a report or the clinic needs, so that nothing
has to ask the model again. Its JSON form is a contract that other programs rely on (``to_json_dict``).
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


class ModelResult(StrEnum):
    """What the device says in one word; never a diagnosis."""

    NORMAL = "normal"
    BENIGN = "benign"
    MALIGNANT = "malignant"
    UNCERTAIN = "uncertain"
    NOT_EVALUABLE = "not_evaluable"


class Caution(StrEnum):
    """Why a finding that is given deserves less trust than others; a property of its picture, not of its class."""

    UNFAMILIAR_SOURCE = "unfamiliar_source"
    """Breast ultrasound, but unlike that of the scanners that the model was trained on."""
    SINGLE_VIEW = "single_view"
    """One view of a lesion that was judged with more than one."""
    SCALE_CONTRADICTED = "scale_contradicted"
    """What the file says of its scale contradicts itself or the picture, so lengths are in pixels."""
    PHANTOM = "phantom"
    """A made-up breast for practice, no patient."""


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
        result: The word shown to the clinician.
        reason: Why the frame is not evaluable; ``None`` exactly when it is evaluable.
        probabilities: Calibrated, by class name, summing to 1; ``None`` only where nothing could be computed.
        uncertain_band: Lower and upper malignant probability between which the result is ``uncertain``.
        lesion: Outline and size, ``None`` when nothing was outlined.
        sonogram: Where in the frame the B-mode picture was found.
        heat_map: uint8 (h, w) over the sonogram box, 255 where most speaks for the class; or ``None``.
        latency_ms: From frame to finding, without decoding.
        model: ``name@version`` of the bundle.
        caution: Why the finding deserves less trust than others, the gravest reason; ``None`` for the ordinary one.
        further: Less grave reasons that hold as well, the gravest first.
        spread: How far the answers of careful consideration disagree: standard deviation of their malignant log-odds;
            ``None`` where there was one quick answer.
    """

    result: ModelResult
    reason: Reason | None
    probabilities: Mapping[str, float] | None
    uncertain_band: tuple[float, float]
    lesion: Lesion | None
    sonogram: Box
    heat_map: Pixels | None
    latency_ms: float
    model: str
    caution: Caution | None = None
    spread: float | None = None
    further: tuple[Caution, ...] = ()

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """Every reason why the finding deserves less trust than others, the gravest first."""
        return () if self.caution is None else (self.caution, *self.further)

    @property
    def evaluable(self) -> bool:
        """Whether the frame is something that the model was made for."""
        return self.reason is None

    def to_json_dict(self, file: str, frame: int, region: int = 0) -> dict[str, Any]:
        """The JSON object of ``python -m device classify --json`` for this finding.

        Args:
            file: The path as the user gave it.
            frame: Number of the frame inside the file, from 0.
            region: Number of the B-mode region inside the frame, from 0.
        """
        probabilities = None
        if self.probabilities is not None:
            probabilities = {name: round(float(self.probabilities[name]), 6) for name in CLASSES}
        return {
            "file": file,
            "frame": frame,
            "region": region,
            "evaluable": self.evaluable,
            "reason": None if self.reason is None else self.reason.value,
            "caution": None if self.caution is None else self.caution.value,
            "cautions": [caution.value for caution in self.cautions],
            "probabilities": probabilities,
            "result": self.result.value,
            "assessment": self.result.value,
            "lesion": None if self.lesion is None else _lesion_to_contract(self.lesion),
            "sonogram": list(self.sonogram),
            "latency_ms": round(self.latency_ms, 3),
            "model": self.model,
            "spread": None if self.spread is None else round(self.spread, 3),
        }


def without_model(sonogram: Box) -> Finding:
    """What is said of a frame when no model can be loaded: nothing, and why; the frame can still be kept.

    Args:
        sonogram: Where the B-mode picture lies in the frame.
    """
    return Finding(ModelResult.NOT_EVALUABLE, Reason.NO_MODEL, None, (0.0, 1.0), None, sonogram, None, 0.0, NO_MODEL)


def _lesion_to_contract(lesion: Lesion) -> dict[str, Any]:
    return {
        "box": list(lesion.box),
        "contour": [[round(x, 1), round(y, 1)] for x, y in lesion.contour],
        "long_axis_px": round(lesion.long_axis_px, 1),
        "long_axis_mm": None if lesion.long_axis_mm is None else round(lesion.long_axis_mm, 1),
    }
