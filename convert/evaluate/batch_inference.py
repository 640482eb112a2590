# SPDX-License-Identifier: Apache-2.0
"""Run a converted network over examples exactly as the device would, and keep what it said.

Everything after training (calibration, OOD limits, figures) is computed from these tables, for the int8 and the
float network alike, through the device's own two passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from convert.data.corpus import Example
from convert.evaluate.metrics import dice
from device.imaging.preprocess import whole_window
from device.imaging.sonogram import Sonogram
from device.inference.finding import CLASSES
from device.inference.manifest import LesionOutline, Preprocessing
from device.inference.outline.contour import Contour
from device.inference.runtime import Runtime
from device.inference.two_stage import run_crop, run_two_stage

OUTLINE = LesionOutline(threshold=0.5, smallest_share=0.0025)
"""An even threshold, since the mask's loss is symmetric about it; the smallest area is a twentieth of the window's
side, squared: under this a mask of 48 by 48 has less than six cells."""


@dataclass(frozen=True, slots=True, eq=False)
class RawOutputs:
    """What a network said of n sonograms, before calibration.

    Attributes:
        first: float64 (n, 3) logits of the whole sonogram.
        second: float64 (n, 3) logits of the lesion at its own scale; NaN rows where no lesion was found.
        embeddings: float32 (n, d) of the first pass.
        dice: float64 (n,) overlap of the outlined with the true lesion, NaN where there is no true one.
    """

    first: NDArray[np.float64]
    second: NDArray[np.float64]
    embeddings: NDArray[np.float32]
    dice: NDArray[np.float64]

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> RawOutputs:
        """The rows that a boolean mask (n,) or a list of positions chooses."""
        return RawOutputs(self.first[chosen], self.second[chosen], self.embeddings[chosen], self.dice[chosen])


def infer_examples(network: Path, examples: Sequence[Example], how: Preprocessing, quiet: bool = False) -> RawOutputs:
    """Take both passes over every example with a ``.tflite`` network, with a progress bar."""
    table, contours = _run_all(network, [example.sonogram for example in examples], how, quiet)
    pairs = zip(examples, contours, strict=True)
    overlaps = [np.nan if example.lesion is None else _overlap(example, contour) for example, contour in pairs]
    return RawOutputs(table.first, table.second, table.embeddings, np.array(overlaps, np.float64))


def infer_sonograms(network: Path, sonograms: Sequence[Sonogram], how: Preprocessing) -> RawOutputs:
    """Take both passes over sonograms that have no truth, for instance pictures that must be rejected."""
    return _run_all(network, sonograms, how, quiet=True)[0]


def embeddings_of(network: Path, sonograms: Sequence[Sonogram], quiet: bool = True) -> NDArray[np.float32]:
    """Embeddings (n, d) of whole sonograms: the first pass alone, in half the time."""
    runtime = Runtime(network, threads=2)
    found = []
    for sonogram in track(sonograms, f"embedding with {network.name}", disable=quiet):
        height, width = sonogram.pixels.shape
        found.append(run_crop(runtime, sonogram, whole_window(width, height)).embedding)
    return np.array(found, np.float32)


def _run_all(
    network: Path, sonograms: Sequence[Sonogram], how: Preprocessing, quiet: bool
) -> tuple[RawOutputs, list[Contour | None]]:
    runtime = Runtime(network, threads=2)
    first, second, embeddings, contours = [], [], [], []
    for sonogram in track(sonograms, f"looking with {network.name}", disable=quiet):
        passes = run_two_stage(runtime, sonogram, how, OUTLINE)
        first.append(passes.first.logits)
        second.append(np.full(len(CLASSES), np.nan) if passes.second is None else passes.second.logits)
        embeddings.append(passes.first.embedding)
        contours.append(passes.contour)
    nowhere = np.full(len(first), np.nan)
    return RawOutputs(np.array(first), np.array(second), np.array(embeddings, np.float32), nowhere), contours


def _overlap(example: Example, contour: Contour | None) -> float:
    """Dice of the outline, filled, with the true mask at the sonogram's resolution."""
    found = np.zeros(example.mask.shape, np.uint8)
    if contour is not None:
        cv2.fillPoly(found, [np.rint(contour).astype(np.int32)], 1)
    return float(dice(found[None] > 0, example.mask[None] > 0)[0])
