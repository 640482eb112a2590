# SPDX-License-Identifier: Apache-2.0
"""The classical chain finds a plain dark lesion and says nothing of a picture without any."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from convert.classical.chain import outline_lesion
from convert.evaluate.metrics import dice
from convert.recipes.library import load_recipe
from convert.recipes.recipe import OutlineRecipe
from device.capture.frame import Pixels


def breast(seed: int) -> tuple[Pixels, Pixels]:
    """Speckled tissue with a bright skin line above, muscle below and a dark oval between; and the oval's mask."""
    rng = np.random.default_rng(seed)
    tissue = np.full((240, 320), 120.0)
    tissue[:14] = 210
    tissue[205:] = 160
    mask = np.zeros((240, 320), np.uint8)
    cv2.ellipse(mask, (150 + 10 * seed, 110), (45, 28), 10, 0, 360, 1, -1)
    tissue[mask > 0] = 35
    return np.clip(tissue * rng.gamma(14.0, 1 / 14.0, tissue.shape), 1, 255).astype(np.uint8), mask


@pytest.mark.parametrize("edges", ["sobel", "canny", "prewitt", "roberts"])
@pytest.mark.parametrize("seed", [0, 3])
def test_a_dark_oval_is_outlined_by_every_operator(seed: int, edges: str) -> None:
    recipe = load_recipe("classical_outline")
    assert isinstance(recipe, OutlineRecipe)
    pixels, mask = breast(seed)
    found = outline_lesion(pixels, recipe.model_copy(update={"edges": edges}))
    assert found.shape == mask.shape
    assert dice(found[None] > 0, mask[None] > 0)[0] > 0.75


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (120, 160)])
def test_nothing_is_found_in_a_flat_picture_of_any_shape(shape: tuple[int, int]) -> None:
    recipe = load_recipe("classical_outline")
    assert isinstance(recipe, OutlineRecipe)
    assert not outline_lesion(np.full(shape, 80, np.uint8), recipe).any()
