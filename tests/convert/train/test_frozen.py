# SPDX-License-Identifier: Apache-2.0
"""The frozen layers, computed apart, give the learned ones exactly what they would see in the whole network."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from convert.train.frozen import frozen_features
from convert.train.network import NetworkSpec, build_network, learned_part


@pytest.mark.parametrize("frozen", ["block_5_add", ""])
def test_both_parts_in_turn_say_what_the_whole_network_says(frozen: str) -> None:
    keras.utils.set_random_seed(0)
    network = build_network(NetworkSpec(size=64, weights="none", frozen=frozen))
    pictures = np.random.default_rng(0).uniform(0, 255, (5, 64, 64, 1)).astype(np.float32)
    wanted = network.predict(pictures, verbose=0)
    found = learned_part(network, ("cam", "mask")).predict(frozen_features(network)(pictures), verbose=0)
    for name in ("cam", "mask"):
        np.testing.assert_allclose(found[name], wanted[name], atol=1e-4)


def test_with_another_backend_features_are_computed_a_batch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build_network(NetworkSpec(size=64, weights="none"))
    pictures = np.random.default_rng(0).uniform(0, 255, (70, 64, 64, 1)).astype(np.float32)
    wanted = frozen_features(network)(pictures)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    sizes: list[int] = []
    real = keras.Model.predict_on_batch

    def watched(self: keras.Model, x: np.ndarray[Any, Any]) -> Any:
        sizes.append(len(x))
        return real(self, x)

    monkeypatch.setattr(keras.Model, "predict_on_batch", watched)
    found = frozen_features(network)(pictures)
    assert sizes == [32, 32, 6]
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_what_is_learned_holds_nothing_of_what_is_frozen() -> None:
    network = build_network(NetworkSpec(size=64, weights="none"))
    learned = learned_part(network, ("cam", "mask"))
    assert {w.path for w in learned.trainable_weights} == {w.path for w in network.trainable_weights}
    assert len(learned.weights) < len(network.weights)


def test_a_layer_that_the_mask_needs_cannot_be_frozen() -> None:
    with pytest.raises(ValueError, match=r"block_12_add.*block_6_expand_relu"):
        build_network(NetworkSpec(size=64, weights="none", frozen="block_12_add"))
