# SPDX-License-Identifier: Apache-2.0
"""Careful consideration of a frozen frame: several networks on several variants of it, one answer.

The variants (test-time augmentation) are the sonogram as it is, mirrored, or slightly scaled. Each goes through both
passes and is calibrated by itself, then the log-odds are averaged (``device.inference.pooling``). The spread of the
malignant log-odds shows how far these answers disagree; beyond a limit of the bundle the answer is ``uncertain``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from device.capture.frame import Box
from device.imaging.sonogram import Sonogram
from device.inference.bundle import Bundle
from device.inference.calibration import calibrated
from device.inference.finding import CLASSES
from device.inference.manifest import Careful, LesionOutline, Preprocessing
from device.inference.pooling import mean_of_log_odds
from device.inference.runtime import Runtime
from device.inference.two_stage import TwoStageOutputs, run_two_stage

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Considered:
    """The outcome.

    Attributes:
        probabilities: (3,), averaged in log-odds.
        spread: Standard deviation of the malignant log-odds of all answers.
    """

    probabilities: Vector
    spread: float


def consider(
    bundle: Bundle, how: Careful, sonogram: Sonogram, plain: TwoStageOutputs, lesion: Box | None
) -> Considered:
    """Run what the live picture did not, and average all answers.

    Args:
        bundle: The networks.
        how: Which variants.
        sonogram: The B-mode region.
        plain: The live network's passes over it as it is.
        lesion: Where the operator says that the lesion is, in sonogram pixels.
    """
    manifest = bundle.manifest
    said = [calibrated(plain, manifest.calibration)]
    live = run_variants(bundle.runtime, manifest.preprocessing, how, manifest.lesion, sonogram, lesion, live=True)
    said += [calibrated(passes, manifest.calibration) for passes in live]
    for runtime, network in zip(bundle.further, how.further, strict=True):
        seen = run_variants(runtime, network.preprocessing, how, manifest.lesion, sonogram, lesion)
        said += [calibrated(passes, network.calibration) for passes in seen]
    every = np.array(said)
    return Considered(mean_of_log_odds(every), spread_of(every))


def run_variants(
    runtime: Runtime,
    preprocessing: Preprocessing,
    how: Careful,
    outline: LesionOutline,
    sonogram: Sonogram,
    lesion: Box | None = None,
    live: bool = False,
) -> Iterator[TwoStageOutputs]:
    """One network on every variant of the bundle; the live network has seen the sonogram as it is already."""
    for zoom, turned in product(how.zooms, (False, True) if how.mirrored else (False,)):
        if live and zoom == 1.0 and not turned:
            continue
        seen, where = mirrored(sonogram, lesion) if turned else (sonogram, lesion)
        yield run_two_stage(runtime, seen, preprocessing, outline, where, zoom)


def mirrored(sonogram: Sonogram, lesion: Box | None) -> tuple[Sonogram, Box | None]:
    """The sonogram with left and right changed, and the lesion's place in it."""
    turned = replace(sonogram, pixels=np.ascontiguousarray(sonogram.pixels[:, ::-1]))
    if lesion is None:
        return turned, None
    return turned, lesion._replace(x=sonogram.pixels.shape[1] - lesion.x - lesion.w)


def spread_of(probabilities: Vector) -> float:
    """How far answers (n, 3) disagree: standard deviation of their malignant log-odds, 0 for a single one."""
    malignant = np.clip(probabilities[:, CLASSES.index("malignant")], 1e-6, 1 - 1e-6)
    return float(np.log(malignant / (1 - malignant)).std())
