# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite, the backbones that Keras does not offer: EfficientNet made for integers.

Against EfficientNet-B0 to B2 they have no squeeze-and-excitation (a global mean in the middle of a block needs a scale
of its own), ReLU6 instead of swish (a range that is known beforehand), and stem, first and last stage keep their depth,
stem and last layer their width (Liu 2020, the EfficientNet-Lite release; blocks: Tan and Le, ICML 2019, table 1).
"""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np


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

    Blocks are counted through from 0; ``block_N_expand_relu`` still has the resolution of the block's input, and
    ``block_N_add`` is the end of a block that adds its input (of the others, ``block_N_project_bn``). Weights files
    know layers by their kind and order and not by name, so the order of layers is part of the format.

    Args:
        input_shape: Height and width, multiples of 32, and the number of channels.
    """
    return _network(input_shape, 1.0, 1.0, "efficientnet_lite0")


def efficientnet_lite1(input_shape: tuple[int, int, int]) -> Any:
    """The same with 21 blocks instead of 16."""
    return _network(input_shape, 1.0, 1.1, "efficientnet_lite1")


def efficientnet_lite2(input_shape: tuple[int, int, int]) -> Any:
    """The same with 21 blocks that are a tenth wider."""
    return _network(input_shape, 1.1, 1.2, "efficientnet_lite2")


def load_published(network: Any, path: Path) -> None:
    """Give a network of three channels the weights of an ``.npz`` whose arrays have the names of the published ones.

    Args:
        network: One of the above.
        path: Arrays ``_conv_stem.weight``, ``_blocks.N._expand_conv.weight``, ``_bn0.running_mean`` and so on, kernels
            as (out, in, height, width).

    Raises:
        ValueError: An array is missing or does not fit.
        OSError: The file cannot be read.
    """
    with np.load(path, allow_pickle=False) as held:
        arrays = {name: held[name].astype(np.float32) for name in held.files}
    for layer in network.layers:
        if not layer.weights:
            continue
        names = _published_names(layer.name, isinstance(layer, keras.layers.BatchNormalization))
        missing = [name for name in names if name not in arrays]
        if missing:
            raise ValueError(f"{missing[0]} is missing")
        layer.set_weights([_as_keras(arrays[name], isinstance(layer, keras.layers.DepthwiseConv2D)) for name in names])


def _published_names(layer: str, normalises: bool) -> list[str]:
    """The arrays of a layer, in the order in which Keras wants them."""
    if not normalises:
        part = {"stem": "_conv_stem", "head": "_conv_head"}.get(layer)
        if part is None:
            _, number, what = layer.split("_")
            part = f"_blocks.{number}._{what}_conv"
        return [f"{part}.weight"]
    part = {"stem_bn": "_bn0", "head_bn": "_bn1"}.get(layer)
    if part is None:
        _, number, what, _ = layer.split("_")
        part = f"_blocks.{number}._bn{('expand', 'depthwise', 'project').index(what)}"
    return [f"{part}.{name}" for name in ("weight", "bias", "running_mean", "running_var")]


def _as_keras(array: Any, depthwise: bool) -> Any:
    if array.ndim != 4:
        return array
    return array.transpose(2, 3, 0, 1) if depthwise else array.transpose(2, 3, 1, 0)


def _network(input_shape: tuple[int, int, int], width: float, depth: float, name: str) -> Any:
    picture = keras.Input(input_shape)
    x = _normal(keras.layers.Conv2D(_STEM, 3, 2, padding="same", use_bias=False, name="stem")(picture), "stem")
    number = 0
    for place, stage in enumerate(_STAGES):
        outer = place in (0, len(_STAGES) - 1)
        wide = stage._replace(filters=_eighths(stage.filters * width))
        for repeat in range(stage.repeats if outer else ceil(stage.repeats * depth)):
            x = _block(x, wide, stage.stride if repeat == 0 else 1, f"block_{number}")
            number += 1
    x = _normal(keras.layers.Conv2D(_HEAD, 1, use_bias=False, name="head")(x), "head")
    return keras.Model(picture, x, name=name)


def _eighths(filters: float) -> int:
    """The next multiple of 8, and never less than nine tenths."""
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters else rounded


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
