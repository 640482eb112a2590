"""One network, three answers: class maps, lesion mask and an embedding, on a backbone trained on ImageNet.

* ``cam`` (7, 7, 3) at an input of 224: what each place says for each class. Its mean over the places are the class
  logits, so the heat map costs nothing and always agrees with the answer (class activation mapping, Zhou et al. 2016;
  pooling and a linear layer commute).
* ``mask`` (56, 56, 1): lesion logits at a quarter of the input's resolution, from four scales of the backbone.
* ``embedding`` (channels,): pooled features at stride 8, for the rejection of what is not breast ultrasound. Texture at
  the scale of speckle and fibres tells muscle from breast far better than the last layer, which only knows classes.

Written against the Keras 3 API alone, so that it also trains with the JAX and PyTorch backends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

BACKBONES = ("mobilenet_v2",)


_BATCH_MOMENTUM = 0.95
"""Of the moving batch statistics. Keras' backbones come with 0.999, made for epochs of thousands of steps: with a few
dozen steps an epoch the statistics would lag far behind the weights, and validation would see another network."""


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """What network to build.

    Attributes:
        backbone: One of ``BACKBONES``.
        size: Side of the input in pixels.
        weights: Backbone file (``.weights.h5``, without head), ``imagenet`` (downloaded by Keras) or ``none``.
        frozen: Name of the last backbone layer that stays as pretrained; empty trains all. The first layers cost the
            most time and hold the most general features.
        dropout: Before the class layer.
        mask: Whether the lesion mask is learned jointly.
    """

    backbone: str = "mobilenet_v2"
    size: int = 224
    weights: str = "imagenet"
    frozen: str = "block_5_add"
    dropout: float = 0.3
    mask: bool = True


@dataclass(frozen=True, slots=True)
class _Backbone:
    """How a backbone is made, how it scales pixels, and which layers hold strides 4, 8 and 16."""

    make: Callable[..., Any]
    offset: float
    scale: float
    taps: tuple[str, str, str]
    weights_from_keras: bool


_KNOWN = {
    "mobilenet_v2": _Backbone(
        keras.applications.MobileNetV2,
        offset=127.5,
        scale=1 / 127.5,
        taps=("block_3_expand_relu", "block_6_expand_relu", "block_13_expand_relu"),
        weights_from_keras=True,
    ),
}


def build_network(spec: NetworkSpec) -> Any:
    """The network of a specification.

    Returns:
        A Keras model from float32 (n, size, size, 1), grey levels 0..255, to a dict of ``cam``, ``mask`` and
        ``embedding``. Scaling is inside, so that the converted network takes the very bytes of the picture.

    Raises:
        ValueError: The backbone is unknown, or its weights file does not exist or does not fit.
    """
    if spec.backbone not in _KNOWN:
        raise ValueError(f"{spec.backbone}: unknown backbone; known are {', '.join(BACKBONES)}")
    known = _KNOWN[spec.backbone]
    backbone = _pretrained(known, spec)
    grey = keras.Input((spec.size, spec.size, 1), name="picture")
    scaled = keras.layers.Rescaling(known.scale, offset=-known.offset * known.scale, name="scale")(grey)
    taps = keras.Model(backbone.input, [*(backbone.get_layer(n).output for n in known.taps), backbone.output])
    features = taps(keras.layers.Concatenate(name="grey_to_rgb")([scaled, scaled, scaled]))
    outputs = {
        "cam": _class_maps(features[-1], spec.dropout),
        "embedding": keras.layers.GlobalAveragePooling2D(name="embedding")(features[1]),
    }
    if spec.mask:
        outputs["mask"] = _mask_decoder(features)
    return keras.Model(grey, outputs, name=f"{spec.backbone}_{spec.size}")


def _pretrained(known: _Backbone, spec: NetworkSpec) -> Any:
    shape = (spec.size, spec.size, 3)
    if spec.weights == "none":
        backbone = known.make(weights=None, include_top=False, input_shape=shape)
    elif spec.weights == "imagenet":
        if not known.weights_from_keras:
            raise ValueError(f"{spec.backbone}: give its weights file; Keras does not offer this backbone")
        backbone = known.make(weights="imagenet", include_top=False, input_shape=shape)
    else:
        if not Path(spec.weights).is_file():
            raise ValueError(f"{spec.weights}: this weights file of the backbone does not exist")
        backbone = known.make(weights=None, include_top=False, pooling="avg", input_shape=shape)
        backbone.load_weights(spec.weights)
        backbone = keras.Model(backbone.input, backbone.layers[-2].output)
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = _BATCH_MOMENTUM
    _freeze_until(backbone, spec.frozen)
    return backbone


def _freeze_until(backbone: Any, last: str) -> None:
    """Keep the layers up to and with ``last`` as they are, batch statistics included."""
    if not last:
        return
    names = [layer.name for layer in backbone.layers]
    if last not in names:
        raise ValueError(f"{last}: the backbone has no layer of this name")
    for layer in backbone.layers[: names.index(last) + 1]:
        layer.trainable = False


def _class_maps(features: Any, dropout: float) -> Any:
    """A linear class layer at every place; the mean over places is the logit."""
    kept = keras.layers.SpatialDropout2D(dropout, name="drop")(features)
    return keras.layers.Conv2D(3, 1, name="cam", dtype="float32")(kept)


def _mask_decoder(features: list[Any]) -> Any:
    """Top-down decoder with lateral connections (as in feature pyramids, Lin et al. 2017), depthwise for speed."""
    widths = (32, 48, 64)
    top = _conv(features[3], 64, 1, "mask_top")
    for level in (2, 1, 0):
        up = keras.layers.UpSampling2D(2, interpolation="bilinear", name=f"mask_up_{level}")(top)
        side = _conv(features[level], widths[level], 1, f"mask_side_{level}")
        joined = keras.layers.Concatenate(name=f"mask_join_{level}")([up, side])
        spread = keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"mask_spread_{level}")(joined)
        top = _conv(spread, widths[level], 1, f"mask_mix_{level}")
    return keras.layers.Conv2D(1, 3, padding="same", name="mask", dtype="float32")(top)


def _conv(inputs: Any, filters: int, kernel: int, name: str) -> Any:
    x = keras.layers.Conv2D(filters, kernel, padding="same", use_bias=False, name=name)(inputs)
    x = keras.layers.BatchNormalization(momentum=_BATCH_MOMENTUM, name=f"{name}_bn")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x)


def class_logits(cam: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Class logits (n, 3) of class maps (n, h, w, 3): their mean over the places."""
    return np.asarray(cam.mean(axis=(1, 2)), dtype=np.float32)
