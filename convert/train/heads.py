# SPDX-License-Identifier: Apache-2.0
"""What follows a recipe's network: convolution blocks, pooling, dense blocks, three logits."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from convert.recipes.recipe import Head
from device.inference.finding import CLASSES

_MOMENTUM = 0.9
"""Of the moving batch statistics: an epoch has a dozen steps, so Keras' 0.99 would lag behind."""

_MAPS = "maps"
"""Layer between the two parts of a whole network."""


def takes_pooled(head: Head) -> bool:
    """Whether a head needs no more than the averages of the network's maps."""
    return not head.convolutions and head.pool == "average"


def build_head(head: Head, shape: tuple[int, ...]) -> Any:
    """A head.

    Args:
        head: Of the recipe.
        shape: Of the maps, (h, w, c), or of their averages, (c,).

    Returns:
        Keras model from features to logits (n, 3).
    """
    features = x = keras.Input(shape, name="features")
    if len(shape) == 1:
        # Random networks answer on any scale; a fitted one is left nearly as it is.
        x = layers.BatchNormalization(momentum=_MOMENTUM, name="standard")(x)
    for number, filters in enumerate(head.convolutions):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"head_conv_{number}")(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=_MOMENTUM)(x))
    if len(shape) == 3:
        x = layers.GlobalAveragePooling2D()(x) if head.pool == "average" else layers.Flatten()(x)
    for number, units in enumerate(head.dense):
        x = layers.Dense(units, use_bias=False, name=f"head_dense_{number}")(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=_MOMENTUM)(x))
        x = layers.Dropout(head.dropout)(x)
    return keras.Model(features, layers.Dense(len(CLASSES), name="logits")(x), name="head")


def joined(base: Any, head: Any) -> Any:
    """Base and head as one network, from a picture's bytes as float to probabilities (n, 3); ``split`` undoes it."""
    maps = layers.Identity(name=_MAPS)(base.output)
    x = layers.GlobalAveragePooling2D()(maps) if len(head.input.shape) == 2 else maps
    return keras.Model(base.input, layers.Softmax(name="probabilities")(head(x)), name=base.name.removeprefix("base_"))


def split(network: Any) -> tuple[Any, Any]:
    """The two parts of a network of ``joined``, or of our own (``convert.train.network.build_network``).

    Returns:
        Keras models: from pictures to maps (n, h, w, c), and from maps or their averages (n, c) to logits (n, 3).
    """
    names = {layer.name for layer in network.layers}
    if _MAPS in names:
        return keras.Model(network.input, network.get_layer(_MAPS).output), network.get_layer("head")
    classes = network.get_layer("cam")
    maps = keras.Input(classes.input.shape[1:])
    logits = layers.GlobalAveragePooling2D()(classes(maps))
    return keras.Model(network.input, classes.input), keras.Model(maps, logits)
