# SPDX-License-Identifier: Apache-2.0
"""Parameters and multiply-adds of a network, counted from its layers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras
from keras import layers


def multiply_adds(network: Any) -> int:
    """Multiply-adds of one picture: those of convolutions and dense layers, as papers count them."""
    return sum(_of_layer(layer) for layer in _leaves(network))


def parameters(network: Any) -> int:
    """All of them, batch statistics included: what has to be stored."""
    return int(network.count_params())


def _leaves(network: Any) -> Iterator[Any]:
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        else:
            yield layer


def _of_layer(layer: Any) -> int:
    if isinstance(layer, layers.Dense):
        return int(layer.kernel.shape[0] * layer.kernel.shape[1])
    if isinstance(layer, layers.SeparableConv2D):
        places = math.prod(layer.output.shape[1:3])
        return int(places * (math.prod(layer.depthwise_kernel.shape) + math.prod(layer.pointwise_kernel.shape)))
    if isinstance(layer, layers.Conv2DTranspose):
        return int(math.prod(layer.input.shape[1:3]) * math.prod(layer.kernel.shape))
    if isinstance(layer, layers.DepthwiseConv2D | layers.Conv2D):
        return int(math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape))
    return 0
