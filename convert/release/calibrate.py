# SPDX-License-Identifier: Apache-2.0
"""From the int8 network's logits to calibrated probabilities, and to the thresholds that the handheld acts on.

Everything here is chosen on the calibration part of a split: the functions take its logits or probabilities and have
no way to a test image. They return the very parts of the manifest that the device reads, and the device's own formulas
apply them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, logit

from convert.evaluate.metrics import MALIGNANT, Floats
from device.inference.finding import CLASSES
from device.inference.manifest import Abstention, Calibration, OperatingPoint

RIDGE = 1.0
"""Pull towards the plain average of both passes, in units of one image's log-likelihood."""

TIE = 100.0
"""Pull of both passes towards equal weights, in the same units. On images like those of training the first pass alone
is nearly as good, so a free fit prefers it; on a hospital left out of training equal weights were the best of all
mixtures (benign against malignant AUC 0.914, the first pass alone 0.888, the second alone 0.894: BUS-UCLM left out)."""

BORROWED = 20
"""How many images' weight the first passes of images with a second pass have for those without one."""

MORE_LIKELY_THAN_NOT = 0.5
"""Of malignancy; also where BI-RADS 4C, high suspicion, begins (ACR BI-RADS Atlas, 5th edition)."""

HOME_SENSITIVITY = 0.97
"""What operating points are chosen for on the calibration part. A threshold loses sensitivity on its way to another
hospital: chosen for 0.95 it gave 0.925 there, chosen for 0.97 it gave 0.949, with careful consideration 0.948 (means
over five sets left out in turn, three seeds; docs/model-development.md)."""

Labels = NDArray[np.int64]
Triple = tuple[float, float, float]


def fit_calibration(
    first: Floats, second: Floats, labels: Labels, weights: Floats | None = None, ridge: float = RIDGE, tie: float = TIE
) -> Calibration:
    """Weights of both passes and a bias per class, by penalised multinomial likelihood (a convex problem).

    This is matrix scaling with its matrix reduced to one number per pass (Guo et al., ICML 2017, section 4.2), so that
    a few hundred images determine it. Images without a second pass are mostly those in which no lesion was found. Their
    own parameters are fitted on them, and because they may be few, the first passes of the other images are added with
    the weight of ``BORROWED`` images.

    Args:
        first: Logits of the first pass, (n, 3), of the int8 network.
        second: Logits of the second pass, (n, 3), rows of NaN where there was none.
        labels: True classes, (n,).
        weights: How much each image counts, (n,); equally by default.
        ridge: Strength of the pull towards the plain average.
        tie: Strength of the pull towards equal weights; 0 for both is plain maximum likelihood.

    Raises:
        ValueError: There is no image, or shapes do not fit.
    """
    weights = _checked(first, second, labels, weights)
    pair = ~np.isnan(second).any(axis=1)
    together = np.stack([first, second], axis=1)[pair]
    both = _fit(together, labels[pair], weights[pair], np.array([0.5, 0.5, 0, 0, 0]), ridge, tie)
    borrowed = np.where(pair, weights * min(1.0, BORROWED / max(1.0, weights[pair].sum())), weights)
    single = _fit(first[:, None], labels, borrowed, np.array([1.0, 0, 0, 0]), ridge)
    return Calibration(
        whole=both[0],
        lesion=both[1],
        bias=_triple(both[2:]),
        single_whole=single[0],
        single_bias=_triple(single[1:]),
    )


def operating_point(malignant: Floats, labels: Labels, target: float = HOME_SENSITIVITY) -> OperatingPoint:
    """The highest threshold whose sensitivity on the calibration part is at least the target.

    It lies halfway to the next lower probability, so that rounding on another runtime does not push an image over it.

    Args:
        malignant: Malignant probabilities, (n,).
        labels: True classes, (n,).
        target: Sensitivity wanted.

    Raises:
        ValueError: There is no malignant or no other image to choose it on.
    """
    truth = labels == MALIGNANT
    if not truth.any() or truth.all():
        raise ValueError("an operating point needs malignant and other images in the calibration part")
    falling = np.sort(malignant[truth])[::-1]
    needed = falling[int(np.ceil(target * len(falling) - 1e-9)) - 1]
    lower = malignant[malignant < needed]
    threshold = float((needed + lower.max()) / 2) if len(lower) else 0.0
    called = malignant >= threshold
    return OperatingPoint(
        name=f"sensitivity_{round(target * 100)}",
        malignant_threshold=threshold,
        target_sensitivity=target,
        sensitivity=float(called[truth].mean()),
        specificity=float((~called)[~truth].mean()),
    )


@dataclass(frozen=True, slots=True)
class Band:
    """An uncertain band and what it does on the calibration part.

    Attributes:
        abstention: The band.
        npv: Share of not malignant images below it.
        ppv: Share of malignant images above it.
        coverage: Share of images outside it.
    """

    abstention: Abstention
    npv: float
    ppv: float
    coverage: float


def uncertain_band(malignant: Floats, labels: Labels, threshold: float) -> Band:
    """From the operating point up to where a lesion is more likely malignant than not.

    So what counts as suspicious is never called benign or normal, and nothing is called malignant that the model itself
    thinks more likely benign. How many images that leaves without an answer follows from the model and is reported,
    rather than the limits being moved until enough are answered.

    Args:
        malignant: Calibrated malignant probabilities of the calibration part, (n,).
        labels: True classes, (n,).
        threshold: Malignant probability of the operating point.

    Raises:
        ValueError: There is no image.
    """
    if not len(malignant):
        raise ValueError("an uncertain band needs images in the calibration part")
    truth = labels == MALIGNANT
    upper = max(threshold, MORE_LIKELY_THAN_NOT)
    below, above = malignant < threshold, malignant > upper
    return Band(
        Abstention(lower=threshold, upper=upper),
        npv=float((~truth)[below].mean()) if below.any() else float("nan"),
        ppv=float(truth[above].mean()) if above.any() else float("nan"),
        coverage=float((below | above).mean()),
    )


UNFAMILIAR_SHIFT = 0.8
"""By how far both ends of the uncertain band move apart for unfamiliar sources, in log-odds. With JoeTao300 left out of
training the threshold for 95 % sensitivity lay this much lower than at home (docs/model-development.md)."""


def unfamiliar_band(in_distribution: Abstention) -> Abstention:
    """The uncertain band of unfamiliar sources, around that of sources like those of training."""
    lower, upper = (logit(np.clip(end, 1e-6, 1 - 1e-6)) for end in (in_distribution.lower, in_distribution.upper))
    return Abstention(lower=float(expit(lower - UNFAMILIAR_SHIFT)), upper=float(expit(upper + UNFAMILIAR_SHIFT)))


def _checked(first: Floats, second: Floats, labels: Labels, weights: Floats | None) -> Floats:
    shape = (len(labels), len(CLASSES))
    if not len(labels) or first.shape != shape or second.shape != shape:
        raise ValueError(f"logits have the shapes {first.shape} and {second.shape}, not {shape} with at least one row")
    if weights is None:
        return np.ones(len(labels))
    return np.asarray(weights / weights.mean(), np.float64)


def _fit(passes: Floats, labels: Labels, weights: Floats, start: Floats, ridge: float, tie: float = 0.0) -> list[float]:
    """Minimise the weighted log loss plus both pulls: [weight per pass…, bias per class…].

    Args:
        passes: (n, k, 3) logits.
        labels: (n,).
        weights: (n,).
        start: (k + 3,) or (k,), which leaves the biases out.
        ridge: Strength of the pull towards ``start``.
        tie: Strength of the pull of two pass weights towards each other.
    """
    k = passes.shape[1]
    biased = len(start) > k
    wanted = np.eye(len(CLASSES))[labels]

    apart = np.r_[1.0, -1.0, np.zeros(len(start) - 2)] if k == 2 else np.zeros(len(start))

    def loss(values: Floats) -> tuple[float, Floats]:
        scores = np.einsum("k,nkc->nc", values[:k], passes) + (values[k:] if biased else 0.0)
        logs = log_softmax(scores, axis=1)
        away = weights[:, None] * (np.exp(logs) - wanted)
        slope = np.einsum("nkc,nc->k", passes, away)
        slope = np.r_[slope, away.sum(0)] if biased else slope
        pull, torn = values - start, float(apart @ values)
        penalty = ridge / 2 * pull @ pull + tie / 2 * torn**2
        return float(-(weights @ (logs * wanted).sum(1)) + penalty), slope + ridge * pull + tie * torn * apart

    # A pass may be ignored but never turned round: that would be fitting noise.
    limits = [(0.0, None)] * k + [(None, None)] * (len(start) - k)
    found = minimize(loss, np.asarray(start, np.float64), jac=True, method="L-BFGS-B", bounds=limits)
    return [float(value) for value in found.x]


def _triple(values: list[float]) -> Triple:
    normal, benign, malignant = values
    return normal, benign, malignant
