# SPDX-License-Identifier: Apache-2.0
"""Where the out-of-distribution (OOD) limits of a bundle are decided: beyond which a picture is no breast ultrasound.

A model without OOD images has one limit, the distance to the training images (``choose_ood_limit``). With OOD images
there are two tiers (``choose_source_limits``): what is refused, and what is answered with a caution. The device applies
them in ``device.inference.ood.source``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LOST_SHARE = 0.05
"""Largest share of the calibration part's breast frames that the one limit may refuse."""

IN_DISTRIBUTION_SHARE = 0.95
"""Share of the calibration part that counts as in-distribution, on each of the two scales."""

KEPT_SHARE = 0.98
"""Share of the breasts of a left-out set that may not be refused, the mean over sets: more than the 95 % of the target,
because the network itself has seen those sets, and a new hospital is further away."""

OUTER_FACTOR = 4.0
"""The outer limit as a multiple of the in-distribution distance: left-out hospitals reach up to it, and what lies
beyond is like nothing that the layers were ever shown (docs/model-development.md)."""


def choose_ood_limit(distances: Floats) -> tuple[float, float]:
    """The largest distance that is still taken for breast ultrasound, where there are no OOD images to choose it on.

    Args:
        distances: Of breast frames of the calibration part, (n,); not finite counts as lost.

    Returns:
        The limit and the share of breast frames that does lie beyond it.

    Raises:
        ValueError: There is no frame, or too many distances are not finite.
    """
    ordered = np.sort(np.where(np.isfinite(distances), distances, np.inf))
    kept = int(np.ceil((1 - LOST_SHARE) * len(ordered) - 1e-9))
    if not kept or not np.isfinite(ordered[kept - 1]):
        raise ValueError("an OOD limit needs finite distances of breast frames")
    limit = float(ordered[kept - 1])
    return limit, float(np.mean(~(distances <= limit)))


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """Limits of both tiers; the names are those of the manifest (``device.inference.manifest.Source``).

    Attributes:
        refuse_below: Log-odds of breast below which a frame is refused.
        familiar_from: Log-odds of breast from which a source counts as in-distribution.
        familiar_distance: Distance up to which it does.
        ood_limit: Distance beyond which a frame is refused, whatever its log-odds.
        breast_loss: Share of breasts of sets left out of the head that is refused, the mean over sets.
    """

    refuse_below: float
    familiar_from: float
    familiar_distance: float
    ood_limit: float
    breast_loss: float


def choose_source_limits(left_out: Mapping[str, Floats], calibration: Floats, distances: Floats) -> SourceLimits:
    """Choose the limits; no test image and no figures-only set takes part.

    Args:
        left_out: Log-odds of the frames of each set, by layers fitted without it.
        calibration: Log-odds of the calibration part, (n,).
        distances: Distances of the calibration part, (n,).

    Raises:
        ValueError: There is nothing to choose them on.
    """
    if not left_out or not len(calibration):
        raise ValueError("limits of the source need left-out sets and a calibration part")
    candidates = np.sort(np.concatenate(list(left_out.values())))
    kept = np.mean([[float(np.mean(odds >= limit)) for limit in candidates] for odds in left_out.values()], axis=0)
    refuse = float(candidates[np.flatnonzero(kept >= KEPT_SHARE)[-1]])
    near = float(np.quantile(distances, IN_DISTRIBUTION_SHARE))
    return SourceLimits(
        refuse_below=refuse,
        familiar_from=max(refuse, float(np.quantile(calibration, 1 - IN_DISTRIBUTION_SHARE))),
        familiar_distance=near,
        ood_limit=OUTER_FACTOR * near,
        breast_loss=float(1 - np.mean([np.mean(odds >= refuse) for odds in left_out.values()])),
    )
