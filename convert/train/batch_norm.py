# SPDX-License-Identifier: Apache-2.0
"""Batch normalisation: in one fused operation where TensorFlow or PyTorch has one, and begun with the right statistics.

Keras 3 composes it from a dozen elementwise operations, which take more time than the convolutions of a network made of
small ones. The formula is the same (Ioffe and Szegedy 2015); so are the names and the order of the
weights. On JAX, which fuses by itself, Keras' own layer does the work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@keras.saving.register_keras_serializable("mammascope")
class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras has no type information
    """Keras' layer over the last axis of (n, h, w, c), fused while training on TensorFlow and PyTorch."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise with the statistics of the batch while training, otherwise with the moving ones."""
        fused = {"tensorflow": _fused_tensorflow, "torch": _fused_torch}.get(keras.backend.backend())
        if fused is None or not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        return fused(self, inputs)


def _fused_tensorflow(layer: Any, inputs: Any) -> Any:
    import tensorflow as tf

    normal, mean, variance = tf.compat.v1.nn.fused_batch_norm(
        inputs, layer.gamma, layer.beta, epsilon=layer.epsilon, is_training=True
    )
    # The fused operation gives the unbiased variance; the layer that it stands for keeps the biased one.
    count = tf.cast(tf.size(inputs) / tf.shape(inputs)[-1], variance.dtype)
    for moving, new in ((layer.moving_mean, mean), (layer.moving_variance, variance * (count - 1) / count)):
        moving.assign(moving * layer.momentum + new * (1.0 - layer.momentum))
    return normal


def _fused_torch(layer: Any, inputs: Any) -> Any:
    import torch

    mean, variance = (moving.value.detach().clone() for moving in (layer.moving_mean, layer.moving_variance))
    before = variance * layer.momentum
    normal = torch.nn.functional.batch_norm(
        inputs.permute(0, 3, 1, 2),
        mean,
        variance,
        layer.gamma.value,
        layer.beta.value,
        training=True,
        momentum=1.0 - layer.momentum,
        eps=layer.epsilon,
    )
    layer.moving_mean.assign(mean)
    # PyTorch takes the unbiased variance into the moving one as well.
    count = inputs.numel() // inputs.shape[-1]
    layer.moving_variance.assign(before + (variance.detach() - before) * ((count - 1) / count))
    return normal.permute(0, 2, 3, 1)


def fuse_batch_norms(model: Any, momentum: float) -> Any:
    """The same functional model with the same weights, its batch normalisations fused and with another momentum."""

    def replace(layer: Any) -> Any:
        if not isinstance(layer, keras.layers.BatchNormalization):
            return layer.__class__.from_config(layer.get_config())
        return FusedBatchNormalization.from_config(layer.get_config() | {"momentum": momentum})

    fused = keras.models.clone_model(model, clone_function=replace)
    fused.set_weights(model.get_weights())
    return fused


_SILENT = 1e-6
"""A channel whose variance is a smaller share than this of the stored one says nothing in these pictures and keeps what
it has: dividing by so little would only raise rounding errors."""


def take_statistics(entry: Any, layers: Sequence[Any], batches: Iterable[Any]) -> None:
    """Give batch normalisations the statistics of these inputs, without changing what their network computes.

    Training normalises with the statistics of its batches. Those of sonograms are far from those of the photographs
    that a backbone was pretrained on, so the very first step would compute another function than the pretrained one.
    Scale and offset change together with mean and variance, so that inference gives the same as before, and training
    begins with that. What it is worth is in docs/model-development.md.

    Args:
        entry: The symbolic tensor that stands for a batch.
        layers: Batch normalisations of what is computed from it.
        batches: Float32 (n, h, w, c) each, all of one n.

    Raises:
        ValueError: There is no batch.
    """
    axes, inputs = (0, 1, 2), [layer.input for layer in layers]
    moments = keras.Model(entry, [ops.stack([ops.mean(x, axes), ops.mean(ops.square(x), axes)]) for x in inputs])
    found = [[np.asarray(of, np.float64) for of in moments.predict_on_batch(batch)] for batch in batches]
    if not found:
        raise ValueError("the statistics of a backbone need pictures")
    for layer, of_layer in zip(layers, zip(*found, strict=True), strict=True):
        mean, square = np.mean(of_layer, axis=0)
        _take(layer, mean, square - mean**2)


def _take(layer: Any, mean: Floats, variance: Floats) -> None:
    """Put mean and variance (channels,) in the place of the stored ones; scale and offset make up for it."""
    gamma, beta, before, spread = (np.asarray(weight, np.float64) for weight in layer.get_weights())
    speaks = variance > _SILENT * spread
    mean, variance = np.where(speaks, mean, before), np.where(speaks, variance, spread)
    slope = gamma / np.sqrt(spread + layer.epsilon)
    layer.set_weights([slope * np.sqrt(variance + layer.epsilon), beta + slope * (mean - before), mean, variance])
