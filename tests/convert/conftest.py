# SPDX-License-Identifier: Apache-2.0
"""A network so small that it is trained in no time and converted in seconds, with the outputs of the real one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

TINY_SIZE = 64
TINY_CHANNELS = 32
"""Of the embedding; more than the directions of what is familiar."""


@pytest.fixture(scope="session")
def tiny_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A full-integer ``.tflite`` made by our own converter: random weights, right shapes."""
    import keras

    from convert.quantise import to_int8

    keras.utils.set_random_seed(1)
    picture = keras.Input((TINY_SIZE, TINY_SIZE, 1))
    fine = keras.layers.Conv2D(8, 3, strides=4, padding="same", activation="relu")(
        keras.layers.Rescaling(1 / 127.5, -1)(picture)
    )
    coarse = keras.layers.Conv2D(TINY_CHANNELS, 3, strides=8, padding="same", activation="relu")(fine)
    outputs = {
        "cam": keras.layers.Conv2D(3, 1)(coarse),
        "mask": keras.layers.Conv2D(1, 1)(fine),
        "embedding": keras.layers.GlobalAveragePooling2D()(coarse),
    }
    shown = np.random.default_rng(1).uniform(0, 255, (20, TINY_SIZE, TINY_SIZE, 1)).astype(np.float32)
    path = tmp_path_factory.mktemp("network") / "tiny.tflite"
    path.write_bytes(to_int8(keras.Model(picture, outputs), shown))
    return path
