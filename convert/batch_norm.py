"""Batch normalisation in one fused operation where TensorFlow has one.

Keras 3 composes it from a dozen elementwise operations, which on a processor take more time than the convolutions of a
network made of small ones. The formula is the same (Ioffe and Szegedy 2015); so are the names and the order of the
weights, and on other backends Keras' own layer does the work.
"""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("mammascope")
class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras has no type information
    """Keras' layer over the last axis of (n, h, w, c), fused while training on TensorFlow."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise with the statistics of the batch while training, otherwise with the moving ones."""
        if not (training and self.trainable) or keras.backend.backend() != "tensorflow":
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        normal, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma, self.beta, epsilon=self.epsilon, is_training=True
        )
        # The fused operation gives the unbiased variance; the layer that it stands for keeps the biased one.
        count = tf.cast(tf.size(inputs) / tf.shape(inputs)[-1], variance.dtype)
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance * (count - 1) / count)):
            moving.assign(moving * self.momentum + new * (1.0 - self.momentum))
        return normal


def fuse_batch_norms(model: Any, momentum: float) -> Any:
    """The same functional model with the same weights, its batch normalisations fused and with another momentum."""

    def replace(layer: Any) -> Any:
        if not isinstance(layer, keras.layers.BatchNormalization):
            return layer.__class__.from_config(layer.get_config())
        return FusedBatchNormalization.from_config(layer.get_config() | {"momentum": momentum})

    fused = keras.models.clone_model(model, clone_function=replace)
    fused.set_weights(model.get_weights())
    return fused
