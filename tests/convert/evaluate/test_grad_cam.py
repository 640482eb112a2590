# SPDX-License-Identifier: Apache-2.0
"""Grad-CAM points at what a network's answer depends on, whatever the network ends in."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from convert.cadx.chain import chain_head, fit_chain
from convert.evaluate.grad_cam import grad_cam
from convert.recipes.recipe import Head
from convert.train.heads import build_head


def watching_base(side: int = 64) -> Any:
    """Maps (8, 8, 2): brightness, and darkness, of each place."""
    picture = keras.Input((side, side, 1))
    bright = keras.layers.AveragePooling2D(8)(keras.layers.Rescaling(1 / 255)(picture))
    dark = keras.layers.Rescaling(-1, offset=1)(bright)
    return keras.Model(picture, keras.layers.Concatenate()([bright, dark]))


def spot(row: int, column: int) -> np.ndarray:
    picture = np.zeros((64, 64, 1), np.uint8)
    picture[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = 255
    return picture


def linear_head(weights: list[list[float]]) -> Any:
    features = keras.Input((2,))
    head = keras.Model(features, keras.layers.Dense(3)(features))
    head.layers[-1].set_weights([np.array(weights, np.float32), np.zeros(3, np.float32)])
    return head


@pytest.mark.parametrize(("row", "column"), [(0, 0), (2, 5), (7, 7)])
def test_the_bright_spot_speaks_for_the_class_of_brightness(row: int, column: int) -> None:
    heat = grad_cam(watching_base(), linear_head([[0, 0, 1], [0, 0, 0]]), spot(row, column), 2)
    assert heat.shape == (8, 8)
    assert divmod(int(heat.argmax()), 8) == (row, column)
    assert heat.max() == 1.0
    assert np.count_nonzero(heat) == 1


def test_what_speaks_against_a_class_is_not_shown() -> None:
    assert not grad_cam(watching_base(), linear_head([[0, 0, -1], [0, 0, 0]]), spot(1, 1), 2).any()


def test_another_class_has_another_map() -> None:
    head = linear_head([[0, 0, 1], [0, 1, 0]])
    bright, dark = (grad_cam(watching_base(), head, spot(3, 3), label) for label in (2, 1))
    assert bright[3, 3] == 1.0
    assert dark[3, 3] == 0.0
    assert dark[0, 0] == 1.0


def test_a_head_of_convolutions_and_the_support_vectors_have_maps_too() -> None:
    base = watching_base()
    convolutions = build_head(Head(convolutions=(4,), dense=(8,)), (8, 8, 2))
    assert grad_cam(base, convolutions, spot(2, 2), 1).shape == (8, 8)
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    features = (labels[:, None] * np.array([0.3, -0.3]) + rng.normal(0, 0.05, (60, 2))).astype(np.float32)
    chain = fit_chain(features, labels, np.array([f"g{i}" for i in range(60)]), 2, 1.0, 5)
    heat = grad_cam(base, chain_head(chain), spot(4, 6), 2)
    assert np.isfinite(heat).all()
    assert heat.max() in (0.0, 1.0)
