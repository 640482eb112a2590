# SPDX-License-Identifier: Apache-2.0
"""Grad-CAM (Selvaraju et al. 2017): which places of a picture speak for a class, for every network that has a gradient.

One function serves all recipes: it takes the part that makes maps and the part that makes logits of them, which every
recipe has (``convert.train.heads.split``), be the second a dense layer or the support vectors of the mammography chain.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Heat = NDArray[np.float32]


def grad_cam(base: Any, head: Any, picture: NDArray[Any], label: int) -> Heat:
    """The heat map of one picture.

    Args:
        base: From pictures (n, h, w, c) to maps (n, a, b, k).
        head: From maps, or their averages (n, k), to logits.
        picture: (h, w, c), 0..255.
        label: Index of the class that is asked about.

    Returns:
        float32 (a, b), 0..1; all zero where nothing speaks for the class.
    """
    import tensorflow as tf

    maps = _maps(base, picture)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        score = _logits(head, maps)[:, label]
    slope = tape.gradient(score, maps)
    weights = tf.reduce_mean(slope, axis=(1, 2), keepdims=True)
    heat = np.maximum(tf.reduce_sum(weights * maps, axis=-1).numpy()[0], 0.0)
    return np.asarray(heat / max(float(heat.max()), 1e-12), np.float32)


def class_logits(base: Any, head: Any, picture: NDArray[Any]) -> NDArray[np.float64]:
    """Class logits (3,) of one picture; arguments as those of ``grad_cam``."""
    return np.asarray(_logits(head, _maps(base, picture))[0], np.float64)


def _maps(base: Any, picture: NDArray[Any]) -> Any:
    import tensorflow as tf

    return tf.convert_to_tensor(base(picture[None].astype(np.float32), training=False))


def _logits(head: Any, maps: Any) -> Any:
    import tensorflow as tf

    return head(tf.reduce_mean(maps, axis=(1, 2)) if len(head.input.shape) == 2 else maps, training=False)
