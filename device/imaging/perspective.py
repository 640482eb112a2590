# SPDX-License-Identifier: Apache-2.0
"""Four-corner correction: from a camera pointed at a scanner's screen to the screen seen straight on.

Where no grabber fits, the handheld's camera looks at the scanner's monitor, never quite from the front. The operator
drags four corners (or accepts the proposal of ``screen_finder``), and from then on every frame is rectified through
here before anything else looks at it. The mapping goes both ways, so that what is marked on one picture can be drawn
on the other.

A ``Rectification`` is made once for a set of corners and is then one look-up a frame.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from device.capture.frame import Frame, Pixels, Point
from device.errors import CornersError

MAX_SIDE = 1920
"""Longest side in pixels of a rectified picture: no scanner screen needs more, and memory is bounded."""

MIN_SIDE_PX = 32.0
"""A side shorter than this leaves too few pixels of the screen to be worth anything."""

SCREEN_ASPECTS = (5 / 4, 4 / 3, 16 / 10, 16 / 9)
"""Width by height of the monitors that scanners have."""

_SNAP = 0.06
"""An estimated aspect ratio this near (relative) to one of ``SCREEN_ASPECTS`` is taken for the nearest of them."""

_USUAL_FOCAL = 0.8
"""Focal length by picture width of the Raspberry Pi camera modules 2 (62 degrees across: 0.83) and 3 (66: 0.77)."""


@dataclass(frozen=True, slots=True)
class FourCorners:
    """The corners of a screen in a frame, in pixels of the frame: clockwise, beginning with the screen's own top left.

    The screen may stand turned in the picture; "top left" is the screen's, not the picture's.

    Raises:
        CornersError: Not finite, not convex, not clockwise, or a side shorter than 32 pixels.
    """

    top_left: Point
    top_right: Point
    bottom_right: Point
    bottom_left: Point

    def __post_init__(self) -> None:
        points = self.points
        if not all(math.isfinite(value) for point in points for value in point):
            raise CornersError("corners", "a coordinate is not a number")
        if min(self._sides()) < MIN_SIDE_PX:
            raise CornersError("corners", f"a side is shorter than {MIN_SIDE_PX:.0f} pixels")
        for before, corner, after in zip(points[-1:] + points[:-1], points, points[1:] + points[:1], strict=True):
            # The sine of the turn: 0.1 is 6 degrees, below which four corners are nearly a triangle.
            turn = _cross(before, corner, after) / (math.dist(before, corner) * math.dist(corner, after))
            if turn < 0.1:
                raise CornersError("corners", "they are not convex and clockwise from the top left")

    @classmethod
    def from_points(cls, points: Iterable[Sequence[float]]) -> FourCorners:
        """Corners from four points in any order; the one nearest the picture's top left becomes the top left.

        Raises:
            CornersError: Not four points, or they are not the corners of a convex shape.
        """
        unordered = [(float(x), float(y)) for x, y in points]
        if len(unordered) != 4:
            raise CornersError("corners", f"{len(unordered)} points instead of four")
        cx, cy = sum(x for x, _ in unordered) / 4, sum(y for _, y in unordered) / 4
        clockwise = sorted(unordered, key=lambda point: math.atan2(point[1] - cy, point[0] - cx))
        first = min(range(4), key=lambda i: clockwise[i][0] + clockwise[i][1])
        return cls(*(clockwise[first:] + clockwise[:first]))

    @property
    def points(self) -> tuple[Point, Point, Point, Point]:
        """The four points, clockwise from the screen's top left (the order of a scanner preset)."""
        return (self.top_left, self.top_right, self.bottom_right, self.bottom_left)

    def require_inside(self, width: int, height: int) -> None:
        """Refuse corners that leave a picture of ``width`` by ``height`` pixels.

        Raises:
            CornersError: A corner lies outside.
        """
        for x, y in self.points:
            if not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5):
                raise CornersError("corners", f"({x:.0f}, {y:.0f}) lies outside a picture of {width} by {height}")

    def scaled(self, factor_x: float, factor_y: float) -> FourCorners:
        """The same corners in a picture resized by these factors (a preset meets another camera resolution)."""
        moved = (((x + 0.5) * factor_x - 0.5, (y + 0.5) * factor_y - 0.5) for x, y in self.points)
        return FourCorners(*moved)

    def _sides(self) -> tuple[float, float, float, float]:
        """Lengths of the top, right, bottom and left side in pixels."""
        a, b, c, d = self.points
        return (math.dist(a, b), math.dist(b, c), math.dist(c, d), math.dist(d, a))


@dataclass(frozen=True, slots=True, eq=False)
class Rectification:
    """The mapping between a frame and the screen seen straight on.

    Attributes:
        corners: The screen's corners in the frame.
        width: Pixels across of the rectified picture.
        height: Pixels down of the rectified picture.
        matrix: float64 (3, 3), homogeneous frame coordinates to screen coordinates.
    """

    corners: FourCorners
    width: int
    height: int
    matrix: NDArray[np.float64]

    @classmethod
    def of(cls, corners: FourCorners, aspect: float) -> Rectification:
        """The mapping that shows everything between the corners at the frame's own resolution.

        Args:
            corners: The screen's outer corners in the frame.
            aspect: Width by height of the real screen, 0.5 to 3.

        Raises:
            CornersError: The aspect ratio is none that a screen has.
        """
        if not 0.5 <= aspect <= 3.0:
            raise CornersError("corners", f"no screen is {aspect:.2f} times as wide as high")
        top, right, bottom, left = corners._sides()
        height = max(left, right, max(top, bottom) / aspect)
        scale = min(1.0, MAX_SIDE / max(height, height * aspect))
        width, height = max(2, round(height * aspect * scale)), max(2, round(height * scale))
        # Half a pixel: corners are where the screen ends, points are counted from the middle of a pixel.
        x1, y1 = width - 0.5, height - 0.5
        target = np.array([(-0.5, -0.5), (x1, -0.5), (x1, y1), (-0.5, y1)], np.float32)
        matrix = cv2.getPerspectiveTransform(np.array(corners.points, np.float32), target)
        return cls(corners, width, height, np.asarray(matrix, dtype=np.float64))

    def apply(self, pixels: Pixels) -> Pixels:
        """The screen seen straight on.

        Args:
            pixels: uint8 (h, w) or (h, w, 3), a frame's.

        Returns:
            uint8 (``height``, ``width``) with the same channels; what lay outside of the frame is black.
        """
        straight = cv2.warpPerspective(pixels, self.matrix, (self.width, self.height), flags=cv2.INTER_LINEAR)
        return np.asarray(straight, dtype=np.uint8)

    def to_screen(self, points: Iterable[Point]) -> tuple[Point, ...]:
        """Points of the frame as points of the rectified picture."""
        return _mapped(self.matrix, points)


def rectify(frame: Frame, corners: FourCorners, aspect: float | None = None) -> Frame:
    """The frame as if the camera had stood straight before the scanner's screen.

    Args:
        frame: From a camera.
        corners: The screen's corners in it.
        aspect: Width by height of the real screen; ``None`` estimates it from the perspective.

    Returns:
        A frame with the same origin, index and time. Its spacing and region are ``None``: neither survives a change of
        perspective, the scale has to be tapped on the rectified picture.

    Raises:
        CornersError: The corners leave the frame, or the aspect ratio is none that a screen has.
    """
    corners.require_inside(frame.width, frame.height)
    if aspect is None:
        aspect = estimate_aspect(corners, frame.width, frame.height)
    mapping = Rectification.of(corners, aspect)
    return Frame(mapping.apply(frame.pixels), frame.origin, frame.index, frame.captured_at)


def estimate_aspect(corners: FourCorners, width: int, height: int) -> float:
    """Width by height of the real screen, from how perspective bends it.

    The formula is Zhang and He's (Whiteboard scanning and image enhancement, 2007, equations 11 to 20), for square
    pixels and the optical axis in the middle of the picture. Where the camera stands so straight that the focal length
    cannot be seen, that of the usual camera modules is taken. The result snaps to a common screen format close by.

    Args:
        corners: The screen's corners.
        width: Pixels across of the frame.
        height: Pixels down of the frame.
    """
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    m1, m2, m4, m3 = (np.append(np.array(point) - centre, 1.0) for point in corners.points)
    k2 = np.cross(m1, m4) @ m3 / (np.cross(m2, m4) @ m3)
    k3 = np.cross(m1, m4) @ m2 / (np.cross(m3, m4) @ m2)
    n2, n3 = k2 * m2 - m1, k3 * m3 - m1
    focal = _USUAL_FOCAL * max(width, height)
    bend = -(n2[2] * n3[2])
    if abs(bend) > 1e-9:
        seen = (n2[0] * n3[0] + n2[1] * n3[1]) / bend
        if (0.5 * width) ** 2 < seen < (2.0 * width) ** 2:
            focal = math.sqrt(seen)
    across = math.hypot(n2[0] / focal, n2[1] / focal, n2[2])
    down = math.hypot(n3[0] / focal, n3[1] / focal, n3[2])
    aspect = min(max(across / down, 0.5), 3.0)
    nearest = min(SCREEN_ASPECTS, key=lambda known: abs(known - aspect))
    return nearest if abs(nearest - aspect) < _SNAP * nearest else aspect


def _mapped(matrix: NDArray[np.float64], points: Iterable[Point]) -> tuple[Point, ...]:
    array = np.array([*points], np.float64).reshape(-1, 1, 2)
    if array.size == 0:
        return ()
    return tuple((float(x), float(y)) for x, y in cv2.perspectiveTransform(array, matrix).reshape(-1, 2))


def _cross(before: Point, corner: Point, after: Point) -> float:
    """Twice the signed area of the turn at ``corner``: positive when it goes clockwise on a screen (y down)."""
    return (corner[0] - before[0]) * (after[1] - corner[1]) - (corner[1] - before[1]) * (after[0] - corner[0])
