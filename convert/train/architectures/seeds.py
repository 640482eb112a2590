# SPDX-License-Identifier: Apache-2.0
"""Random weights that follow from a seed alone.

Keras draws the seeds of its initialisers from Python's global generator, which other threads of a worker use as well;
so the same seed would give other weights in another process. Here every kernel is drawn again from a seed of its own.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

_KERNELS = (
    ("kernel", "kernel_initializer"),
    ("kernel", "depthwise_initializer"),
    ("depthwise_kernel", "depthwise_initializer"),
    ("pointwise_kernel", "pointwise_initializer"),
)


def draw_weights(network: Any, seed: int) -> None:
    """Draw all kernels of a network again; biases and batch statistics begin with constants anyway.

    Args:
        network: Keras model, networks inside of it included.
        seed: Same seed and layers, same weights.
    """
    generator = np.random.default_rng(seed)
    layers = [layer for layer in network._flatten_layers(include_self=False) if not isinstance(layer, keras.Model)]
    for layer in layers:
        for name, by in _KERNELS:
            kernel, initialiser = getattr(layer, name, None), getattr(layer, by, None)
            if kernel is None or initialiser is None or "seed" not in initialiser.get_config():
                continue
            config = initialiser.get_config() | {"seed": int(generator.integers(2**31))}
            kernel.assign(type(initialiser).from_config(config)(kernel.shape, kernel.dtype))
