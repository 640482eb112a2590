# SPDX-License-Identifier: Apache-2.0
"""The frozen first layers, run apart from training: they never change, so no gradient has to pass through them.

The first layers work at the highest resolution and take more than half of the time of a training step, although all
that training needs of them is their output. As a float ``.tflite`` they give the same features (up to rounding) several
times faster. Where TensorFlow is not the backend, Keras itself computes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convert.train.network import frozen_part

_AT_ONCE = 2
"""Pictures at a time: at 112 by 112 the features of more no longer fit into the caches of a small processor."""

_BATCH = 32
"""Pictures at a time where Keras computes the features."""

Features = NDArray[np.float32]


def frozen_features(network: Any) -> Callable[[Features], Features]:
    """From pictures, float32 (n, size, size, 1), to what the learned part of a network takes, float32 (n, h, w, c)."""
    return converted(frozen_part(network))


def converted(part: Any) -> Callable[[Features], Features]:
    """A Keras model with one input and one output as a function of batches, in float, fast on a processor."""
    if keras.backend.backend() == "tensorflow":
        return _Converted(part)
    return _InParts(part)


def flat(part: Any, names: Sequence[str]) -> Any:
    """The part with its outputs of these names as a single one, (n, k): each flattened, one after the other."""
    ends = [keras.layers.Flatten()(part.output[name]) for name in names]
    return keras.Model(part.input, keras.layers.Concatenate()(ends) if len(ends) > 1 else ends[0])


class _InParts:
    """The part as Keras computes it, a batch at a time: the validation part as a whole fills a graphics card."""

    def __init__(self, part: Any) -> None:
        self._part = part

    def __call__(self, pictures: Features) -> Features:
        starts = range(0, len(pictures), _BATCH)
        return np.concatenate([np.asarray(self._part.predict_on_batch(pictures[a : a + _BATCH])) for a in starts])


class _Converted:
    """The part as a float ``.tflite`` on one thread; the others are left to training."""

    def __init__(self, part: Any) -> None:
        from ai_edge_litert.interpreter import Interpreter

        from convert.quantise import to_float

        self._interpreter = Interpreter(model_content=to_float(part), num_threads=1)
        self._count = 0

    def __call__(self, pictures: Features) -> Features:
        parts = [self._run(pictures[at : at + _AT_ONCE]) for at in range(0, len(pictures), _AT_ONCE)]
        return np.concatenate(parts)

    def _run(self, pictures: Features) -> Features:
        entry = self._interpreter.get_input_details()[0]
        if len(pictures) != self._count:
            self._count = len(pictures)
            self._interpreter.resize_tensor_input(entry["index"], pictures.shape)
            self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(entry["index"], pictures)
        self._interpreter.invoke()
        return np.array(self._interpreter.get_tensor(self._interpreter.get_output_details()[0]["index"]), np.float32)
