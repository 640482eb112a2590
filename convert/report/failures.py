# SPDX-License-Identifier: Apache-2.0
"""Which images the model got most confidently wrong, for a contact sheet made at run time.

The sheet shows real images: it is written where the user says and never becomes part of the project.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.data.corpus import load_example
from convert.data.datasets.sample import Sample
from convert.evaluate.batch_inference import OUTLINE
from convert.evaluate.model_under_test import ModelUnderTest
from convert.evaluate.predictions import UNCERTAIN, UNDECIDED, Predictions
from convert.report.plots import Tile, plot_contact_sheet
from device.capture.frame import Pixels
from device.inference.finding import CLASSES
from device.inference.outline.contour import Contour
from device.inference.runtime import Runtime
from device.inference.two_stage import run_two_stage

SHEET = "failures.png"

TileMaker = Callable[[str, str], Tile]
"""From the key of an image and a caption to its tile."""


def worst_failures(predictions: Predictions, count: int) -> NDArray[np.int64]:
    """Positions of the wrong answers, the one with the least probability for the true class first.

    Where decisions were applied, an image counts as wrong if it was answered with another class than its own: being
    called uncertain or not evaluable is no failure.

    Args:
        predictions: n images.
        count: At most so many.

    Returns:
        int64 (k,), k at most ``count``.
    """
    answer = np.where(predictions.decisions == UNDECIDED, predictions.predicted, predictions.decisions)
    wrong = np.flatnonzero((answer != predictions.labels) & (answer < UNCERTAIN))
    true_class = predictions.probabilities[wrong, predictions.labels[wrong]]
    return np.asarray(wrong[np.argsort(true_class, kind="stable")][:count], np.int64)


def failure_sheet(predictions: Predictions, tile: TileMaker, path: Path, count: int = 24) -> int:
    """Draw the worst failures.

    Args:
        predictions: n images.
        tile: Makes the tile of an image, with outlines if there are any.
        path: The PNG file.
        count: At most so many.

    Returns:
        How many were drawn; nothing is written where nothing failed.
    """
    worst = worst_failures(predictions, count)
    if len(worst):
        tiles = [tile(str(predictions.keys[i]), _caption(predictions, int(i))) for i in worst]
        plot_contact_sheet(tiles, path, "Most confident mistakes")
    return len(worst)


def draw_failures(
    predictions: Predictions, samples: Sequence[Sample], tested_by: Callable[[str], ModelUnderTest], folder: Path
) -> None:
    """Draw the worst failures with the true and the found outline into ``failures.png``.

    Args:
        predictions: What the int8 networks said.
        samples: At least those that were tested.
        tested_by: From the key of an image to what tested it.
        folder: Where the sheet goes; an older one is taken away where nothing failed.
    """
    by_key = {sample.key: sample for sample in samples}
    (folder / SHEET).unlink(missing_ok=True)
    drawn = failure_sheet(predictions, lambda key, caption: _tile(by_key[key], tested_by(key), caption), folder / SHEET)
    print(f"{drawn} worst failures are shown in {folder / SHEET}; it holds images of the data sets", file=sys.stderr)


def _tile(sample: Sample, model: ModelUnderTest, caption: str) -> Tile:
    example = load_example(sample)
    passes = run_two_stage(Runtime(model.int8), example.sonogram, model.how, OUTLINE)
    return Tile(example.sonogram.pixels, caption, _points(_outline(example.mask)), _points(passes.contour))


def _outline(mask: Pixels) -> Contour | None:
    """Outline of the largest true lesion, ``None`` without one."""
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not found:
        return None
    return np.asarray(max(found, key=cv2.contourArea)[:, 0, :], np.float64)


def _points(contour: Contour | None) -> list[tuple[float, float]]:
    return [] if contour is None else [(float(x), float(y)) for x, y in contour]


def _caption(predictions: Predictions, index: int) -> str:
    stated = ", ".join(f"{name[0]} {p:.2f}" for name, p in zip(CLASSES, predictions.probabilities[index], strict=True))
    return f"{predictions.keys[index]}\ntrue: {CLASSES[predictions.labels[index]]}; said: {stated}"
