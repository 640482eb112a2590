# SPDX-License-Identifier: Apache-2.0
"""The fused batch normalisation is Keras' own in everything but its speed.

Holds for the backend that Keras is set to: `KERAS_BACKEND=torch pytest` asks the same of PyTorch where it is installed.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from convert.train.batch_norm import FusedBatchNormalization, fuse_batch_norms


def small_model() -> Any:
    entry = keras.Input((6, 5, 3))
    x = keras.layers.Conv2D(4, 1, name="conv")(entry)
    return keras.Model(entry, keras.layers.BatchNormalization(momentum=0.9, name="normal")(x))


def trained(model: Any, pictures: np.ndarray[Any, Any]) -> Any:
    model.compile(keras.optimizers.SGD(0.1), loss="mse")
    for _ in range(3):
        model.train_on_batch(pictures, np.ones((*pictures.shape[:3], 4)))
    return model


def test_training_gives_the_same_weights_and_statistics() -> None:
    keras.utils.set_random_seed(0)
    plain = small_model()
    fused = fuse_batch_norms(plain, momentum=0.9)
    pictures = np.random.default_rng(0).normal(2.0, 3.0, (4, 6, 5, 3)).astype(np.float32)
    assert [type(layer) for layer in fused.layers][-1] is FusedBatchNormalization
    for one, other in zip(trained(plain, pictures).get_weights(), trained(fused, pictures).get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    one, other = (np.asarray(model.predict_on_batch(pictures)) for model in (plain, fused))
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_the_momentum_is_replaced_and_what_is_frozen_stays() -> None:
    fused = fuse_batch_norms(small_model(), momentum=0.5)
    layer = fused.get_layer("normal")
    assert layer.momentum == 0.5
    pictures = np.random.default_rng(0).normal(2.0, 3.0, (4, 6, 5, 3)).astype(np.float32)
    layer.trainable = False
    before = [np.array(w) for w in layer.get_weights()]
    trained(fused, pictures)
    for one, other in zip(before, layer.get_weights(), strict=True):
        assert one == pytest.approx(other)
