"""From a frame to a finding: two looks with one network, and what their outputs mean.

The logits of the looks (``device.inference.looks``) are weighed by parameters fitted on the int8 network's own
outputs; what is not breast ultrasound, or cannot be seen, is said to be not evaluable, and what is too close to call is
said to be uncertain.
"""

from __future__ import annotations

import time

import cv2
import numpy as np
from numpy.typing import NDArray

from device.capture.frame import Box, Frame, Pixels
from device.imaging.preprocess import Window
from device.imaging.quality import Reason, judge_quality
from device.imaging.sonogram import Sonogram, find_sonogram
from device.inference.bundle import Bundle
from device.inference.finding import CLASSES, Assessment, Finding, Lesion
from device.inference.lesion import describe_lesion
from device.inference.looks import Looks, take_looks
from device.inference.manifest import Abstention, Calibration
from device.inference.runtime import Floats, Outputs

_HEAT_SIDE = 64
"""Side of the heat map over the first look's window: the class maps have 7 by 7 places, more would pretend."""

Vector = NDArray[np.float64]


class Classifier:
    """Makes findings with one bundle; to be used from one thread at a time."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def classify(self, frame: Frame, region: Box | None = None, operator_region: Box | None = None) -> Finding:
        """What the model says of a frame.

        Args:
            frame: The frame as its source delivered it.
            region: Where the sonogram lies in the frame, if known (scanner preset); found by itself otherwise.
            operator_region: Where the operator says that the lesion is, in pixels of the frame; takes the place of the
                region that the first look found.
        """
        started = time.perf_counter()
        manifest = self.bundle.manifest
        sonogram = find_sonogram(frame, region)
        lesion = _inside(operator_region, sonogram.box)
        looks = take_looks(self.bundle.runtime, sonogram, manifest.preprocessing, manifest.lesion, lesion)
        probabilities = calibrated(looks, manifest.calibration)
        reason = self._reason(sonogram, looks.first)
        assessment = assess(probabilities, reason, manifest.abstention)
        return Finding(
            assessment=assessment,
            reason=reason,
            probabilities={name: float(p) for name, p in zip(CLASSES, probabilities, strict=True)},
            uncertain_band=(manifest.abstention.lower, manifest.abstention.upper),
            lesion=_lesion(looks, sonogram, assessment),
            sonogram=sonogram.box,
            heat_map=heat_map(looks.first.cam, looks.window, sonogram.box, int(probabilities.argmax())),
            latency_ms=(time.perf_counter() - started) * 1e3,
            model=manifest.label,
        )

    def _reason(self, sonogram: Sonogram, first: Outputs) -> Reason | None:
        reason = judge_quality(sonogram)
        if reason is None and self.bundle.familiar.distance(first.embedding) > self.bundle.manifest.rejection.limit:
            return Reason.NOT_BREAST_ULTRASOUND
        return reason


def calibrated(looks: Looks, how: Calibration) -> Vector:
    """Probabilities (3,) in the order of ``CLASSES``, summing to 1."""
    if looks.second is None:
        scores = how.single_whole * looks.first.logits + np.array(how.single_bias)
    else:
        scores = how.whole * looks.first.logits + how.lesion * looks.second.logits + np.array(how.bias)
    weights = np.exp(scores - scores.max())
    return np.asarray(weights / weights.sum())


def assess(probabilities: Vector, reason: Reason | None, abstention: Abstention) -> Assessment:
    """The word for calibrated probabilities.

    Under the uncertain band the likelier of the other two classes is named, inside it ``uncertain``, above it
    ``malignant``.
    """
    if reason is not None:
        return Assessment.NOT_EVALUABLE
    malignant = float(probabilities[CLASSES.index("malignant")])
    if malignant > abstention.upper:
        return Assessment.MALIGNANT
    if malignant >= abstention.lower:
        return Assessment.UNCERTAIN
    return Assessment.NORMAL if probabilities[0] >= probabilities[1] else Assessment.BENIGN


def heat_map(cam: Floats, window: Window, sonogram: Box, chosen: int) -> Pixels:
    """Where the first look speaks for a class, over the sonogram: uint8, 255 where it is certain.

    Args:
        cam: (h, w, 3) class maps over the window.
        window: What the first look saw; holds the whole sonogram.
        sonogram: Where the sonogram lies in the frame.
        chosen: Index of the class.
    """
    weights = np.exp(cam - cam.max(axis=2, keepdims=True))
    share = np.ascontiguousarray(weights[..., chosen] / weights.sum(axis=2), dtype=np.float32)
    fine = cv2.resize(share, (_HEAT_SIDE, _HEAT_SIDE), interpolation=cv2.INTER_CUBIC)
    scale = _HEAT_SIDE / window.side
    x, y = round(-window.x * scale), round(-window.y * scale)
    w, h = max(1, round(sonogram.w * scale)), max(1, round(sonogram.h * scale))
    return np.asarray(np.clip(fine[y : y + h, x : x + w] * 255.0, 0, 255), dtype=np.uint8)


def _inside(region: Box | None, sonogram: Box) -> Box | None:
    """A region of the frame in sonogram pixels; ``None`` when it lies outside or is not given."""
    if region is None:
        return None
    moved = Box(region.x - sonogram.x, region.y - sonogram.y, region.w, region.h).clipped(sonogram.w, sonogram.h)
    return moved if moved.area > 0 else None


def _lesion(looks: Looks, sonogram: Sonogram, assessment: Assessment) -> Lesion | None:
    """The outline, except where the assessment says that there is no lesion."""
    if looks.contour is None or assessment is Assessment.NORMAL:
        return None
    return describe_lesion(looks.contour, sonogram.box, sonogram.spacing)
