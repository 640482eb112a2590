# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from device.capture.frame import Frame
from device.imaging.perspective import SCREEN_ASPECTS, FourCorners
from device.imaging.screen_finder import find_screen
from tests.pictures import read_rgb


def mean_error(found: FourCorners | None, truth: Any) -> float:
    """Mean distance of the corners in pixels; infinite when there is no proposal."""
    if found is None:
        return math.inf
    return float(np.mean([math.dist(*pair) for pair in zip(found.points, truth, strict=True)]))


def poses(count: int, seed: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [
        {
            "seed": trial,
            "aspect": SCREEN_ASPECTS[trial % 4],
            "tilt": tuple(rng.uniform(-25, 25, 2)),
            "roll": float(rng.uniform(-8, 8)),
            "fill": float(rng.uniform(0.5, 0.72)),
        }
        for trial in range(count)
    ]


def test_the_corners_of_photographed_screens_are_found_to_a_pixel(photograph: Any) -> None:
    errors = []
    for pose in poses(16, seed=11):
        taken = photograph(**pose)
        errors.append(mean_error(find_screen(taken.frame), taken.corners))
    assert np.median(errors) < 0.5
    assert np.mean(np.array(errors) < 2.0) >= 0.9


def test_sensor_noise_costs_little(photograph: Any) -> None:
    errors = []
    for pose in poses(8, seed=12):
        taken = photograph(**pose, noise=14.0)
        errors.append(mean_error(find_screen(taken.frame), taken.corners))
    assert np.median(errors) < 1.0


def test_a_corner_in_the_shade_and_a_reflection_move_nothing(photograph: Any) -> None:
    taken = photograph(6, fill=0.7)
    spoilt = taken.frame.pixels.copy()
    x, y = taken.corners[2]
    cv2.circle(spoilt, (round(x), round(y)), 25, (10, 10, 10), -1)
    middle = np.mean(taken.corners, axis=0)
    cv2.circle(spoilt, (round(middle[0]), round(middle[1]) - 60), 60, (255, 255, 255), -1)
    assert mean_error(find_screen(Frame(spoilt, "camera")), taken.corners) < 2.0


def test_real_sonograms_on_a_screen_in_a_photograph(photograph: Any, shared: Path) -> None:
    rooms = sorted((shared / "data/ood/photos").iterdir())
    errors = []
    for pose, file in zip(poses(12, seed=13), sorted((shared / "data/frames").glob("*.png"))[::2], strict=True):
        sonogram = read_rgb(file)
        room = read_rgb(rooms[pose["seed"]])
        screen = np.full((768, round(768 * pose["aspect"]), 3), 40, np.uint8)
        scale = min(0.75 * screen.shape[1] / sonogram.shape[1], 0.8 * 768 / sonogram.shape[0])
        shown = cv2.resize(sonogram, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        screen[80 : 80 + shown.shape[0], 120 : 120 + shown.shape[1]] = shown
        taken = photograph(**pose, screen=screen, room=room)
        errors.append(mean_error(find_screen(taken.frame), taken.corners))
    assert np.median(errors) < 1.0
    assert np.mean(np.array(errors) < 3.0) >= 0.8


def test_nothing_is_proposed_where_there_is_no_screen(photograph: Any) -> None:
    rng = np.random.default_rng(3)
    hidden = photograph(1, screen=np.zeros((30, 40, 3), np.uint8), fill=0.02)  # the wall, all but a spot
    assert find_screen(hidden.frame) is None
    assert find_screen(Frame(rng.integers(0, 256, (480, 640), dtype=np.uint8), "noise")) is None
    for level in (0, 128, 255):
        assert find_screen(Frame(np.full((48, 64), level, np.uint8), "flat")) is None


def test_photographs_of_other_things_get_no_proposal(shared: Path) -> None:
    files = sorted((shared / "data/ood/photos").iterdir())
    proposed = [file.name for file in files if find_screen(Frame(read_rgb(file), file.name)) is not None]
    assert len(proposed) <= len(files) // 9, proposed


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3), (720, 1280)])
def test_odd_frames_do_no_harm(shape: tuple[int, int]) -> None:
    pixels = np.zeros(shape, np.uint8)
    pixels[:, : shape[1] // 2] = 200
    found = find_screen(Frame(pixels, "camera"))
    if found is not None:
        found.require_inside(shape[1], shape[0])
