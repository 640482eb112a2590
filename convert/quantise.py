# SPDX-License-Identifier: Apache-2.0
"""From a trained Keras network to ``.tflite``: full-integer int8 for the device, and float to compare it with.

Post-training quantisation with one scale per channel for weights and one per tensor for activations. The representative
pictures that set the activation ranges are drawn from training examples only, with the training's own augmentation
switched to its mildest form: what the device will see, and nothing of the test part.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.data.corpus import Example
from convert.train.augment import Augmentation, draw_picture

_MILD = Augmentation(zoom=(1.0, 1.0), margin=(1.6, 2.0), stretch=1.0, rotate=0.0, beside_share=0.0, grey=False)


def representative_pictures(examples: Sequence[Example], size: int, count: int, seed: int) -> NDArray[np.float32]:
    """Pictures that set the ranges of the activations: float32 (count, size, size, 1).

    Args:
        examples: Training examples only.
        size: Side of the network's input.
        count: How many; a few hundred are enough for stable ranges.
        seed: Of the choice.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(examples), size=count, replace=count > len(examples))
    pictures = [draw_picture(examples[i], size, _MILD, rng).pixels for i in chosen]
    return np.stack(pictures).astype(np.float32)[..., None]


def to_int8(network: Any, representative: NDArray[np.float32], whole: bool = True) -> bytes:
    """The network as a full-integer ``.tflite``: int8 in, int8 out, no float operation inside.

    Args:
        network: Keras model.
        representative: Pictures that set the ranges of activations, (n, h, w, c).
        whole: Otherwise operations without an integer form stay in float, and so do input and output.

    Raises:
        ValueError: The converter left an operation in float.
    """
    import tensorflow as tf

    def batches() -> Iterator[list[NDArray[np.float32]]]:
        for picture in representative:
            yield [picture[None]]

    with _exported(network) as folder:
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = batches
        if whole:
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = tf.int8
            converter.inference_output_type = tf.int8
        content = bytes(converter.convert())
    if whole:
        _check_integer(content)
    return content


def to_float(network: Any) -> bytes:
    """The same network as a float32 ``.tflite``, to measure what quantisation costs."""
    import tensorflow as tf

    with _exported(network) as folder:
        return bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


@contextmanager
def _exported(network: Any) -> Iterator[str]:
    """A temporary SavedModel of the network's inference graph."""
    with tempfile.TemporaryDirectory() as folder:
        network.export(folder, format="tf_saved_model", verbose=False)
        yield folder


def _check_integer(content: bytes) -> None:
    from ai_edge_litert.interpreter import Interpreter

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.tflite"
        path.write_bytes(content)
        details = Interpreter(model_path=str(path)).get_tensor_details()
    floats = [d["name"] for d in details if d["dtype"] == np.float32]
    if floats:
        raise ValueError(f"the converted network still computes in float: {', '.join(floats[:3])}")
