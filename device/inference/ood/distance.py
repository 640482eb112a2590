# SPDX-License-Identifier: Apache-2.0
"""Out-of-distribution (OOD) detection: how far a picture's embedding lies from those of the training images.

The embeddings of the training images are described by a Gaussian whose covariance is that of probabilistic PCA
(Tipping and Bishop, JRSS B 61 (1999) 611): a few principal directions with their own variance, and one common variance
for all the others. The squared Mahalanobis distance under it, divided by the number of dimensions, is the score.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device.errors import BundleSchemaError

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class InDistribution:
    """The Gaussian of the training images' embeddings: what is in-distribution.

    Attributes:
        mean: (n,).
        directions: (k, n), orthonormal rows.
        variances: (k,), along the directions.
        rest: Variance along every other direction.
    """

    mean: Floats
    directions: Floats
    variances: Floats
    rest: float

    def distance(self, embedding: Floats) -> float:
        """Squared Mahalanobis distance of an embedding (n,), divided by n; about 1 in-distribution."""
        away = embedding - self.mean
        along = self.directions @ away
        inside = float(np.sum(along * along / self.variances))
        outside = max(0.0, float(away @ away - along @ along)) / self.rest
        return (inside + outside) / len(away)


def read_in_distribution(path: Path) -> InDistribution:
    """Read the fitted distribution of a bundle.

    Raises:
        BundleSchemaError: The file does not hold the arrays, or their shapes do not fit.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            mean, directions, variances = (np.asarray(held[n], np.float32) for n in ("mean", "directions", "variances"))
            rest = float(held["rest"])
    except (OSError, ValueError, KeyError) as error:
        raise BundleSchemaError(path, str(error)) from error
    if directions.shape != (len(variances), len(mean)) or rest <= 0 or not np.all(variances > 0):
        raise BundleSchemaError(path, "the arrays do not fit together")
    return InDistribution(mean, directions, variances, rest)
