"""Fit what breast ultrasound looks like to the network, so that the device can refuse what does not.

The device's formula is in ``device.inference.rejection``; here its parameters are estimated from the embeddings of the
training images, each data set counting alike, and the limit is set on the calibration part and on foreign pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from device.imaging.quality import judge_quality
from device.imaging.sonogram import Sonogram
from device.inference.rejection import Familiar

DIRECTIONS = 32
"""Principal directions with a variance of their own: with 32 the gap between what is familiar and strangers is widest
(docs/model-development.md)."""


def fit_familiar(
    embeddings: NDArray[np.float32], sets: Sequence[str], labels: Sequence[int], directions: int = DIRECTIONS
) -> Familiar:
    """Estimate the Gaussian of probabilistic PCA by maximum likelihood (Tipping and Bishop 1999, equations 7 and 8).

    Args:
        embeddings: float32 (n, d) of training images.
        sets: Data set of each; every data set gets the same weight, so that the largest does not define breast.
        labels: Class of each; weighted alike within its set.
        directions: Number of principal directions, less than d; of few images at most a quarter as many are taken, so
            that enough is left to estimate the common variance of all others from.
    """
    directions = min(directions, len(embeddings) // 4)
    strata = np.array([f"{s}/{c}" for s, c in zip(sets, labels, strict=True)])
    names, counts = np.unique(strata, return_counts=True)
    share = dict(zip(names.tolist(), counts.tolist(), strict=True))
    weights = np.array([1.0 / share[s] for s in strata.tolist()])
    weights /= weights.sum()
    values = embeddings.astype(np.float64)
    mean = weights @ values
    _, singular, rows = np.linalg.svd((values - mean) * np.sqrt(weights)[:, None], full_matrices=False)
    variances = singular**2
    rest = float(variances[directions:].sum() / (values.shape[1] - directions))
    return Familiar(
        mean.astype(np.float32),
        rows[:directions].astype(np.float32),
        np.maximum(variances[:directions], rest).astype(np.float32),
        rest,
    )


def distances(familiar: Familiar, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
    """The device's rejection score of each embedding (n, d)."""
    return np.array([familiar.distance(embedding) for embedding in embeddings])


def strangeness(
    sonograms: Sequence[Sonogram], embeddings: NDArray[np.float32], familiar: Familiar
) -> NDArray[np.float64]:
    """The rejection score of n pictures, infinite where the picture's quality alone already turns it away.

    Args:
        sonograms: The pictures.
        embeddings: float32 (n, d), what the network says of the whole of each.
        familiar: What breast ultrasound looks like to the network.
    """
    away = np.array([judge_quality(sonogram) is not None for sonogram in sonograms])
    return np.where(away, np.inf, distances(familiar, embeddings))
