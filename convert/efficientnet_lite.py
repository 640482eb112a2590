"""EfficientNet-Lite0, the backbone that Keras does not offer: EfficientNet-B0 made for integers.

Against B0 it has no squeeze-and-excitation (a global mean in the middle of a block needs a scale of its own), ReLU6
instead of swish (a range that is known beforehand), and its stem and last layer keep their width (Liu 2020, the
EfficientNet-Lite release; blocks: Tan and Le, ICML 2019, table 1).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras


class _Stage(NamedTuple):
    repeats: int
    kernel: int
    stride: int
    expansion: int
    filters: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
_STEM, _HEAD = 32, 1280


def efficientnet_lite0(input_shape: tuple[int, int, int]) -> Any:
    """The network without head: from pictures scaled by (x - 127) / 128 to features (n, h / 32, w / 32, 1280).

    Blocks are counted through from 0 to 15; ``block_N_expand_relu`` still has the resolution of the block's input, and
    ``block_N_add`` is the end of a block that adds its input (of the others, ``block_N_project_bn``). Weights files
    know layers by their kind and order and not by name, so the order of layers is part of the format.

    Args:
        input_shape: Height and width, multiples of 32, and 3.
    """
    picture = keras.Input(input_shape)
    x = _normal(keras.layers.Conv2D(_STEM, 3, 2, padding="same", use_bias=False, name="stem")(picture), "stem")
    number = 0
    for stage in _STAGES:
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            x = _block(x, stage, stride, f"block_{number}")
            number += 1
    x = _normal(keras.layers.Conv2D(_HEAD, 1, use_bias=False, name="head")(x), "head")
    return keras.Model(picture, x, name="efficientnet_lite0")


def _block(inputs: Any, stage: _Stage, stride: int, name: str) -> Any:
    """Inverted residual (Sandler et al. 2018): widen, filter each channel, narrow without a non-linearity."""
    x, width = inputs, inputs.shape[-1]
    if stage.expansion != 1:
        wide = width * stage.expansion
        x = _normal(keras.layers.Conv2D(wide, 1, use_bias=False, name=f"{name}_expand")(x), f"{name}_expand")
    spread = keras.layers.DepthwiseConv2D(
        stage.kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )
    x = _normal(spread(x), f"{name}_depthwise")
    x = keras.layers.Conv2D(stage.filters, 1, use_bias=False, name=f"{name}_project")(x)
    x = keras.layers.BatchNormalization(name=f"{name}_project_bn")(x)
    if stride == 1 and width == stage.filters:
        x = keras.layers.Add(name=f"{name}_add")([inputs, x])
    return x


def _normal(x: Any, name: str) -> Any:
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(keras.layers.BatchNormalization(name=f"{name}_bn")(x))
