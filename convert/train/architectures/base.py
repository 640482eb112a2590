# SPDX-License-Identifier: Apache-2.0
"""A network without its head, ready to be run: weights loaded, pictures scaled inside, frozen or to be trained."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from convert.train.architectures.seeds import draw_weights
from convert.train.architectures.table import TABLE, Architecture
from convert.train.architectures.weights import Weights, WeightsError, downloaded
from device.capture.phantom.frames import phantom_frame
from device.imaging.preprocess import cut_window, whole_window
from device.imaging.sonogram import to_grey

_SETTLED_ON = 12
"""Phantoms that the batch statistics of a random network are taken from."""


def build_base(architecture: str, size: int, channels: int, weights: Weights, frozen: bool, seed: int = 0) -> Any:
    """The network of a recipe up to its maps.

    Args:
        architecture: One of ``convert.recipes.architectures``.
        size: Side of the pictures.
        channels: 1 for grey, which is shown in three equal channels, or 3.
        weights: What it begins with.
        frozen: Whether it stays so.
        seed: Of random weights.

    Returns:
        Keras model from float32 (n, size, size, channels), 0..255, to maps (n, h, w, c).

    Raises:
        WeightsError: The weights cannot be had, or are not of this network.
    """
    known = TABLE[architecture]
    network = _with_weights(known, (size, size, 3), weights, seed)
    network.trainable = not frozen
    picture = keras.Input((size, size, channels), name="picture")
    base = keras.Model(picture, network(_scaled(picture, known)), name=f"base_{architecture}")
    if weights.kind == "random" and frozen:
        _settle(network, base, size, channels)
    return base


def _with_weights(known: Architecture, shape: tuple[int, int, int], weights: Weights, seed: int) -> Any:
    keras.utils.set_random_seed(seed)
    if weights.kind == "imagenet":
        if known.published is None:
            raise WeightsError(f"{known.title}: there are no ImageNet weights to download; give a file, or `random`")
        return downloaded(known.published, shape, known.title)
    network = known.make(shape)
    draw_weights(network, seed)
    if weights.kind == "file":
        try:
            network.load_weights(weights.path)
        except (ValueError, OSError) as error:
            raise WeightsError(f"{weights.path}: these are not weights of {known.title}: {error}") from error
    return network


def _scaled(picture: Any, known: Architecture) -> Any:
    channels = picture.shape[-1]
    x = keras.layers.Concatenate(name="three_channels")([picture] * 3) if channels == 1 else picture
    if known.reversed_channels and channels == 3:
        x = x[..., ::-1]
    scale, offset = (np.broadcast_to(np.asarray(v, np.float32), (3,)) for v in (known.scale, known.offset))
    if known.reversed_channels:
        scale, offset = scale[::-1], offset[::-1]
    if not (scale == 1).all() or offset.any():
        x = keras.layers.Rescaling(scale.tolist(), offset.tolist(), name="scale")(x)
    return x


def _settle(network: Any, base: Any, size: int, channels: int) -> None:
    """Give a random network the batch statistics of phantoms, or its signals would die out over hundreds of layers.

    No picture of a data set takes part, so the features of an image are the same in every split. As a compiled
    function it lets go of maps that are no longer needed: layer by layer, NASNet-Large would hold 14 GB of them.
    """
    normal = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if not normal:
        return
    momenta = [layer.momentum for layer in normal]
    network.trainable = True
    for layer in normal:
        layer.momentum = 0.0
    tf.function(lambda pictures: base(pictures, training=True))(tf.constant(_phantoms(size, channels)))
    for layer, momentum in zip(normal, momenta, strict=True):
        layer.momentum = momentum
    network.trainable = False


def _phantoms(size: int, channels: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    pictures = []
    for seed in range(_SETTLED_ON):
        grey = to_grey(phantom_frame(seed=seed, lesion=(None, "benign", "malignant")[seed % 3]).pixels)
        height, width = grey.shape
        pictures.append(cut_window(grey, whole_window(width, height), size))
    return np.repeat(np.stack(pictures)[..., None], channels, axis=3).astype(np.float32)
