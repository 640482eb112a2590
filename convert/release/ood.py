# SPDX-License-Identifier: Apache-2.0
"""Fit the distribution of breast ultrasound in the network's embedding, so that the device can refuse what is outside.

The device's formula is in ``device.inference.ood.distance``; here its parameters are estimated from the embeddings of
the training images, each data set counting alike. The limits are chosen in ``ood_limits``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device.inference.ood.distance import InDistribution

DIRECTIONS = 32
"""Principal directions with a variance of their own: with 32 the gap between breasts and OOD images is widest."""


def fit_in_distribution(
    embeddings: NDArray[np.float32], sets: Sequence[str], labels: Sequence[int], directions: int = DIRECTIONS
) -> InDistribution:
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
    return InDistribution(
        mean.astype(np.float32),
        rows[:directions].astype(np.float32),
        np.maximum(variances[:directions], rest).astype(np.float32),
        rest,
    )


def distances(in_distribution: InDistribution, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
    """The device's OOD score of each embedding (n, d)."""
    return np.array([in_distribution.distance(embedding) for embedding in embeddings])


def save_in_distribution(in_distribution: InDistribution, path: Path) -> None:
    """Write the distribution of in-distribution embeddings in the device's form."""
    np.savez(
        path,
        mean=in_distribution.mean,
        directions=in_distribution.directions,
        variances=in_distribution.variances,
        rest=np.float64(in_distribution.rest),
    )
