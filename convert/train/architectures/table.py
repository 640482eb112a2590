# SPDX-License-Identifier: Apache-2.0
"""How each network is made and scales its pictures, and where its ImageNet weights come from.

Every base takes float32 pictures (n, size, size, 3) of 0..255 and gives maps (n, h, w, channels); scaling is inside, so
that an exported network takes the bytes of a picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from convert.recipes.architectures import ARCHITECTURES
from convert.train.architectures.plain import alexnet, simple_cnn
from convert.train.efficientnet_lite import efficientnet_lite0

Shape = tuple[int, int, int]

_CAFFE_MEANS = (123.68, 116.779, 103.939)
_TORCH_MEANS, _TORCH_DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Architecture:
    """One network.

    Attributes:
        title: As people write it.
        make: From the shape of a picture to the network without head, random weights.
        scale: What grey levels of red, green and blue are multiplied with.
        offset: What is then added.
        published: The same with ImageNet weights that Keras downloads; ``None`` where it offers none.
        reversed_channels: It was trained on blue, green, red.
    """

    title: str
    make: Callable[[Shape], Any]
    scale: tuple[float, ...] = (1.0,)
    offset: tuple[float, ...] = (0.0,)
    published: Callable[[Shape], Any] | None = None
    reversed_channels: bool = False


def _of_keras(
    title: str,
    name: str,
    scale: tuple[float, ...],
    offset: tuple[float, ...],
    reversed_channels: bool = False,
) -> Architecture:
    function = getattr(keras.applications, name)
    return Architecture(
        title,
        lambda shape: function(weights=None, include_top=False, input_shape=shape),
        scale,
        offset,
        lambda shape: function(weights="imagenet", include_top=False, input_shape=shape),
        reversed_channels,
    )


_UNIT = ((1 / 255,), (0.0,))
_AROUND_ZERO = ((1 / 127.5,), (-1.0,))
_CAFFE = ((1.0,), tuple(-mean for mean in _CAFFE_MEANS))
_TORCH = (
    tuple(1 / (255 * deviation) for deviation in _TORCH_DEVIATIONS),
    tuple(-mean / deviation for mean, deviation in zip(_TORCH_MEANS, _TORCH_DEVIATIONS, strict=True)),
)


TABLE = {
    "simple_cnn": Architecture("simple CNN", simple_cnn, *_UNIT),
    "alexnet": Architecture("AlexNet", alexnet, *_UNIT),
    "vgg16": _of_keras("VGG16", "VGG16", *_CAFFE, reversed_channels=True),
    "resnet50": _of_keras("ResNet50", "ResNet50", *_CAFFE, reversed_channels=True),
    "densenet201": _of_keras("DenseNet201", "DenseNet201", *_TORCH),
    "inception_v3": _of_keras("InceptionV3", "InceptionV3", *_AROUND_ZERO),
    "nasnet_mobile": _of_keras("NASNet-Mobile", "NASNetMobile", *_AROUND_ZERO),
    "nasnet_large": _of_keras("NASNet-Large", "NASNetLarge", *_AROUND_ZERO),
    # Keras' EfficientNet scales inside.
    "efficientnet_b7": _of_keras("EfficientNet-B7", "EfficientNetB7", (1.0,), (0.0,)),
    "mobilenet_v2": _of_keras("MobileNetV2", "MobileNetV2", *_AROUND_ZERO),
    "efficientnet_lite0": Architecture("EfficientNet-Lite0", efficientnet_lite0, (1 / 128,), (-127 / 128,)),
}
assert set(TABLE) == set(ARCHITECTURES)  # noqa: S101 - two lists of one thing: the light one is for the command line
