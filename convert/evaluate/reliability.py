# SPDX-License-Identifier: Apache-2.0
"""How far a stated probability can be believed, and what is gained by staying silent on the least certain images.

Like ``convert.evaluate.metrics``, everything takes weights (draws, n), one row of ones for the plain figure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convert.evaluate.metrics import MALIGNANT, Bools, Floats, once, ratio
from convert.evaluate.predictions import Predictions
from device.inference.finding import CLASSES

BINS = 15
"""Equal-width bins of confidence, as in Guo et al. 2017; their upper edges belong to them."""


def calibration_figures(predictions: Predictions, weights: Floats) -> dict[str, Floats]:
    """Expected calibration errors, Brier scores and the area under the risk-coverage curve.

    ``ece`` takes the confidence in the most probable class (Guo et al., "On calibration of modern neural networks",
    ICML 2017), ``ece_malignant`` the malignant probability itself. ``brier`` sums the squared error over the classes
    (Brier 1950, 0 to 2), ``brier_malignant`` is that of malignant against the rest (0 to 1).

    Args:
        predictions: n images.
        weights: (draws, n).

    Returns:
        (draws,) for each name.
    """
    probabilities = predictions.probabilities
    confidence, right = probabilities.max(1), predictions.predicted == predictions.labels
    malignant = predictions.labels == MALIGNANT
    total = weights.sum(1)
    squares = ((probabilities - np.eye(len(CLASSES))[predictions.labels]) ** 2).sum(1)
    return {
        "ece": calibration_error(confidence, right, weights),
        "ece_malignant": calibration_error(predictions.malignant, malignant, weights),
        "brier": ratio(weights @ squares, total),
        "brier_malignant": ratio(weights @ (predictions.malignant - malignant) ** 2, total),
        "aurc": area_under_risk(confidence, ~right, weights),
    }


def calibration_error(confidence: Floats, true: Bools, weights: Floats) -> Floats:
    """Expected calibration error: mean over the ``BINS`` bins, by size, of |share that came true - mean confidence|.

    Args:
        confidence: (n,) stated probabilities, 0 to 1.
        true: bool (n,), whether what was stated came true.
        weights: (draws, n).

    Returns:
        (draws,). Few images in a bin make it too large, by chance alone.
    """
    gaps = np.eye(BINS)[_bin(confidence)] * (true - confidence)[:, None]
    return ratio(np.abs(weights @ gaps).sum(1), weights.sum(1))


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityBins:
    """A reliability diagram as numbers; bins without an image are NaN.

    Attributes:
        edges: (``BINS`` + 1,).
        count: (``BINS``,) images.
        confidence: (``BINS``,) mean stated probability.
        share: (``BINS``,) share that came true.
    """

    edges: Floats
    count: Floats
    confidence: Floats
    share: Floats


def reliability_bins(confidence: Floats, true: Bools) -> ReliabilityBins:
    """Sort stated probabilities into equal-width bins (DeGroot and Fienberg 1983).

    Args:
        confidence: (n,) stated probabilities, 0 to 1.
        true: bool (n,), whether what was stated came true.
    """
    members = np.eye(BINS)[_bin(confidence)]
    count = members.sum(0)
    return ReliabilityBins(
        edges=np.linspace(0, 1, BINS + 1),
        count=count,
        confidence=ratio(confidence @ members, count),
        share=ratio(true.astype(np.float64) @ members, count),
    )


@dataclass(frozen=True, slots=True, eq=False)
class RiskCoverage:
    """What share of the answers is wrong if only the most certain ones are given.

    Attributes:
        confidence: (k,) distinct confidences, falling: the least one that is still answered.
        coverage: (k,) share of images answered, rising to 1.
        risk: (k,) share of wrong answers among these.
        area: Area under the curve (AURC): the mean risk over all coverages.
    """

    confidence: Floats
    coverage: Floats
    risk: Floats
    area: float


def risk_coverage(confidence: Floats, wrong: Bools) -> RiskCoverage:
    """Risk-coverage curve of selective classification (El-Yaniv and Wiener 2010; AURC: Geifman et al. 2019).

    Args:
        confidence: (n,), higher for more certain; images of equal confidence can only be answered together.
        wrong: bool (n,), whether the answer is wrong.
    """
    weights = once(len(confidence))
    levels, answered, lost = _cumulated(confidence, wrong, weights)
    area = float(area_under_risk(confidence, wrong, weights)[0])
    return RiskCoverage(levels, answered[0] / max(len(confidence), 1), ratio(lost[0], answered[0]), area)


def area_under_risk(confidence: Floats, wrong: Bools, weights: Floats) -> Floats:
    """Area under the risk-coverage curve of each draw, (draws,), 0 to 1, less is better."""
    _, answered, lost = _cumulated(confidence, wrong, weights)
    newly = np.diff(answered, axis=1, prepend=0.0)
    risk = np.divide(lost, answered, out=np.zeros_like(lost), where=answered > 0)
    return ratio((risk * newly).sum(1), weights.sum(1))


def _cumulated(confidence: Floats, wrong: Bools, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Distinct confidences (k,), falling, and the weights (draws, k) of what is answered, and wrongly, down to each."""
    levels, block = np.unique(-confidence, return_inverse=True)
    order = np.argsort(block, kind="stable")
    ends = np.searchsorted(block[order], np.arange(len(levels)), side="right") - 1
    ordered = weights[:, order]
    return -levels, np.cumsum(ordered, axis=1)[:, ends], np.cumsum(ordered * wrong[order], axis=1)[:, ends]


def _bin(confidence: Floats) -> NDArray[np.int64]:
    return np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
