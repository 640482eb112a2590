# SPDX-License-Identifier: Apache-2.0
"""From a frame to a finding: two passes with one network, and what their outputs mean.

The logits of the passes (``device.inference.two_stage``) are weighed by parameters fitted on the int8 network's own
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
from device.inference.calibration import calibrated, softmax
from device.inference.careful import consider
from device.inference.decision import decide, wider
from device.inference.finding import CLASSES, Caution, Finding, Lesion, ModelResult
from device.inference.ood.source import judge_source
from device.inference.outline.contour import describe_lesion
from device.inference.runtime import Floats, Outputs
from device.inference.site import SiteProfile
from device.inference.two_stage import TwoStageOutputs, run_two_stage

_HEAT_SIDE = 64
"""Side of the heat map over the first pass's window: the class maps have 6 or 7 places a side, more would pretend."""

Vector = NDArray[np.float64]


class Classifier:
    """Makes findings with one bundle; to be used from one thread at a time.

    Attributes:
        bundle: The networks and their limits.
        careful: Whether to run all variants and networks of the bundle (``device.inference.careful``) where the call
            does not say so itself; without a difference where the bundle has one network and no variants.
        site: What the clinic has fitted to its own scanner and cases.
    """

    def __init__(self, bundle: Bundle, careful: bool = False, site: SiteProfile | None = None) -> None:
        self.bundle = bundle
        self.careful = careful
        self.site = site

    def classify(
        self, frame: Frame, region: Box | None = None, operator_region: Box | None = None, careful: bool | None = None
    ) -> Finding:
        """What the model says of a frame.

        Args:
            frame: The frame as its source delivered it.
            region: Where the sonogram lies in the frame, if known (scanner preset); found by itself otherwise.
            operator_region: Where the operator says that the lesion is, in pixels of the frame; takes the place of the
                region that the first pass found.
            careful: Instead of what the classifier was made with.
        """
        started = time.perf_counter()
        manifest = self.bundle.manifest
        sonogram = find_sonogram(frame, region)
        lesion = _inside(operator_region, sonogram.box)
        passes = run_two_stage(self.bundle.runtime, sonogram, manifest.preprocessing, manifest.lesion, lesion)
        probabilities, band, spread = calibrated(passes, manifest.calibration), manifest.abstention, None
        if (self.careful if careful is None else careful) and manifest.careful is not None:
            considered = consider(self.bundle, manifest.careful, sonogram, passes, lesion)
            probabilities, band, spread = considered.probabilities, manifest.careful.abstention, considered.spread
        local = None if self.site is None else self.site.limits
        if local is not None and local.careful is (spread is not None):
            band = local.abstention
        reason, caution = self.judge(sonogram, passes.first)
        if caution is Caution.UNFAMILIAR_SOURCE and manifest.source is not None:
            band = wider(band, manifest.source.abstention)
        result = decide(probabilities, reason, band)
        disagree = manifest.careful is not None and spread is not None and spread > manifest.careful.spread_limit
        if disagree and result is not ModelResult.NOT_EVALUABLE:
            result = ModelResult.UNCERTAIN
        cautions = _cautions(frame, sonogram, caution)
        return Finding(
            result=result,
            reason=reason,
            probabilities={name: float(p) for name, p in zip(CLASSES, probabilities, strict=True)},
            uncertain_band=(band.lower, band.upper),
            lesion=_lesion(passes, sonogram, result),
            sonogram=sonogram.box,
            heat_map=heat_map(passes.first.cam, passes.window, sonogram.box, int(probabilities.argmax())),
            latency_ms=(time.perf_counter() - started) * 1e3,
            model=manifest.label if self.site is None else f"{manifest.label}+{self.site.label}",
            caution=cautions[0] if cautions else None,
            spread=spread,
            further=tuple(cautions[1:]),
        )

    def judge(self, sonogram: Sonogram, first: Outputs) -> tuple[Reason | None, Caution | None]:
        """Why the frame is not evaluable, or why its finding deserves less trust."""
        reason = judge_quality(sonogram)
        if reason is not None:
            return reason, None
        bundle, manifest = self.bundle, self.bundle.manifest
        limit = manifest.rejection.limit
        source = judge_source(first.embedding, bundle.in_distribution, bundle.head, limit, manifest.source)
        if source is not None and self.site is not None:
            # Both the picture as it is and as if it came from a training scanner must be out of distribution.
            here = self.site.standardised(first.embedding, bundle.head)
            source = judge_source(here, bundle.in_distribution, bundle.head, limit, manifest.source)
        return (None, source) if isinstance(source, Caution) else (source, None)


def _cautions(frame: Frame, sonogram: Sonogram, source: Caution | None) -> list[Caution]:
    """Reasons for less trust, the gravest first: a phantom, the source's caution, a scale that is not believed.

    A scale is not believed for what the file says of it, or for the size of this sonogram.
    """
    dropped = frame.spacing is not None and sonogram.spacing is None
    scale = Caution.SCALE_CONTRADICTED if frame.scale_contradicted or dropped else None
    held = (Caution.PHANTOM if frame.phantom else None, source, scale)
    return [caution for caution in held if caution is not None]


def heat_map(cam: Floats, window: Window, sonogram: Box, chosen: int) -> Pixels:
    """Where the first pass speaks for a class, over the sonogram: uint8, 255 where it is certain.

    Args:
        cam: (h, w, 3) class maps over the window.
        window: What the first pass saw; holds the whole sonogram.
        sonogram: Where the sonogram lies in the frame.
        chosen: Index of the class.
    """
    share = np.ascontiguousarray(softmax(cam)[..., chosen], dtype=np.float32)
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


def _lesion(passes: TwoStageOutputs, sonogram: Sonogram, result: ModelResult) -> Lesion | None:
    """The outline, except where the result says that there is no lesion."""
    if passes.contour is None or result is ModelResult.NORMAL:
        return None
    return describe_lesion(passes.contour, sonogram.box, sonogram.spacing)
