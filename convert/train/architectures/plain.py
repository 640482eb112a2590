# SPDX-License-Identifier: Apache-2.0
"""The two networks without pretrained weights: a simple CNN, and AlexNet."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


def simple_cnn(shape: tuple[int, int, int]) -> Any:
    """Four blocks of a 3x3 convolution, batch norm, ReLU and pooling: the basic model that papers train from scratch.

    Args:
        shape: Height, width and channels.

    Returns:
        The network without head: from pictures scaled to 0..1 to maps (n, h / 16, w / 16, 128).
    """
    picture = x = keras.Input(shape)
    for filters in (32, 64, 128, 128):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.MaxPooling2D()(layers.ReLU()(x))
    return keras.Model(picture, x, name="simple_cnn")


def alexnet(shape: tuple[int, int, int]) -> Any:
    """AlexNet's five convolutions (Krizhevsky et al. 2012) in one column, batch norm for local response normalisation.

    Its two dense layers of 4096 units are the head's: ``head.dense`` of the recipe.

    Args:
        shape: Height, width and channels; 227 in the paper.

    Returns:
        The network without head: from pictures scaled to 0..1 to maps (n, 6, 6, 256) at 227.
    """
    picture = x = keras.Input(shape)
    for filters, kernel, stride, pooled in ((96, 11, 4, True), (256, 5, 1, True), (384, 3, 1, False)):
        x = _block(x, filters, kernel, stride)
        x = layers.MaxPooling2D(3, 2)(x) if pooled else x
    x = _block(_block(x, 384, 3, 1), 256, 3, 1)
    return keras.Model(picture, layers.MaxPooling2D(3, 2)(x), name="alexnet")


def _block(x: Any, filters: int, kernel: int, stride: int) -> Any:
    padding = "valid" if stride > 1 else "same"
    x = layers.Conv2D(filters, kernel, stride, padding=padding, use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
