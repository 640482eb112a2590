# SPDX-License-Identifier: Apache-2.0
"""The figures by which a model is judged, each from its textbook formula, for one evaluation or a thousand at once.

Every function takes ``weights`` of shape (draws, n): how often each image counts in each draw. One row of ones is the
plain figure, and the rows of a group-wise bootstrap give its interval by the very same code
(``convert.evaluate.intervals``).
A figure that a set cannot give (no malignant image in it) is NaN, never 0.

Calibration and abstention have their own figures in ``convert.evaluate.reliability``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from convert.evaluate.predictions import NOT_EVALUABLE, UNCERTAIN, UNDECIDED, Predictions
from device.inference.decision import decide_classes
from device.inference.finding import CLASSES
from device.inference.manifest import Abstention

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BENIGN, MALIGNANT = CLASSES.index("benign"), CLASSES.index("malignant")
NORMAL = CLASSES.index("normal")

__all__ = [
    "Predictions",
    "Floats",
    "Bools",
    "NORMAL",
    "BENIGN",
    "MALIGNANT",
    "auc",
    "benign_malignant_score",
    "confusion_counts",
    "confusion_figures",
    "apply_thresholds",
    "decision_figures",
    "dice",
    "discrimination_figures",
    "once",
    "ratio",
]


def once(n: int) -> Floats:
    """Weights (1, n) under which every image counts once: the plain figure."""
    return np.ones((1, n))


def ratio(part: Floats, whole: Floats) -> Floats:
    """Quotient, float64 of the common shape; NaN where the whole is 0: a share of nothing is unknown, not 0."""
    unknown = np.full(np.broadcast(part, whole).shape, np.nan)
    return np.asarray(np.divide(part, whole, out=unknown, where=whole != 0), np.float64)


def confusion_counts(labels: NDArray[np.int64], predicted: NDArray[np.int64], weights: Floats) -> Floats:
    """Confusion matrices (draws, 3, 3): rows are the true classes, columns the predicted ones."""
    k = len(CLASSES)
    cells = np.eye(k * k)[labels * k + predicted]
    return np.asarray(weights @ cells, np.float64).reshape(-1, k, k)


def confusion_figures(predictions: Predictions, weights: Floats) -> dict[str, Floats]:
    """Figures of the most probable class, overall and each class against the rest.

    Sensitivity TP/(TP+FN), specificity TN/(TN+FP), precision TP/(TP+FP), F1 2TP/(2TP+FP+FN) as in Fawcett, "An
    introduction to ROC analysis" (2006); balanced accuracy is the mean sensitivity of the classes that occur
    (Brodersen et al. 2010). ``*_called_normal`` measure the shortcut of taking a scanner for healthy tissue.

    Args:
        predictions: n images.
        weights: (draws, n).

    Returns:
        (draws,) for each name.
    """
    matrix = confusion_counts(predictions.labels, predictions.predicted, weights)
    total, hit = matrix.sum((1, 2)), np.einsum("dii->di", matrix)
    true, called = matrix.sum(2), matrix.sum(1)
    sensitivity, precision = ratio(hit, true), ratio(hit, called)
    specificity = ratio(total[:, None] - true - called + hit, total[:, None] - true)
    f1 = ratio(2 * hit, true + called)
    figures = {
        "accuracy": ratio(hit.sum(1), total),
        "balanced_accuracy": _mean_known(sensitivity),
        "f1_macro": _mean_known(np.where(true > 0, f1, np.nan)),
    }
    for index, name in enumerate(CLASSES):
        figures[f"sensitivity_{name}"] = sensitivity[:, index]
        figures[f"specificity_{name}"] = specificity[:, index]
        figures[f"precision_{name}"] = precision[:, index]
        figures[f"f1_{name}"] = f1[:, index]
    figures["benign_called_normal"] = ratio(matrix[:, BENIGN, NORMAL], true[:, BENIGN])
    figures["malignant_called_normal"] = ratio(matrix[:, MALIGNANT, NORMAL], true[:, MALIGNANT])
    return figures


def discrimination_figures(predictions: Predictions, weights: Floats) -> dict[str, Floats]:
    """Areas under the ROC curve, and the benign-against-malignant decision at one half.

    ``auc_macro`` is the mean of one class against the rest over the classes that occur (Hand and Till 2001 name it
    beside their pairwise form). Benign against malignant leaves the normal images out and compares only these two
    probabilities, so that sets without normals can be put beside each other.

    Args:
        predictions: n images.
        weights: (draws, n).

    Returns:
        (draws,) for each name.
    """
    probabilities, labels = predictions.probabilities, predictions.labels
    each = [auc(labels == k, probabilities[:, k], weights) for k in range(len(CLASSES))]
    lesion = labels != NORMAL
    truth, score, among = labels[lesion] == MALIGNANT, benign_malignant_score(probabilities[lesion]), weights[:, lesion]
    called = score >= 0.5
    return {
        "auc_malignant_vs_rest": each[MALIGNANT],
        "auc_macro": _mean_known(np.stack(each, axis=1)),
        "auc_benign_vs_malignant": auc(truth, score, among),
        "accuracy_benign_vs_malignant": ratio(among @ (called == truth), among.sum(1)),
        "sensitivity_benign_vs_malignant": ratio(among @ (called & truth), among @ truth),
        "specificity_benign_vs_malignant": ratio(among @ (~called & ~truth), among @ ~truth),
    }


def apply_thresholds(
    predictions: Predictions, threshold: float, abstention: Abstention, refused: Bools | None = None
) -> Predictions:
    """The predictions with what the device would make of them under limits that were chosen on other images.

    Args:
        predictions: n images.
        threshold: Malignant probability of the operating point.
        abstention: The uncertain band.
        refused: bool (n,), which images the device turns away as not evaluable; none by default.
    """
    word = decide_classes(predictions.probabilities, abstention)
    if refused is not None:
        word = np.where(refused, NOT_EVALUABLE, word)
    return replace(predictions, suspicious=predictions.malignant >= threshold, decisions=word)


def decision_figures(predictions: Predictions, weights: Floats) -> dict[str, Floats]:
    """Figures of what the handheld says under its limits; NaN where no limits were applied (``apply_thresholds``).

    Sensitivity and specificity at the operating point; shares of images answered (``coverage``), ``uncertain`` and
    ``not_evaluable``; of the answered ones the accuracy, the share of not malignant images among those called normal or
    benign (``npv_decided``) and of malignant ones among those called malignant (``ppv_decided``); and the share of all
    malignant images that was called normal or benign (``malignant_missed``).

    Args:
        predictions: n images.
        weights: (draws, n).

    Returns:
        (draws,) for each name.
    """
    word, truth, suspicious = predictions.decisions, predictions.labels == MALIGNANT, predictions.suspicious
    known = word != UNDECIDED
    answered = known & (word < UNCERTAIN)
    above = answered & (word == MALIGNANT)
    below = answered & ~above

    def share(part: Bools, whole: Bools) -> Floats:
        return ratio(weights @ (part & whole), weights @ whole)

    return {
        "sensitivity_at_threshold": share(suspicious, known & truth),
        "specificity_at_threshold": share(~suspicious, known & ~truth),
        "coverage": share(answered, known),
        "uncertain": share(word == UNCERTAIN, known),
        "not_evaluable": share(word == NOT_EVALUABLE, known),
        "accuracy_decided": share(word == predictions.labels, answered),
        "npv_decided": share(~truth, below),
        "ppv_decided": share(truth, above),
        "malignant_missed": share(below, known & truth),
    }


def benign_malignant_score(probabilities: Floats) -> Floats:
    """Malignant probability given that it is one of benign and malignant: p_m / (p_m + p_b), (n,)."""
    lesion = probabilities[:, BENIGN] + probabilities[:, MALIGNANT]
    # Both vanish together only for an all-normal answer, which speaks for neither of them.
    undecided = np.full(len(lesion), 0.5)
    return np.asarray(np.divide(probabilities[:, MALIGNANT], lesion, out=undecided, where=lesion > 0), np.float64)


def auc(truth: Bools, scores: Floats, weights: Floats) -> Floats:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting one half.

    The rank form of Mann and Whitney (Hanley and McNeil 1982): one sort serves all draws, which makes a thousand
    bootstrap draws as cheap as a few calls of a general routine.

    Args:
        truth: bool (n,).
        scores: (n,), higher for more likely positive.
        weights: (draws, n).

    Returns:
        (draws,), NaN where a draw has no positive or no negative.
    """
    if not len(scores):
        return np.full(len(weights), np.nan)
    order = np.argsort(scores, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(scores[order]) != 0, True])
    ordered, positive = weights[:, order], truth[order]
    reached = np.cumsum(ordered, axis=1)[:, ends]
    positives_reached = np.cumsum(ordered * positive, axis=1)[:, ends]
    positives = np.diff(positives_reached, axis=1, prepend=0.0)
    negatives_reached = reached - positives_reached
    below = negatives_reached - np.diff(negatives_reached, axis=1, prepend=0.0) / 2
    return ratio((positives * below).sum(1), positives.sum(1) * negatives_reached[:, -1])


def dice(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Floats:
    """Overlap of masks, 2|A∩B| / (|A|+|B|) (Dice 1945; Zijdenbos et al. 1994), for each image.

    Args:
        predicted: bool (n, h, w), or (h, w) for one image.
        truth: bool of the same shape.

    Returns:
        (n,), NaN where there is no lesion in the truth: the figure is of images with one.
    """
    a, b = np.atleast_3d(predicted.T).T, np.atleast_3d(truth.T).T
    both, sizes = (a & b).sum((1, 2)), a.sum((1, 2)) + b.sum((1, 2))
    overlap = ratio(2.0 * both, sizes.astype(np.float64))
    return np.where(b.any((1, 2)), overlap, np.nan)


def _mean_known(values: Floats) -> Floats:
    """Mean over the columns that are known, NaN where none is: (draws,)."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0.0).sum(1), known.sum(1).astype(np.float64))
