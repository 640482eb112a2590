# SPDX-License-Identifier: Apache-2.0
"""Fit the layers that tell breast from everything else (``device.inference.ood.source``).

They work on the embedding of the int8 network, so they are fitted on what the device will see. OOD images change no
layer of the network itself. How the layers do on a kind of OOD image or a set of breasts that they were never shown is
therefore measured exactly, by fitting them again without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convert.train.exposure import SYNTHETIC, Exposure
from device.inference.ood.source import CLIP, BreastHead
from device.inference.runtime import Runtime

Floats = NDArray[np.float64]
Batch = NDArray[np.float32]

SYNTHETIC_SHARE = 0.4
"""Share of the weight of all OOD images that the synthetic ones have."""

HIDDEN = 48
"""Width of the hidden layer. For as many breasts of unseen scanners kept, a linear layer refused 24 % of thyroids,
this one 87 % (docs/model-development.md)."""

_STEPS, _BATCH, _RATE = 700, 128, 2e-3
_NOISE, _DROPPED, _DECAY = 0.3, 0.3, 1e-3
"""Noise on the standardised features, dropout of features and hidden units, weight decay: OOD images are few."""


def embed(network: Path, exposure: Exposure) -> NDArray[np.float32]:
    """Embeddings (n, d) of the pictures with a ``.tflite`` network."""
    runtime = Runtime(network, threads=1)
    return np.array([runtime.run(picture).embedding for picture in exposure.pixels], np.float32)


def fit_breast_head(embeddings: NDArray[np.float32], exposure: Exposure, without: Iterable[str] = ()) -> BreastHead:
    """Fit two layers; sets of breasts count alike, and so do kinds of OOD images. The same input gives the same layers.

    Args:
        embeddings: float32 (n, d) of the pictures.
        exposure: The pictures.
        without: Sets and kinds that take no part, so that the layers can be tested on them.

    Raises:
        ValueError: No breasts or no OOD images are left.
    """
    taken = ~np.isin(exposure.kinds, list(without))
    weights = _weights(exposure, taken)
    breast = exposure.breast
    if not (taken & breast).any() or not (taken & ~breast).any():
        raise ValueError("the layers that tell breast from everything else need both breasts and OOD images")
    mean = embeddings[taken & breast].mean(axis=0)
    spread = np.maximum(embeddings[taken & breast].std(axis=0), 1e-6)
    features = np.clip((embeddings - mean) / spread, -CLIP, CLIP)
    layers = _fit(features[taken], breast[taken].astype(np.float32), weights[taken])
    return BreastHead(mean.astype(np.float32), spread.astype(np.float32), layers)


def log_odds(head: BreastHead, embeddings: NDArray[np.float32]) -> Floats:
    """The head's answer for embeddings (n, d)."""
    return np.array([head.log_odds(embedding) for embedding in embeddings])


def _fit(features: Batch, wanted: Batch, weights: Floats) -> tuple[tuple[Batch, Batch], tuple[Batch, Batch]]:
    """Cross-entropy by Adam (Kingma and Ba 2015) with a cosine rate, on pictures drawn by their weights.

    In numpy: two layers are too small for a framework to be worth its start, and this gives the same on every machine.

    Args:
        features: float32 (n, d), standardised.
        wanted: (n,), 1 for breast.
        weights: (n,), summing to 1.
    """
    rng = np.random.default_rng(0)
    width = features.shape[1]
    values = [
        rng.standard_normal((width, HIDDEN), np.float32) * np.float32(np.sqrt(2 / width)),
        np.zeros(HIDDEN, np.float32),
        rng.standard_normal((HIDDEN, 1), np.float32) * np.float32(np.sqrt(1 / HIDDEN)),
        np.zeros(1, np.float32),
    ]
    first, second = [np.zeros_like(v) for v in values], [np.zeros_like(v) for v in values]
    order = rng.choice(len(features), (_STEPS, _BATCH), p=weights / weights.sum())
    for step, chosen in enumerate(order, start=1):
        rate = _RATE * 0.5 * (1 + np.cos(np.pi * step / _STEPS))
        for k, slope in enumerate(_slopes(values, features[chosen], wanted[chosen], rng)):
            first[k] = 0.9 * first[k] + 0.1 * slope
            second[k] = 0.999 * second[k] + 0.001 * slope**2
            moved = (first[k] / (1 - 0.9**step)) / (np.sqrt(second[k] / (1 - 0.999**step)) + 1e-8)
            values[k] = np.asarray(values[k] - rate * moved, np.float32)
    return (values[0], values[1]), (values[2], values[3])


def _slopes(values: list[Batch], features: Batch, wanted: Batch, rng: np.random.Generator) -> list[Batch]:
    """Gradients of the loss by both layers' weights and biases, on a batch with noise and dropout."""
    count = len(features)
    noisy = features + np.float32(_NOISE) * rng.standard_normal(features.shape, np.float32)
    seen = noisy * _kept(noisy.shape, rng)
    before = seen @ values[0] + values[1]
    kept = _kept(before.shape, rng)
    hidden = np.maximum(before, 0) * kept
    said = 1 / (1 + np.exp(-(hidden @ values[2] + values[3])[:, 0]))
    away = ((said - wanted) / count)[:, None].astype(np.float32)
    back = (away @ values[2].T) * kept * (before > 0)
    slopes = [
        seen.T @ back + _DECAY * values[0],
        back.sum(0),
        hidden.T @ away + _DECAY * values[2],
        away.sum(0),
    ]
    return [np.asarray(slope, np.float32) for slope in slopes]


def _kept(shape: tuple[int, ...], rng: np.random.Generator) -> Batch:
    return np.asarray((rng.random(shape, np.float32) > _DROPPED) / np.float32(1 - _DROPPED), np.float32)


def _weights(exposure: Exposure, taken: NDArray[np.bool_]) -> Floats:
    """Breasts half, collected and synthetic OOD images the other half; alike within each by set or kind."""
    synthetic = np.char.startswith(exposure.kinds, SYNTHETIC)
    weights = np.zeros(len(exposure.kinds))
    collected = ~exposure.breast & ~synthetic
    sides = ((exposure.breast, 0.5), (collected, 0.5 * (1 - SYNTHETIC_SHARE)), (synthetic, 0.5 * SYNTHETIC_SHARE))
    for side, share in sides:
        counts = Counter(exposure.kinds[side & taken].tolist())
        for kind, count in counts.items():
            weights[side & taken & (exposure.kinds == kind)] = share / len(counts) / count
    return np.asarray(weights / weights.sum(), np.float64)


def save_breast_head(head: BreastHead, path: Path) -> None:
    """Write the layers in the device's form."""
    arrays = {"mean": head.mean, "spread": head.spread}
    for number, (weights, bias) in enumerate(head.layers):
        arrays |= {f"weights{number}": weights, f"bias{number}": bias}
    np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy types the names of its own options only
