# SPDX-License-Identifier: Apache-2.0
"""Names of the networks that recipes can ask for; no TensorFlow is needed to know them."""

from __future__ import annotations

SMALLEST = {
    "mobilenet_v2": 32,
    "efficientnet_lite0": 32,
    "simple_cnn": 32,
    "nasnet_mobile": 32,
    "resnet50": 32,
    "densenet201": 32,
    "inception_v3": 75,
    "vgg16": 32,
    "efficientnet_b7": 32,
    "alexnet": 67,
    "nasnet_large": 32,
}
"""The smallest side of a picture that each can take; the order is that of the time a recipe takes."""

ARCHITECTURES = tuple(SMALLEST)


def smallest_size(architecture: str) -> int:
    """The smallest side of a picture that an architecture can take."""
    return SMALLEST[architecture]
