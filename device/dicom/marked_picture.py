# SPDX-License-Identifier: Apache-2.0
"""The picture that a reader sees beside the untouched one: outline, long axis and a caption, burned in.

Some viewers cannot draw the outline out of a report, so the clinic also gets this picture. The caption stands on a
strip below the frame, never on it, and says in every picture what it must not be taken for. The marks are those of the
screen and of the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from device.capture.frame import Pixels, Point
from device.imaging.marks.annotations import Marks, draw
from device.inference.finding import Finding, ModelResult

TEXT_RGB = (235, 235, 235)

_CAPTION_HEIGHT = 44
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WORDS = {
    ModelResult.NORMAL: "normal",
    ModelResult.BENIGN: "benign",
    ModelResult.MALIGNANT: "malignant",
    ModelResult.UNCERTAIN: "uncertain",
    ModelResult.NOT_EVALUABLE: "not evaluable",
}


def burn_in(
    frame: Pixels,
    finding: Finding,
    caption: str,
    callipers: Sequence[tuple[Point, Point]] = (),
    *,
    watermark: str = "",
) -> Pixels:
    """Draw a finding over a copy of its frame.

    Args:
        frame: uint8 (h, w) or (h, w, 3) RGB.
        finding: What is drawn; its coordinates are pixels of this frame.
        caption: Second line below the picture, ASCII (the drawing font knows nothing else).
        callipers: The clinician's own measurements, each by its two ends.
        watermark: Word across the picture; empty for none.

    Returns:
        uint8 (h + 44, w, 3) RGB: the frame at its own size, then the strip with the caption.
    """
    marks = Marks(callipers=callipers, watermark=watermark)
    if finding.lesion is not None:
        marks = replace(marks, contour=finding.lesion.contour, long_axis=finding.lesion.long_axis)
    picture = draw(frame, marks)
    strip = np.zeros((_CAPTION_HEIGHT, picture.shape[1], 3), np.uint8)
    for line, text in enumerate((first_line(finding), caption)):
        _write(strip, text, 17 + 19 * line)
    return np.vstack([picture, strip])


def first_line(finding: Finding) -> str:
    """What the model says, in one line."""
    word = _WORDS[finding.result]
    if finding.reason is not None:
        word += f" ({finding.reason.value.replace('_', ' ')})"
    parts = [f"Model says: {word}"]
    if finding.probabilities is not None:
        parts.append(f"probability of malignant {finding.probabilities['malignant'] * 100:.0f} %")
    if finding.lesion is not None:
        lesion = finding.lesion
        known = lesion.long_axis_mm is not None
        parts.append(f"long axis {lesion.long_axis_mm:.1f} mm" if known else f"long axis {lesion.long_axis_px:.0f} px")
    return ", ".join([*parts, finding.model])


def _write(strip: Pixels, text: str, baseline: int) -> None:
    """One line of text, made smaller until it fits the width."""
    scale = 0.5
    while cv2.getTextSize(text, _FONT, scale, 1)[0][0] > strip.shape[1] - 8 and scale > 0.2:
        scale -= 0.05
    cv2.putText(strip, text, (4, baseline), _FONT, scale, TEXT_RGB, 1, cv2.LINE_AA)
