# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

import numpy as np
import pytest

from device.capture.phantom.frames import PhantomSource, phantom_frame, phantom_scene
from device.capture.sources.source import FrameSource
from tests.patience import PATIENT_S


@pytest.fixture(autouse=True)
def _phantoms_drawn_once() -> None:
    """Not here: each is drawn anew."""


def test_same_arguments_give_the_same_frame_and_other_seeds_another_breast() -> None:
    assert np.array_equal(phantom_frame(3, "benign").pixels, phantom_frame(3, "benign").pixels)
    assert not np.array_equal(phantom_frame(3, "benign").pixels, phantom_frame(4, "benign").pixels)


def test_speckle_is_that_of_ultrasound() -> None:
    """Two compounded looks at Rayleigh speckle: the echo's mean over its deviation is about 1.91 * sqrt(2)."""
    pixels = phantom_frame(11, None, (640, 480)).pixels.astype(float)
    decibels = 58.0 * (pixels / 255.0) ** (1 / 1.25)
    patch = 10 ** (decibels[160:190] / 20.0)
    ratios = [p.mean() / p.std() for p in np.array_split(patch, 20, axis=1)]
    assert 1.8 < float(np.median(ratios)) < 3.6
    # The beam is wider than the pulse is long: neighbours across are more alike than neighbours down.
    texture = decibels[300:400] - decibels[300:400].mean()
    across = (texture[:, 3:] * texture[:, :-3]).mean()
    down = (texture[3:] * texture[:-3]).mean()
    assert across > down


@pytest.mark.parametrize("seed", range(4))
def test_a_lesion_is_darker_than_its_surroundings(seed: int) -> None:
    for kind in ("benign", "malignant"):
        scene = phantom_scene(seed, kind)
        rows, columns = np.nonzero(scene.lesion)
        band = scene.frame.pixels[rows.min() : rows.max()]
        outside = band[~scene.lesion[rows.min() : rows.max()]]
        assert scene.frame.pixels[scene.lesion].mean() < 0.7 * outside.mean()
        assert columns.size > 5000


@pytest.mark.parametrize("seed", range(4))
def test_behind_the_lesion_shadow_darkens_and_enhancement_brightens(seed: int) -> None:
    def behind(shadow: bool) -> float:
        scene = phantom_scene(seed, "benign", shadow=shadow)
        rows, columns = np.nonzero(scene.lesion)
        middle = slice(
            (columns.min() + columns.mean()).astype(int) // 2, (columns.max() + columns.mean()).astype(int) // 2
        )
        return float(scene.frame.pixels[rows.max() + 6 : rows.max() + 40, middle].mean())

    assert behind(True) + 25 < behind(False)


def test_the_screen_surrounds_the_sonogram_and_keeps_its_scale_to_itself() -> None:
    scene = phantom_scene(5, "malignant", (800, 600), screen=True)
    box, pixels = scene.sonogram, scene.frame.pixels
    assert pixels.shape == (600, 800, 3)
    assert scene.frame.spacing is None
    assert scene.frame.region is None
    inside = pixels[box.y : box.y + box.h, box.x : box.x + box.w]
    margins = np.ones(pixels.shape[:2], bool)
    margins[box.y : box.y + box.h, box.x : box.x + box.w] = False
    assert inside.mean() > 50
    assert np.median(pixels[margins]) < 45
    assert pixels[margins].max() > 180  # letters and ruler
    assert not scene.lesion[margins].any()
    assert np.array_equal(inside[..., 0], inside[..., 1])


def test_without_a_screen_millimetres_are_known() -> None:
    spacing = phantom_frame(1, size=(400, 380)).spacing
    assert spacing is not None
    assert spacing.y_mm == pytest.approx(0.1)


def test_the_live_phantom_moves_slowly_and_can_be_repeated() -> None:
    def take(count: int) -> list[np.ndarray]:
        source = PhantomSource(lesion="malignant", seed=2, size=(320, 240), paced=False)
        assert isinstance(source, FrameSource)
        source.open()
        frames = [frame.pixels.astype(int) for _ in range(count) if (frame := source.read())]
        source.close()
        assert source.read() is None
        return frames

    first, again = take(120), take(120)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    step = np.abs(first[1] - first[0]).mean()
    assert 0 < step < 8
    assert np.abs(first[119] - first[0]).mean() > 15


def test_closing_wakes_a_waiting_reader() -> None:
    source = PhantomSource(size=(64, 48), fps=0.01)
    source.open()
    got: list[object] = []
    reader = threading.Thread(target=lambda: got.append(source.read(timeout_s=10 * PATIENT_S)))
    reader.start()
    source.close()
    reader.join(PATIENT_S)
    assert not reader.is_alive()
    assert got == [None]
