# SPDX-License-Identifier: Apache-2.0
"""One network, three answers: class maps, lesion mask and an embedding, on a backbone trained on ImageNet.

* ``cam`` (7, 7, 3) at an input of 224: what each place says for each class. Its mean over the places are the class
  logits, so the heat map costs nothing and always agrees with the answer (class activation mapping, Zhou et al. 2016;
  pooling and a linear layer commute).
* ``mask`` (56, 56, 1): lesion logits at a quarter of the input's resolution, from three scales of the backbone.
* ``embedding`` (channels,): pooled features at strides 8 and 16, for OOD detection.
  Texture at the scale of speckle and fibres tells muscle from breast far better than the last layer, which only knows
  classes; the coarser features keep OOD images further away than breasts on a scanner that was never seen.

Written against the Keras 3 API alone, so that it also trains with the JAX and PyTorch backends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from convert.train.architectures.weights import downloaded
from convert.train.batch_norm import FusedBatchNormalization, fuse_batch_norms, take_statistics
from convert.train.efficientnet_lite import (
    efficientnet_lite0,
    efficientnet_lite1,
    efficientnet_lite2,
    load_published,
)

_BATCH_MOMENTUM = 0.95
"""Of the moving batch statistics. Keras' backbones come with 0.999, made for epochs of thousands of steps: with a few
dozen steps an epoch the statistics would lag far behind the weights, and validation would see another network."""


_BORDER = "border"
_FROZEN = "frozen"
_LEARNED = "learned"


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
        mask: Whether the lesion mask is learned jointly; without it the mask says "no lesion" everywhere, so that
            there is no second pass either.
    """

    backbone: str = "mobilenet_v2"
    size: int = 224
    weights: str = "imagenet"
    frozen: str = "block_5_add"
    dropout: float = 0.3
    mask: bool = True


@dataclass(frozen=True, slots=True)
class _Backbone:
    """How a backbone is made and scales pixels, and what its layers are called.

    Attributes:
        make: From the input shape to the network without head and with random weights.
        offset: Subtracted from the grey levels.
        scale: What they are then multiplied with.
        taps: The layers that hold strides 8 and 16.
        frozen: The last layer that stays as pretrained by default, at the end of stride 8.
        published: The same network with ImageNet weights that Keras downloads; ``None`` where it offers none.
    """

    make: Callable[[tuple[int, int, int]], Any]
    offset: float
    scale: float
    taps: tuple[str, str]
    frozen: str
    published: Callable[[tuple[int, int, int]], Any] | None = None


_KNOWN = {
    "mobilenet_v2": _Backbone(
        lambda shape: keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=shape),
        offset=127.5,
        scale=1 / 127.5,
        taps=("block_6_expand_relu", "block_13_expand_relu"),
        frozen="block_5_add",
        published=lambda shape: keras.applications.MobileNetV2(include_top=False, input_shape=shape),
    ),
    "efficientnet_lite0": _Backbone(
        efficientnet_lite0,
        offset=127.0,
        scale=1 / 128,
        taps=("block_5_expand_relu", "block_11_expand_relu"),
        frozen="block_4_add",
    ),
    **{
        f"efficientnet_lite{number}": _Backbone(
            make,
            offset=127.0,
            scale=1 / 128,
            taps=("block_7_expand_relu", "block_15_expand_relu"),
            frozen="block_6_add",
        )
        for number, make in ((1, efficientnet_lite1), (2, efficientnet_lite2))
    },
}

BACKBONES = tuple(_KNOWN)


def frozen_by_default(backbone: str) -> str:
    """The layer up to which a backbone stays as pretrained by default.

    Raises:
        ValueError: The backbone is unknown.
    """
    return _known(backbone).frozen


def _known(backbone: str) -> _Backbone:
    if backbone not in _KNOWN:
        raise ValueError(f"{backbone}: unknown backbone; known are {', '.join(BACKBONES)}")
    return _KNOWN[backbone]


def build_network(spec: NetworkSpec) -> Any:
    """The network of a specification.

    Returns:
        A Keras model from float32 (n, size, size, 1), grey levels 0..255, to a dict of ``cam``, ``mask`` and
        ``embedding``. Scaling is inside, so that the converted network takes the very bytes of the picture.

    Raises:
        ValueError: The backbone is unknown, or its weights file does not exist or does not fit.
    """
    known = _known(spec.backbone)
    backbone = _pretrained(known, spec)
    grey = keras.Input((spec.size, spec.size, 1), name="picture")
    scaled = keras.layers.Rescaling(known.scale, offset=-known.offset * known.scale, name="scale")(grey)
    features = _features(backbone, known, spec, scaled)
    outputs = {
        "cam": _class_maps(features[-1], spec.dropout),
        "embedding": _embedding(features[:2]),
    }
    outputs["mask"] = _mask_decoder(features) if spec.mask else _no_lesion(features[0])
    return keras.Model(grey, outputs, name=f"{spec.backbone}_{spec.size}")


def frozen_part(network: Any) -> Any:
    """The part of a network of ``build_network`` that training leaves as it is: from pictures to its last features."""
    return keras.Model(network.input, network.get_layer(_BORDER).output)


def learned_part(network: Any, outputs: Sequence[str]) -> Any:
    """The part of a network that is trained, from the features of ``frozen_part`` to some of the outputs, by name.

    It shares its weights with ``network``.
    """
    return keras.Model(network.get_layer(_BORDER).output, {name: network.output[name] for name in outputs})


def adapt_statistics(network: Any, features: Iterable[Any]) -> None:
    """Let training begin with what the pretrained backbone of ``build_network`` computes (``take_statistics``).

    Args:
        network: Not trained yet.
        features: Batches of what ``frozen_part`` gives for training pictures, float32 (n, h, w, c) each, all of one n.

    Raises:
        ValueError: There is no batch.
    """
    learned = network.get_layer(_LEARNED)
    # Where layers are frozen the learned ones were cut out of a longer graph, in which their inputs still lie.
    frozen = [layer for layer in network.layers if layer.name == _FROZEN]
    entry = frozen[0].output if frozen else learned.input
    norms = [layer for layer in learned.layers if isinstance(layer, keras.layers.BatchNormalization)]
    take_statistics(entry, norms, features)


def _features(backbone: Any, known: _Backbone, spec: NetworkSpec, pictures: Any) -> list[Any]:
    """Features at strides 8, 16 and 32, with a marked border between what is frozen and what is learned."""
    start = backbone.get_layer(spec.frozen).output if spec.frozen else backbone.input
    if spec.frozen:
        pictures = keras.Model(backbone.input, start, name=_FROZEN)(pictures)
    border = keras.layers.Identity(name=_BORDER)(pictures)
    ends = [*(backbone.get_layer(name).output for name in known.taps), backbone.output]
    return list(keras.Model(start, ends, name=_LEARNED)(border))


def _pretrained(known: _Backbone, spec: NetworkSpec) -> Any:
    """The backbone for pictures of one grey channel, with its pretrained weights."""
    backbone = known.make((spec.size, spec.size, 1))
    colour = (spec.size, spec.size, 3)
    if spec.weights == "imagenet":
        if known.published is None:
            raise ValueError(f"{spec.backbone}: give its weights file; Keras does not offer this backbone")
        _take_grey(backbone, downloaded(known.published, colour, spec.backbone))
    elif spec.weights != "none":
        pretrained = known.make(colour)
        _load(pretrained, spec)
        _take_grey(backbone, pretrained)
    backbone = fuse_batch_norms(backbone, _BATCH_MOMENTUM)
    _freeze_until(backbone, spec.frozen, known.taps[0])
    return backbone


def _take_grey(backbone: Any, colour: Any) -> None:
    """Give a backbone of one channel the weights of one of three.

    Where red, green and blue are the same picture, a filter over the three does what their sum does over one. The first
    layer has the most places of all, so this saves a tenth of the network's time on the device.
    """
    first, *others = colour.get_weights()
    backbone.set_weights([first.sum(axis=2, keepdims=True), *others])


def _load(backbone: Any, spec: NetworkSpec) -> None:
    if not Path(spec.weights).is_file():
        raise ValueError(f"{spec.weights}: this weights file of the backbone does not exist")
    try:
        if spec.weights.endswith(".npz"):
            load_published(backbone, Path(spec.weights))
        else:
            backbone.load_weights(spec.weights)
    except (ValueError, OSError) as error:
        raise ValueError(f"{spec.weights}: these are not weights of {spec.backbone}: {error}") from error


def _freeze_until(backbone: Any, last: str, first_tap: str) -> None:
    """Keep the layers up to and with ``last`` as they are, batch statistics included."""
    if not last:
        return
    names = [layer.name for layer in backbone.layers]
    if last not in names:
        raise ValueError(f"{last}: the backbone has no layer of this name")
    if names.index(last) >= names.index(first_tap):
        raise ValueError(f"{last}: freeze a layer before {first_tap}, whose features the lesion mask is learned from")
    for layer in backbone.layers[: names.index(last) + 1]:
        layer.trainable = False


def _embedding(features: list[Any]) -> Any:
    pooled = [keras.layers.GlobalAveragePooling2D()(each) for each in features]
    return keras.layers.Concatenate(name="embedding")(pooled)


def _class_maps(features: Any, dropout: float) -> Any:
    """A linear class layer at every place; the mean over places is the logit."""
    kept = keras.layers.SpatialDropout2D(dropout, name="drop")(features)
    return keras.layers.Conv2D(3, 1, name="cam", dtype="float32")(kept)


def _mask_decoder(features: list[Any]) -> Any:
    """Top-down decoder with lateral connections (as in feature pyramids, Lin et al. 2017), depthwise for speed.

    It ends at stride 8 and only its last layer draws at stride 4: features of stride 4 would cost a tenth of the whole
    network's time.
    """
    top = _conv(features[2], 64, 1, "mask_top")
    for level, width in ((1, 64), (0, 48)):
        up = keras.layers.UpSampling2D(2, interpolation="bilinear", name=f"mask_up_{level}")(top)
        side = _conv(features[level], width, 1, f"mask_side_{level}")
        joined = keras.layers.Concatenate(name=f"mask_join_{level}")([up, side])
        spread = keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"mask_spread_{level}")(joined)
        top = _conv(spread, width, 1, f"mask_mix_{level}")
    return keras.layers.Conv2DTranspose(1, 4, strides=2, padding="same", name="mask", dtype="float32")(top)


def _no_lesion(features: Any) -> Any:
    """A mask that shows nothing, in the shape that the device expects."""
    certainly_not = keras.initializers.Constant(-8.0)
    layer = keras.layers.Conv2DTranspose(
        1, 2, strides=2, kernel_initializer="zeros", bias_initializer=certainly_not, name="mask"
    )
    layer.trainable = False
    return layer(features)


def _conv(inputs: Any, filters: int, kernel: int, name: str) -> Any:
    x = keras.layers.Conv2D(filters, kernel, padding="same", use_bias=False, name=name)(inputs)
    x = FusedBatchNormalization(momentum=_BATCH_MOMENTUM, name=f"{name}_bn")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x)


def class_logits(cam: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Class logits (n, 3) of class maps (n, h, w, 3): their mean over the places."""
    return np.asarray(cam.mean(axis=(1, 2)), dtype=np.float32)
