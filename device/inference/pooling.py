# SPDX-License-Identifier: Apache-2.0
"""Several opinions on the same lesion made one: probabilities averaged in log-odds, as experts are pooled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device.inference.calibration import softmax

_LEAST = 1e-6
"""A probability under this counts as this much: one answer that is wrongly certain must not outweigh all others."""


def mean_of_log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithmic opinion pool of probabilities (n, 3) with equal weights: (3,), summing to 1."""
    logs = np.log(np.maximum(probabilities, _LEAST)).mean(axis=0)
    return softmax(logs)
