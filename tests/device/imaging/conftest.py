# SPDX-License-Identifier: Apache-2.0
"""A camera that photographs a scanner's screen from a known place, for the tests of perspective and screen search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from device.capture.frame import Frame, Pixels, Point


@dataclass(frozen=True)
class Photograph:
    """What the camera saw, and the truth about it."""

    frame: Frame
    corners: tuple[Point, ...]  # of the screen, clockwise from its top left
    screen: Pixels
    aspect: float
    to_camera: NDArray[np.float64]  # screen pixels to frame pixels


Photographer = Callable[..., Photograph]


@pytest.fixture(scope="session")
def photograph() -> Photographer:
    """``photograph(seed, aspect=4/3, tilt=(20, -10), roll=5, fill=0.7)``."""
    return take_photograph


def scanner_screen(rng: np.random.Generator, width: int, height: int) -> Pixels:
    """A scanner's screen in RGB: dark grey interface, title bar, text, ruler and a speckled sonogram."""
    screen = np.full((height, width, 3), rng.integers(25, 60), np.uint8)
    cv2.rectangle(screen, (0, 0), (width - 1, height // 14), (70, 80, 105), -1)
    cv2.putText(screen, "BREAST  12L  MI 0.9", (20, height // 20), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (230,) * 3, 2)
    left, top, right, bottom = width // 6, height // 8, width - width // 12, height - height // 8
    blobs = cv2.resize(rng.uniform(30, 150, (9, 12)), (right - left, bottom - top), interpolation=cv2.INTER_CUBIC)
    speckle = cv2.GaussianBlur(rng.gamma(3.0, 1 / 3.0, (bottom - top, right - left)), (0, 0), 1.5)
    screen[top:bottom, left:right] = np.clip(blobs * speckle, 0, 255).astype(np.uint8)[..., None]
    for mark in range(10):
        y = top + mark * (bottom - top) // 10
        cv2.line(screen, (right + 6, y), (right + 16, y), (220, 220, 220), 1)
    for line in range(8):
        cv2.putText(screen, f"Gain {50 + line}", (12, top + 40 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (200,) * 3, 1)
    return screen


def take_photograph(
    seed: int,
    aspect: float = 4 / 3,
    tilt: tuple[float, float] = (18.0, -10.0),
    roll: float = 4.0,
    fill: float = 0.7,
    size: tuple[int, int] = (1280, 720),
    noise: float = 4.0,
    screen: Pixels | None = None,
    room: Pixels | None = None,
) -> Photograph:
    """A picture by a pinhole camera (focal length 0.8 widths) whose optical axis is the middle of the picture.

    Args:
        seed: Of everything that is random.
        aspect: Width by height of the screen.
        tilt: Degrees about the vertical and the horizontal axis.
        roll: Degrees about the optical axis.
        fill: Share of the picture's height that the screen takes when seen straight.
        size: Width and height of the picture.
        noise: Standard deviation of the camera's noise in grey levels.
        screen: What it shows; made up when not given.
        room: Picture behind the screen; a wall with a gradient and shapes when not given.
    """
    rng = np.random.default_rng(seed)
    if screen is None:
        screen = scanner_screen(rng, round(768 * aspect), 768)
    height, width = screen.shape[:2]
    matrix = _pose(aspect, tilt, roll, fill, size, (width, height))
    picture = _wall(rng, size) if room is None else cv2.resize(room, size)
    bezel = int(0.04 * height)
    framed = cv2.copyMakeBorder(screen, bezel, bezel, bezel, bezel, cv2.BORDER_CONSTANT, value=(14, 14, 16))
    shifted = matrix @ np.array([[1, 0, -bezel], [0, 1, -bezel], [0, 0, 1]], np.float64)
    # Twice too large and then averaged: a sensor integrates over its pixels, cv2's warp only samples.
    double = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]], np.float64) @ shifted
    large = (size[0] * 2, size[1] * 2)
    seen = cv2.resize(cv2.warpPerspective(framed, double, large), size, interpolation=cv2.INTER_AREA)
    solid = np.full(framed.shape[:2], 255, np.uint8)
    cover = cv2.resize(cv2.warpPerspective(solid, double, large), size, interpolation=cv2.INTER_AREA)[..., None] / 255
    mixed = cv2.GaussianBlur(picture * (1 - cover) + seen * cover, (0, 0), 0.8)
    noisy = np.clip(mixed + rng.normal(0, noise, mixed.shape), 0, 255).astype(np.uint8)
    edges = np.array([[(-0.5, -0.5), (width - 0.5, -0.5), (width - 0.5, height - 0.5), (-0.5, height - 0.5)]])
    corners = tuple((float(x), float(y)) for x, y in cv2.perspectiveTransform(edges, matrix)[0])
    return Photograph(Frame(noisy, "camera"), corners, screen, aspect, matrix)


def _pose(
    aspect: float, tilt: tuple[float, float], roll: float, fill: float, size: tuple[int, int], pixels: tuple[int, int]
) -> NDArray[np.float64]:
    """Homography from screen pixels to picture pixels."""
    focal = 0.8 * size[0]
    rotation: NDArray[np.float64] = np.eye(3)
    for axis, degrees in zip(np.eye(3), (tilt[1], tilt[0], roll), strict=True):
        rotation = cv2.Rodrigues(axis * np.deg2rad(degrees))[0] @ rotation
    camera = np.array([[focal, 0, (size[0] - 1) / 2], [0, focal, (size[1] - 1) / 2], [0, 0, 1]])
    distance = focal / (fill * size[1])  # the screen is one unit high
    plane = np.column_stack([rotation[:, 0], rotation[:, 1], [0.0, 0.0, distance]])
    units = np.array(
        [
            [aspect / pixels[0], 0, -aspect / 2 + 0.5 * aspect / pixels[0]],
            [0, 1 / pixels[1], -0.5 + 0.5 / pixels[1]],
            [0, 0, 1],
        ]
    )
    return np.asarray(camera @ plane @ units, np.float64)


def _wall(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float64]:
    """A wall lit from one side, with blurred things before it."""
    width, height = size
    left, right = rng.uniform(60, 160, 2)
    top, bottom = rng.uniform(-25, 25, 2)
    light = np.linspace(left, right, width)[None, :] + np.linspace(top, bottom, height)[:, None]
    wall = np.repeat(light[..., None], 3, axis=2) * rng.uniform(0.8, 1.1, 3)
    for _ in range(6):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        shade = tuple(float(value) for value in rng.uniform(30, 220, 3))
        cv2.circle(wall, (x, y), int(rng.integers(20, 120)), shade, -1)
    return np.asarray(cv2.GaussianBlur(wall, (0, 0), 4), np.float64)
