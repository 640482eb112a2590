# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from device.capture.frame import Pixels
from device.imaging import operators


def step() -> Pixels:
    pixels = np.full((80, 120), 60, np.uint8)
    pixels[:, 60:] = 180
    return pixels


def test_wiener_calms_flat_tissue_and_keeps_the_edge() -> None:
    noisy = np.clip(step() + np.random.default_rng(2).normal(0, 10, (80, 120)), 0, 255).astype(np.uint8)
    seen = operators.wiener(noisy).astype(float)
    assert seen[:, 5:50].std() < 0.6 * noisy[:, 5:50].std()
    assert seen[5:-5, 63].mean() - seen[5:-5, 56].mean() > 100


def test_wiener_of_a_flat_picture_changes_nothing() -> None:
    flat = np.full((30, 40), 77, np.uint8)
    np.testing.assert_array_equal(operators.wiener(flat), flat)


@pytest.mark.parametrize("view", [operators.prewitt, operators.roberts])
def test_edges_are_where_the_step_is_and_nowhere_else(view: Callable[[Pixels], Pixels]) -> None:
    for pixels in (step(), np.ascontiguousarray(step().T)):
        seen = view(pixels)
        along = seen.max(axis=0) if pixels.shape[1] == 120 else seen.max(axis=1)
        assert along[58:62].max() == 255
        assert along[:50].max() == 0
        assert along[70:].max() == 0
    assert not view(np.full((60, 80), 90, np.uint8)).any()


def test_dark_parts_are_a_cyst_whatever_the_margin() -> None:
    tissue = np.full((100, 140), 120, np.uint8)
    cv2.circle(tissue, (70, 50), 20, 30, -1)
    tissue[:, :15] = 0  # a black margin must not be the only thing called dark
    dark = operators.dark_parts(tissue)
    assert dark[50, 70] == 255
    assert dark[10, 100] == 0
    assert not operators.dark_parts(np.full((5, 5), 9, np.uint8)).any()
    assert not operators.dark_parts(np.zeros((5, 5), np.uint8)).any()


def test_the_region_lies_between_the_layers_above_and_below() -> None:
    edges = np.zeros((200, 300), np.uint8)
    cv2.line(edges, (0, 30), (299, 34), 255, 2)
    cv2.line(edges, (0, 170), (299, 166), 255, 2)
    cv2.line(edges, (150, 0), (150, 199), 255, 2)  # a shadow's edge is no layer
    box = operators.layer_region(edges)
    assert (box.x, box.w) == (0, 300)
    assert abs(box.y - 32) <= 4
    assert abs(box.y + box.h - 168) <= 4


def test_without_lines_the_region_is_the_whole_picture() -> None:
    box = operators.layer_region(np.zeros((40, 60), np.uint8))
    assert (box.x, box.y, box.w, box.h) == (0, 0, 60, 40)
