# SPDX-License-Identifier: Apache-2.0
"""From calibrated probabilities to a result, by the limits of the bundle.

For many pictures at once, because ``convert`` evaluates by the same rule that the handheld acts on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device.imaging.quality import Reason
from device.inference.finding import CLASSES, ModelResult
from device.inference.manifest import Abstention

Vector = NDArray[np.float64]

RESULTS = tuple(ModelResult)
"""By the index that ``decide_classes`` gives: the classes in their order, then ``UNCERTAIN``."""

_NORMAL, _BENIGN, _MALIGNANT, _UNCERTAIN = (
    RESULTS.index(each)
    for each in (ModelResult.NORMAL, ModelResult.BENIGN, ModelResult.MALIGNANT, ModelResult.UNCERTAIN)
)


def decide_classes(probabilities: Vector, abstention: Abstention) -> NDArray[np.int64]:
    """The results of pictures that are evaluable.

    Under the uncertain band the likelier of the other two classes is named, inside it ``uncertain``, above it
    ``malignant``.

    Args:
        probabilities: (n, 3), calibrated.
        abstention: The uncertain band.

    Returns:
        int64 (n,), indices into ``RESULTS``.
    """
    malignant = probabilities[:, CLASSES.index("malignant")]
    result = np.where(probabilities[:, 0] >= probabilities[:, 1], _NORMAL, _BENIGN)
    result = np.where(malignant >= abstention.lower, _UNCERTAIN, result)
    return np.asarray(np.where(malignant > abstention.upper, _MALIGNANT, result), np.int64)


def decide(probabilities: Vector, reason: Reason | None, abstention: Abstention) -> ModelResult:
    """The result of one picture with probabilities (3,), not evaluable where there is a reason for it."""
    if reason is not None:
        return ModelResult.NOT_EVALUABLE
    return RESULTS[int(decide_classes(probabilities[None], abstention)[0])]


def wider(one: Abstention, other: Abstention) -> Abstention:
    """The smallest uncertain band that holds both."""
    return Abstention(lower=min(one.lower, other.lower), upper=max(one.upper, other.upper))
