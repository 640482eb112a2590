# SPDX-License-Identifier: Apache-2.0
"""From the logits of both passes to probabilities, with the parameters that the bundle brings along.

For many pictures at once, because ``convert`` fits the parameters and evaluates with the formula of the handheld.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from device.inference.manifest import Calibration
from device.inference.two_stage import TwoStageOutputs

Vector = NDArray[np.float64]
_Scores = TypeVar("_Scores", NDArray[np.float32], NDArray[np.float64])


def softmax(scores: _Scores) -> _Scores:
    """Along the last axis; the largest score is taken off first, so that no exponential overflows."""
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: _Scores = weights / weights.sum(axis=-1, keepdims=True)
    return shares


def calibrated_probabilities(first: Vector, second: Vector, how: Calibration) -> Vector:
    """Probabilities (n, 3) in the order of ``CLASSES``, rows summing to 1.

    Args:
        first: Logits of the whole sonogram, (n, 3).
        second: Logits of the lesion, (n, 3), rows of NaN where none was found.
        how: The calibration.
    """
    alone = np.isnan(second).any(axis=1, keepdims=True)
    both = how.whole * first + how.lesion * second + np.array(how.bias)
    return softmax(np.where(alone, how.single_whole * first + np.array(how.single_bias), both))


def calibrated(passes: TwoStageOutputs, how: Calibration) -> Vector:
    """Probabilities (3,) of one picture."""
    first = np.asarray(passes.first.logits, np.float64)
    second = np.full_like(first, np.nan) if passes.second is None else np.asarray(passes.second.logits, np.float64)
    return np.asarray(calibrated_probabilities(first[None], second[None], how)[0])
