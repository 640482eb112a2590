# SPDX-License-Identifier: Apache-2.0
"""Is this breast B-mode at all, and of a scanner like those that the network was trained on?

Two answers that a single limit cannot give. A few layers on the network's embedding were trained on breasts of many
scanners against out-of-distribution (OOD) pictures (outlier exposure, Hendrycks et al., ICLR 2019): other organs,
photographs, and pictures made from breast frames. Behind them stands the distance to the training distribution
(``device.inference.ood.distance``), for which no OOD picture need have been seen. What either is sure of is refused.
A breast that is merely unlike those of the training scanners is answered, with a caution.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device.errors import BundleSchemaError
from device.imaging.quality import Reason
from device.inference.finding import Caution
from device.inference.manifest import Source
from device.inference.ood.distance import InDistribution

Floats = NDArray[np.float32]

CLIP = 6.0
"""Standardised features are cut off here: what lies further out is far enough out, and must not cancel others out."""


@dataclass(frozen=True, slots=True, eq=False)
class BreastHead:
    """Layers from an embedding to the log-odds of breast.

    Attributes:
        mean: (n,), subtracted from the embedding.
        spread: (n,), what it is then divided by.
        layers: Weights (in, out) and biases (out,) of dense layers; ReLU between them, the last gives one number.
    """

    mean: Floats
    spread: Floats
    layers: tuple[tuple[Floats, Floats], ...]

    def log_odds(self, embedding: Floats) -> float:
        """How much speaks for breast, for an embedding (n,)."""
        x = np.clip((embedding - self.mean) / self.spread, -CLIP, CLIP)
        for number, (weights, bias) in enumerate(self.layers):
            x = (np.maximum(x, 0) if number else x) @ weights + bias
        return float(x[0])


def read_breast_head(path: Path) -> BreastHead:
    """Read the layers of a bundle.

    Raises:
        BundleSchemaError: The file does not hold the arrays, or their shapes do not fit.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            mean, spread = np.asarray(held["mean"], np.float32), np.asarray(held["spread"], np.float32)
            count = sum(name.startswith("weights") for name in held.files)
            layers = tuple(
                (np.asarray(held[f"weights{i}"], np.float32), np.asarray(held[f"bias{i}"], np.float32))
                for i in range(count)
            )
    except (OSError, ValueError, KeyError) as error:
        raise BundleSchemaError(path, str(error)) from error
    widths = [len(mean), *(weights.shape[-1] for weights, _ in layers)]
    fits = all(w.shape == (a, b) == (a, len(c)) for (w, c), a, b in zip(layers, widths, widths[1:], strict=False))
    if not layers or not fits or widths[-1] != 1 or spread.shape != mean.shape or not np.all(spread > 0):
        raise BundleSchemaError(path, "the arrays do not fit together")
    return BreastHead(mean, spread, layers)


def judge_source(
    embedding: Floats, in_distribution: InDistribution, head: BreastHead | None, ood_limit: float, limits: Source | None
) -> Reason | Caution | None:
    """What a frame's source is taken for.

    Args:
        embedding: Of the first pass, (n,).
        in_distribution: Distribution of the embeddings of breast ultrasound.
        head: Layers that tell breast from everything else; ``None`` for bundles of schema 1.
        ood_limit: Distance beyond which a frame is refused, whatever the head says.
        limits: Those of both tiers, ``None`` like ``head``.

    Returns:
        ``NOT_BREAST_ULTRASOUND`` for what is certainly something else, ``UNFAMILIAR_SOURCE`` for a breast that is
        unlike those of the training scanners, ``None`` for one that is like them.
    """
    distance = in_distribution.distance(embedding)
    if not distance <= ood_limit:
        return Reason.NOT_BREAST_ULTRASOUND
    if head is None or limits is None:
        return None
    odds = head.log_odds(embedding)
    if odds < limits.refuse_below:
        return Reason.NOT_BREAST_ULTRASOUND
    if odds < limits.familiar_from or distance > limits.familiar_distance:
        return Caution.UNFAMILIAR_SOURCE
    return None
