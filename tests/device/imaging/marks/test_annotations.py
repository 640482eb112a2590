# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from device.capture.frame import Box, Pixels, Point
from device.imaging.marks import annotations as overlay
from device.imaging.marks.annotations import Marks, draw
from device.imaging.marks.styles import OUTLINE

CONTOUR = tuple(
    (160 + 60 * math.cos(t), 120 + 40 * math.sin(t)) for t in np.linspace(0, 2 * math.pi, 48, endpoint=False)
)
AXIS = ((100.0, 120.0), (220.0, 120.0))
ALL = Marks(
    contour=CONTOUR,
    long_axis=AXIS,
    callipers=[((160.0, 60.0), (160.0, 200.0))],
    heat_map=np.full((10, 10), 200, np.uint8),
    heat_box=Box(20, 20, 280, 200),
)


def luminance(rgb: NDArray[np.generic]) -> NDArray[np.float64]:
    """Relative luminance by WCAG 2, 0..1."""
    share = np.asarray(rgb, np.float64) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ [0.2126, 0.7152, 0.0722])


def contrast(brighter: float, darker: float) -> float:
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("shape", [(240, 320), (240, 320, 3)])
def test_the_drawing_is_a_copy_in_colour(shape: tuple[int, ...]) -> None:
    pixels = np.full(shape, 90, np.uint8)
    pixels.flags.writeable = False
    drawn = draw(pixels, ALL)
    assert drawn.shape == (240, 320, 3)
    assert drawn.dtype == np.uint8
    assert (pixels == 90).all()
    assert (drawn != 90).any()


def test_without_marks_the_frame_is_unchanged() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    np.testing.assert_array_equal(draw(pixels, Marks()), pixels)


@pytest.mark.parametrize("tissue", [0, 60, 120, 180, 255])
@pytest.mark.parametrize("marks", [Marks(contour=CONTOUR), Marks(long_axis=AXIS), Marks(callipers=[AXIS])])
def test_every_line_stands_out_on_any_tissue(marks: Marks, tissue: int) -> None:
    """Line or halo differs from the tissue by 3:1 (WCAG 2 for graphics), also in a grey print."""
    drawn = draw(np.full((240, 320), tissue, np.uint8), marks, line_px=3.0)
    seen = luminance(drawn)
    background = float(luminance(np.full(3, tissue)))
    across = seen[112:129, 150:171] if marks.long_axis or marks.callipers else seen[150:171, 155:160]
    assert max(contrast(across.max(), background), contrast(background, across.min())) >= 3.0
    assert contrast(across.max(), across.min()) >= 3.0


@pytest.mark.parametrize("line_px", [1.5, 3.0, 6.0])
def test_the_outline_is_where_the_contour_is(line_px: float) -> None:
    drawn = draw(np.full((240, 320), 90, np.uint8), Marks(contour=CONTOUR), line_px).astype(int)
    for x, y in CONTOUR:
        assert np.abs(drawn[round(y), round(x)] - OUTLINE.colour).max() < 90
    ys, xs = np.nonzero((drawn != 90).any(axis=2))
    radius = np.hypot((xs - 160) / 60, (ys - 120) / 40)
    assert radius.min() > 1 - 3 * line_px / 40
    assert radius.max() < 1 + 3 * line_px / 40


def test_the_shapes_differ_and_not_only_their_colours() -> None:
    """In grey, an unbroken line, ticks at the ends and dashes still tell outline, long axis and calliper apart."""

    def bright(marks: Marks) -> NDArray[np.bool_]:
        return np.asarray(draw(np.zeros((240, 320), np.uint8), marks, 3.0).max(axis=2) > 80)

    axis, calliper = bright(Marks(long_axis=AXIS)), bright(Marks(callipers=[AXIS]))
    between = slice(115, 206)
    assert axis[120, between].all()
    assert 0.25 < calliper[120, between].mean() < 0.8
    assert axis[111:130, 100].all()  # the end tick goes across
    assert axis[105:136, 226:300].any()  # and a letter stands behind the end
    assert not axis[105:136, :90].any()


def test_a_label_never_leaves_the_picture() -> None:
    inside = draw(np.zeros((240, 320), np.uint8), Marks(long_axis=((100.0, 120.0), (318.0, 120.0))), 3.0)
    plain = draw(np.zeros((240, 320), np.uint8), Marks(contour=((100, 119), (318, 120), (100, 121))), 3.0)
    above = slice(100, 112)
    assert inside[above, 280:].any()
    assert not plain[above, 280:].any()


def test_heat_fades_with_the_map_and_stays_in_its_box() -> None:
    tissue = np.full((240, 320), 120, np.uint8)
    heat = np.zeros((100, 140), np.uint8)
    heat[:, 70:] = 255
    drawn = overlay.blend_heat(tissue, heat, Box(20, 20, 280, 200)).astype(int)
    assert (drawn[:20] == 120).all()
    assert (drawn[:, 300:] == 120).all()
    assert (drawn[50, 60] == 120).all()
    hot = drawn[50, 260]
    assert hot[0] > 160 > 110 > hot[2]  # cividis ends in yellow


def test_a_heat_map_that_leaves_the_frame_is_cut_and_not_moved() -> None:
    heat: Pixels = np.zeros((40, 40), np.uint8)
    heat[20:, 20:] = 255
    drawn = overlay.blend_heat(np.full((100, 100), 50, np.uint8), heat, Box(-20, -20, 80, 80)).astype(int)
    assert (drawn[10, 10] == 50).all()
    assert (drawn[45, 45] != 50).any()
    assert (drawn[61:, 61:] == 50).all()
    gone = overlay.blend_heat(np.full((9, 9), 50, np.uint8), heat, Box(200, 200, 10, 10))
    assert (gone == 50).all()


@pytest.mark.parametrize(
    "points", [((5.0, 5.0), (5.0, 5.0)), ((-900.0, 40.0), (900.0, 1e5)), ((0.0, 0.0), (319.0, 239.0))]
)
def test_odd_points_do_no_harm(points: tuple[Point, Point]) -> None:
    drawn = draw(
        np.zeros((240, 320), np.uint8), Marks(long_axis=points, callipers=[points], contour=(*points, (9.0, 9.0)))
    )
    assert drawn.shape == (240, 320, 3)
    assert draw(np.zeros((1, 1), np.uint8), Marks(long_axis=points)).shape == (1, 1, 3)
