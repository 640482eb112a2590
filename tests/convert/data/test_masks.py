# SPDX-License-Identifier: Apache-2.0
"""A mask is read the same however it was stored."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from convert.data.corpus import load_example
from convert.data.datasets.sample import DatasetError, Sample
from convert.data.masks import read_mask


def lesion() -> np.ndarray:
    mask = np.zeros((90, 120), np.uint8)
    cv2.ellipse(mask, (60, 45), (25, 14), 0, 0, 360, 255, -1)
    return mask


def stored(tmp_path: Path, pixels: np.ndarray, suffix: str = ".png", quality: int = 60) -> Path:
    path = tmp_path / f"mask{suffix}"
    assert cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix == ".jpg" else [])
    return path


@pytest.mark.parametrize("quality", [20, 60, 95])
def test_jpeg_moves_the_edge_by_no_more_than_a_pixel(tmp_path: Path, quality: int) -> None:
    found = read_mask(stored(tmp_path, lesion(), ".jpg", quality))
    true = lesion() > 0
    near = cv2.dilate(true.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    inner = cv2.erode(true.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert not (found[~near]).any()
    assert found[inner].all()


def test_an_empty_mask_saved_as_jpeg_stays_empty(tmp_path: Path) -> None:
    noisy = np.zeros((64, 64), np.uint8)
    noisy[::9, ::7] = 6
    noisy[::11, ::5] = 3
    assert not read_mask(stored(tmp_path, noisy)).any()
    assert not read_mask(stored(tmp_path, np.zeros((64, 64), np.uint8), ".jpg")).any()


@pytest.mark.parametrize("level", [1, 2, 38, 128, 255])
def test_any_two_levels_are_read_alike(tmp_path: Path, level: int) -> None:
    np.testing.assert_array_equal(read_mask(stored(tmp_path, lesion() // 255 * level)), lesion() // 255)


@pytest.mark.parametrize("level", [1, 255, 65535])
def test_sixteen_bits_are_read_alike(tmp_path: Path, level: int) -> None:
    deep = (lesion() > 0).astype(np.uint16) * level
    np.testing.assert_array_equal(read_mask(stored(tmp_path, deep)), lesion() // 255)


def test_a_lesion_drawn_in_alpha_is_the_lesion_and_not_the_whole_picture(tmp_path: Path) -> None:
    for colour in (0, 255):
        drawn = np.full((90, 120, 4), colour, np.uint8)
        drawn[..., 3] = lesion()
        np.testing.assert_array_equal(read_mask(stored(tmp_path, drawn)), lesion() // 255)


def test_an_opaque_alpha_changes_nothing(tmp_path: Path) -> None:
    drawn = np.dstack([lesion()] * 3 + [np.full((90, 120), 255, np.uint8)])
    np.testing.assert_array_equal(read_mask(stored(tmp_path, drawn)), lesion() // 255)


def test_a_coloured_lesion_on_black_is_found(tmp_path: Path) -> None:
    drawn = np.dstack([np.zeros_like(lesion()), np.zeros_like(lesion()), lesion()])
    np.testing.assert_array_equal(read_mask(stored(tmp_path, drawn)), lesion() // 255)


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("no picture")
    with pytest.raises(DatasetError, match=r"x\.png"):
        read_mask(tmp_path / "x.png")
    with pytest.raises(DatasetError, match="missing"):
        read_mask(tmp_path / "y.png")


def test_an_example_has_the_lesion_of_its_alpha_mask(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(40, 200, (90, 120), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "image.png"), picture)
    drawn = np.full((90, 120, 4), 255, np.uint8)
    drawn[..., 3] = lesion()
    mask = stored(tmp_path, drawn)
    example = load_example(Sample("a", "busi", tmp_path / "image.png", (mask,), 1, "g", "busi"))
    assert example.lesion is not None
    assert example.mask.mean() == pytest.approx((lesion() > 0).mean(), rel=0.1)


def two_lesions(first: int, second: int) -> np.ndarray:
    mask = np.where(lesion() > 0, first, 0).astype(np.uint8)
    mask[5:15, 5:20] = second
    return mask


@pytest.mark.parametrize("levels", [(1, 2), (2, 1), (255, 100), (100, 255), (255, 255), (64, 128)])
def test_lesions_of_other_levels_all_count(tmp_path: Path, levels: tuple[int, int]) -> None:
    """Numbers of lesions were taken for noise and gave an empty mask; the darker of two greys was lost."""
    np.testing.assert_array_equal(read_mask(stored(tmp_path, two_lesions(*levels))), two_lesions(1, 1))


def test_three_numbered_lesions_that_touch_all_count(tmp_path: Path) -> None:
    numbered = (lesion() > 0) * np.where(np.arange(120) < 50, 1, np.where(np.arange(120) < 70, 2, 3))
    np.testing.assert_array_equal(read_mask(stored(tmp_path, numbered.astype(np.uint8))), lesion() // 255)


def test_the_fringe_of_a_smooth_edge_is_no_lesion(tmp_path: Path) -> None:
    smooth = cv2.GaussianBlur(lesion(), (7, 7), 0)
    np.testing.assert_array_equal(read_mask(stored(tmp_path, smooth)), smooth > 127)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_negative_is_refused_by_saying_so(tmp_path: Path, suffix: str) -> None:
    """It made the whole picture but the lesion a lesion."""
    with pytest.raises(DatasetError, match="black on white"):
        read_mask(stored(tmp_path, 255 - lesion(), suffix))
    assert read_mask(stored(tmp_path, np.full((40, 40), 255, np.uint8))).all()


@pytest.mark.parametrize("alpha", [0, 90, 127, 200])
def test_overlays_of_any_transparency(tmp_path: Path, alpha: int) -> None:
    mask = lesion()
    red = np.dstack([mask * 0, mask * 0, mask, np.where(mask > 0, alpha, 0).astype(np.uint8)])
    np.testing.assert_array_equal(read_mask(stored(tmp_path, red)), mask // 255)


def test_what_is_no_number_is_no_lesion(tmp_path: Path) -> None:
    path = tmp_path / "mask.tif"
    Image.fromarray(np.where(lesion() > 0, 1, np.nan).astype(np.float32)).save(path)
    np.testing.assert_array_equal(read_mask(path), lesion() // 255)
