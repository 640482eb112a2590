"""From the int8 network's logits to probabilities that can be believed, and to the limits that the handheld acts on.

Everything here is chosen on the calibration part of a split: the functions take its logits, probabilities or distances
and have no way to a test image. What comes out are the very parts of the manifest that the device reads, and
``probabilities`` is the device's formula for many images at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from convert.metrics import MALIGNANT, Floats
from device.inference.finding import CLASSES
from device.inference.manifest import Abstention, Calibration, OperatingPoint

RIDGE = 1.0
"""Pull towards the plain average of both looks, in units of one image's log-likelihood."""

TIE = 100.0
"""Pull of both looks towards equal weights, in the same units. On images like those of training the first look alone is
nearly as good, so a free fit prefers it; on a hospital that was left out of training equal weights were the best of all
mixtures (benign against malignant AUC 0.914, the first look alone 0.888, the second alone 0.894: BUS-UCLM left out)."""

BORROWED = 20
"""How many images' weight the first looks of images with a second look have for those without one."""

MORE_LIKELY_THAN_NOT = 0.5
"""Of malignancy; also where BI-RADS 4C, high suspicion, begins (ACR BI-RADS Atlas, 5th edition)."""

Labels = NDArray[np.int64]
Triple = tuple[float, float, float]


def probabilities(first: Floats, second: Floats, how: Calibration) -> Floats:
    """Calibrated probabilities (n, 3): the formula of ``device.inference.classifier.calibrated`` for many images.

    Args:
        first: Logits of the first look, (n, 3).
        second: Logits of the second look, (n, 3), rows of NaN where there was none.
        how: The calibration.
    """
    alone = np.isnan(second).any(axis=1, keepdims=True)
    both = how.whole * first + how.lesion * second + np.array(how.bias)
    return np.asarray(softmax(np.where(alone, how.single_whole * first + np.array(how.single_bias), both), axis=1))


def fit_calibration(
    first: Floats, second: Floats, labels: Labels, weights: Floats | None = None, ridge: float = RIDGE, tie: float = TIE
) -> Calibration:
    """Weights of both looks and a bias a class, by penalised multinomial likelihood (a convex problem).

    This is matrix scaling with its matrix reduced to one number a look (Guo et al., ICML 2017, section 4.2), so that a
    few hundred images determine it. Images without a second look are mostly such where no lesion was seen: their own
    parameters are fitted on them, and because they may be few, the first looks of the other images are added with the
    weight of ``BORROWED`` images.

    Args:
        first: Logits of the first look, (n, 3), of the int8 network.
        second: Logits of the second look, (n, 3), rows of NaN where there was none.
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


def fit_temperature(first: Floats, second: Floats, labels: Labels, weights: Floats | None = None) -> Calibration:
    """Temperature scaling alone (Guo et al. 2017): both looks count equally, no bias, one temperature for each case.

    Args:
        first: Logits of the first look, (n, 3), of the int8 network.
        second: Logits of the second look, (n, 3), rows of NaN where there was none.
        labels: True classes, (n,).
        weights: How much each image counts, (n,); equally by default.

    Raises:
        ValueError: There is no image, or shapes do not fit.
    """
    weights = _checked(first, second, labels, weights)
    pair = ~np.isnan(second).any(axis=1)
    mean = (first + second)[pair] / 2
    both = _fit(mean[:, None], labels[pair], weights[pair], np.ones(1), 0.0)
    # Too few single looks to fit a temperature to: that of the first look on all images.
    enough = (~pair).sum() >= 30
    chosen = ~pair if enough else np.ones(len(labels), bool)
    single = _fit(first[chosen, None], labels[chosen], weights[chosen], np.ones(1), 0.0)
    none = (0.0, 0.0, 0.0)
    return Calibration(whole=both[0] / 2, lesion=both[0] / 2, bias=none, single_whole=single[0], single_bias=none)


def log_loss(found: Floats, labels: Labels) -> float:
    """Mean negative logarithm of the probability given to the true class: what calibration minimises."""
    return float(-np.log(np.maximum(found[np.arange(len(labels)), labels], 1e-12)).mean())


def operating_point(malignant: Floats, labels: Labels, target: float = 0.95) -> OperatingPoint:
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


def rejection_limit(
    distances: Floats, strangers: Floats | None = None, lost: float = 0.05, passed: float = 0.03
) -> tuple[float, float]:
    """The largest distance that is still taken for breast ultrasound.

    Breast frames alone would set it at the edge of what is familiar, and nearly all frames of a new scanner lie beyond.
    Where strangers are further away still, the limit lies as far out as they allow: so most frames of new scanners stay
    (docs/model-development.md).

    Args:
        distances: Of breast frames of the calibration part, (n,), higher for stranger; not finite counts as lost.
        strangers: Of pictures that must be turned away, (k,), in the same way.
        lost: Largest share of breast frames that may lie beyond the limit.
        passed: Largest share of strangers that may lie within the limit: a little less than the 5 % of the target,
            because it is chosen on a few dozen pictures.

    Returns:
        The limit and the share of breast frames that does lie beyond it.

    Raises:
        ValueError: There is no frame, or too many distances are not finite.
    """
    ordered = np.sort(np.where(np.isfinite(distances), distances, np.inf))
    kept = int(np.ceil((1 - lost) * len(ordered) - 1e-9))
    if not kept or not np.isfinite(ordered[kept - 1]):
        raise ValueError("a rejection limit needs finite distances of breast frames")
    limit = float(ordered[kept - 1])
    if strangers is not None and np.isfinite(strangers).any():
        away = np.sort(np.maximum(strangers[np.isfinite(strangers)], limit))
        within = min(int(passed * len(strangers)), len(away) - 1)
        last = away[within - 1] if within else limit
        limit = float(np.sqrt(last * away[within]))  # between the last that passes and the first that does not
    return limit, float(np.mean(~(distances <= limit)))


def _checked(first: Floats, second: Floats, labels: Labels, weights: Floats | None) -> Floats:
    shape = (len(labels), len(CLASSES))
    if not len(labels) or first.shape != shape or second.shape != shape:
        raise ValueError(f"logits have the shapes {first.shape} and {second.shape}, not {shape} with at least one row")
    if weights is None:
        return np.ones(len(labels))
    return np.asarray(weights / weights.mean(), np.float64)


def _fit(looks: Floats, labels: Labels, weights: Floats, start: Floats, ridge: float, tie: float = 0.0) -> list[float]:
    """Minimise the weighted log loss plus both pulls: [weight a look…, bias a class…].

    Args:
        looks: (n, k, 3) logits.
        labels: (n,).
        weights: (n,).
        start: (k + 3,) or (k,), which leaves the biases out.
        ridge: Strength of the pull towards ``start``.
        tie: Strength of the pull of two look weights towards each other.
    """
    k = looks.shape[1]
    biased = len(start) > k
    wanted = np.eye(len(CLASSES))[labels]

    apart = np.r_[1.0, -1.0, np.zeros(len(start) - 2)] if k == 2 else np.zeros(len(start))

    def loss(values: Floats) -> tuple[float, Floats]:
        scores = np.einsum("k,nkc->nc", values[:k], looks) + (values[k:] if biased else 0.0)
        logs = log_softmax(scores, axis=1)
        away = weights[:, None] * (np.exp(logs) - wanted)
        slope = np.einsum("nkc,nc->k", looks, away)
        slope = np.r_[slope, away.sum(0)] if biased else slope
        pull, torn = values - start, float(apart @ values)
        penalty = ridge / 2 * pull @ pull + tie / 2 * torn**2
        return float(-(weights @ (logs * wanted).sum(1)) + penalty), slope + ridge * pull + tie * torn * apart

    # A look may be ignored but never turned round: that would be fitting noise.
    limits = [(0.0, None)] * k + [(None, None)] * (len(start) - k)
    found = minimize(loss, np.asarray(start, np.float64), jac=True, method="L-BFGS-B", bounds=limits)
    return [float(value) for value in found.x]


def _triple(values: list[float]) -> Triple:
    normal, benign, malignant = values
    return normal, benign, malignant
