# SPDX-License-Identifier: Apache-2.0
"""Beside the plain figures: is the int8 network still the float one, and does it turn OOD pictures away?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from convert.evaluate.intervals import Estimate, difference, draw_weights, figures
from convert.evaluate.metrics import Bools, Floats, once, ratio
from convert.evaluate.predictions import UNDECIDED, Predictions


def agreement(original: Predictions, quantised: Predictions) -> dict[str, Estimate]:
    """How far quantisation changed the answers, with 95 % intervals.

    Args:
        original: Of the float network.
        quantised: Of the int8 network, on the same images in the same order.

    Returns:
        ``same_assessment`` (share of images for which both say the same word under the limits in force),
        ``same_class`` (the same most probable class), ``auc_lost`` malignant against the rest and
        ``auc_lost_benign_vs_malignant`` (positive where float is better), ``mean_probability_change`` (mean absolute
        change of the malignant probability).

    Raises:
        ValueError: The two are not about the same images in the same order.
    """
    lost = {
        "auc_lost": difference(original, quantised, "auc_malignant_vs_rest"),
        "auc_lost_benign_vs_malignant": difference(original, quantised, "auc_benign_vs_malignant"),
    }
    said = (original.decisions != UNDECIDED) & (quantised.decisions != UNDECIDED)
    same_word = said & (original.decisions == quantised.decisions)
    same_class = original.predicted == quantised.predicted
    change = np.abs(original.malignant - quantised.malignant)

    def shares(predictions: Predictions, weights: Floats) -> Mapping[str, Floats]:
        total = weights.sum(1)
        return {
            "same_assessment": ratio(weights @ same_word, weights @ said),
            "same_class": ratio(weights @ same_class, total),
            "mean_probability_change": ratio(weights @ change, total),
        }

    return lost | figures(original, [shares])


def share_with_interval(hit: Bools, groups: NDArray[np.str_]) -> Estimate:
    """Share of images for which something holds, with its group-wise 95 % interval.

    Args:
        hit: bool (n,).
        groups: (n,) group of each image; give every image its own where there are none.
    """
    drawn = draw_weights(groups)
    sampled = ratio(drawn @ hit, drawn.sum(1))
    value = float(ratio(once(len(hit)) @ hit, once(len(hit)).sum(1))[0])
    if not len(hit):
        return Estimate(value)
    low, high = np.percentile(sampled, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def rejected(scores: Floats, limit: float) -> Bools:
    """Which images are refused as not breast ultrasound: their OOD score exceeds the limit, (n,).

    Args:
        scores: (n,) OOD scores, higher further out; not finite counts as out of distribution.
        limit: From ``convert.release.ood_limits``.
    """
    return ~(scores <= limit)


def ood_detection(
    breast: Floats, groups: NDArray[np.str_], ood: Mapping[str, Floats], limit: float
) -> dict[str, Estimate]:
    """What an OOD limit does on images that it was not chosen on.

    Args:
        breast: OOD scores of breast frames, (n,).
        groups: Their groups, (n,).
        ood: OOD scores of images that are no breast ultrasound, by kind.
        limit: From ``convert.release.ood_limits``.

    Returns:
        ``breast_lost``, ``rejected`` (all kinds together) and ``rejected_<kind>``, each a share with its interval.
    """
    together = np.concatenate([np.zeros(0), *ood.values()])
    result = {
        "breast_lost": share_with_interval(rejected(breast, limit), groups),
        "rejected": _alone(rejected(together, limit)),
    }
    return result | {f"rejected_{kind}": _alone(rejected(scores, limit)) for kind, scores in ood.items()}


def _alone(hit: Bools) -> Estimate:
    """A share of independent images with Wilson's score interval (1927), which also tells 40 of 40 from 4 of 4."""
    if not len(hit):
        return Estimate(float("nan"))
    interval = binomtest(int(hit.sum()), len(hit)).proportion_ci(0.95, method="wilson")
    return Estimate(float(hit.mean()), float(interval.low), float(interval.high))
