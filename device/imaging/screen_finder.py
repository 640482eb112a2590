# SPDX-License-Identifier: Apache-2.0
"""Propose where a scanner's screen stands in a camera's frame, so that the operator only has to correct.

A lit screen is a large four-cornered area that is brighter than its bezel all the way round. The search cuts a small
copy of the frame at many grey levels, takes the outlines that are nearly four-cornered, and keeps the largest whose
four sides all show that step from dark to bright. The sides are then fitted as straight lines on the full frame, which
makes the corners exact to about a pixel even where a corner itself is rounded or lies in the shade.

It only proposes: with a black interface in a black bezel, or a bright hand that reaches across the bezel, there is no
border to see, and the proposal is then the sonogram itself or nothing. The camera screen shows the proposal with four
handles to drag.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from device.capture.frame import Frame, Pixels, Point
from device.errors import CornersError
from device.imaging.perspective import FourCorners
from device.imaging.sonogram import to_grey

_WORK_SIDE = 480
"""Longest side in pixels of the copy that is searched."""

_DARK_LEVELS = range(6, 80, 2)
"""Grey levels tried always: the interface is often only a little brighter than its bezel."""

_MIN_SHARE, _MAX_SHARE = 0.06, 0.97
"""Share of the frame that a screen covers; smaller is not worth rectifying, larger is the frame itself."""

_MIN_FILLED = 0.92
"""Share of the four corners' area that the outlined area fills; less is not four-cornered."""

_MIN_STEP = 2.5
"""Grey levels by which the screen must be brighter than what is around it for a point of its border to count."""

_MIN_BORDER = 0.7
"""Share of each side's points that must show the step: a hand, a cable or a reflection may hide the rest."""

_SAMPLES = 64
"""Points looked at along each side."""


def find_screen(frame: Frame) -> FourCorners | None:
    """The corners of the largest lit screen in a frame.

    Args:
        frame: From a camera pointed at a scanner, grey or RGB.

    Returns:
        The outer corners in pixels of the frame, or ``None`` where nothing looks like a screen.
    """
    grey = to_grey(frame.pixels)
    scale = min(1.0, _WORK_SIDE / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    smooth = np.asarray(cv2.GaussianBlur(small, (5, 5), 0), dtype=np.uint8)
    best: FourCorners | None = None
    best_area = 0.0
    for quad in _four_cornered(smooth):
        area = _area(quad)
        if area > best_area and _is_lit(smooth, quad):
            best, best_area = quad, area
    if best is None:
        return None
    try:
        return _refined(grey, best.scaled(grey.shape[1] / small.shape[1], grey.shape[0] / small.shape[0]))
    except CornersError:  # what was left after cutting at the picture's border is no screen
        return None


def _four_cornered(smooth: Pixels) -> Iterator[FourCorners]:
    """Every nearly four-cornered outline in the picture cut at many grey levels."""
    whole = smooth.size
    seen: set[tuple[int, ...]] = set()
    levels = (*np.quantile(smooth, np.linspace(0.02, 0.9, 20)), *_DARK_LEVELS)
    for level in sorted({round(float(level)) for level in levels}):
        _, bright = cv2.threshold(smooth, level, 255, cv2.THRESH_BINARY)
        contours, _ = cv2.findContours(bright, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        for contour in contours:
            hull = cv2.convexHull(contour)
            if not _MIN_SHARE * whole < cv2.contourArea(hull) < _MAX_SHARE * whole:
                continue
            corners = cv2.approxPolyN(hull, 4).reshape(-1, 2).astype(float)
            key = tuple(int(value) // 3 for value in corners.ravel())
            if key in seen:
                continue
            seen.add(key)
            try:
                quad = FourCorners.from_points(corners.tolist())
            except CornersError:
                continue
            if cv2.contourArea(hull) > _MIN_FILLED * _area(quad):
                yield quad


def _is_lit(smooth: Pixels, quad: FourCorners) -> bool:
    """Whether every side of the area is brighter inside than outside, and lies inside the picture."""
    height, width = smooth.shape
    if any(not (-3 <= x <= width + 2 and -3 <= y <= height + 2) for x, y in quad.points):
        return False
    for start, end in _sides(quad):
        profiles = _profiles(smooth, start, end, reach=4)
        # Near the border on both sides: a bezel may be only a few pixels wide here, and behind it is a bright wall.
        outside, inside = profiles[:, :3].mean(axis=1), profiles[:, -3:].mean(axis=1)
        if np.mean(inside - outside > _MIN_STEP) < _MIN_BORDER:
            return False
    return True


def _refined(grey: Pixels, quad: FourCorners) -> FourCorners:
    """The corners as crossings of straight lines through the steepest points of the four borders."""
    reach = max(6, round(0.012 * max(grey.shape)))
    smooth = np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.2), dtype=np.uint8)
    lines = [_fitted_side(smooth, start, end, reach) for start, end in _sides(quad)]
    crossings = [_crossing(lines[side - 1], lines[side]) for side in range(4)]
    better = [
        new if new is not None and math.dist(old, new) <= 3 * reach else old
        for old, new in zip(quad.points, crossings, strict=True)
    ]
    height, width = grey.shape
    return FourCorners(*((min(max(x, -0.5), width - 0.5), min(max(y, -0.5), height - 0.5)) for x, y in better))


def _fitted_side(smooth: Pixels, start: Point, end: Point, reach: int) -> tuple[float, float, float, float]:
    """A straight line (direction x, y and a point x, y) through the steepest steps near one side."""
    rise = np.diff(_profiles(smooth, start, end, reach), axis=1)
    steepest = rise.argmax(axis=1)
    rows = np.arange(len(rise))
    inner = np.clip(steepest, 1, rise.shape[1] - 2)
    left, middle, right = rise[rows, inner - 1], rise[rows, inner], rise[rows, inner + 1]
    bend = left - 2 * middle + right
    shift = np.where(np.abs(bend) > 1e-6, 0.5 * (left - right) / np.where(bend == 0, 1.0, bend), 0.0)
    offset = inner + np.clip(shift, -1, 1) + 0.5 - reach
    along, normal = _axes(start, end)
    strong = rise[rows, steepest] >= max(_MIN_STEP / 2, 0.3 * float(np.median(rise[rows, steepest])))
    feet = np.array(start) + _positions(start, end)[:, None] * along + offset[:, None] * normal
    if strong.sum() < 8:
        return (*along, *start)
    kept = feet[strong].astype(np.float32)
    for _ in range(3):  # each round drops what lies off the line: text, reflections, a bezel's second edge
        vx, vy, x, y = cv2.fitLine(kept, cv2.DIST_HUBER, 0, 0.01, 0.01).ravel().tolist()
        distance = np.abs((kept[:, 0] - x) * vy - (kept[:, 1] - y) * vx)
        near = distance <= max(1.0, 2.5 * float(np.median(distance)))
        if near.all() or near.sum() < 8:
            break
        kept = kept[near]
    return (vx, vy, x, y)


def _profiles(smooth: Pixels, start: Point, end: Point, reach: int) -> NDArray[np.float32]:
    """Grey levels across a side: float32 (``_SAMPLES``, 2 * reach + 1), from outside to inside, a pixel apart."""
    along, normal = _axes(start, end)
    feet = np.array(start) + _positions(start, end)[:, None] * along
    steps = np.arange(-reach, reach + 1)
    xs = (feet[:, :1] + steps * normal[0]).astype(np.float32)
    ys = (feet[:, 1:] + steps * normal[1]).astype(np.float32)
    levels = cv2.remap(smooth, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(levels, dtype=np.float32)


def _positions(start: Point, end: Point) -> NDArray[np.float64]:
    """Distances from ``start`` at which a side is looked at; its ends are left out, corners are often rounded."""
    return np.linspace(0.05, 0.95, _SAMPLES) * math.dist(start, end)


def _axes(start: Point, end: Point) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Unit vectors along a clockwise side and into the area (y down, so the inside is to the right)."""
    along = (np.array(end) - np.array(start)) / math.dist(start, end)
    return along, np.array([-along[1], along[0]])


def _sides(quad: FourCorners) -> tuple[tuple[Point, Point], ...]:
    points = quad.points
    return tuple(zip(points, points[1:] + points[:1], strict=True))


def _crossing(first: tuple[float, float, float, float], second: tuple[float, float, float, float]) -> Point | None:
    """Where two lines meet, ``None`` when they are nearly parallel."""
    ax, ay, x1, y1 = first
    bx, by, x2, y2 = second
    spread = ax * by - ay * bx
    if abs(spread) < 0.1:
        return None
    t = ((x2 - x1) * by - (y2 - y1) * bx) / spread
    return (x1 + t * ax, y1 + t * ay)


def _area(quad: FourCorners) -> float:
    return float(cv2.contourArea(np.array(quad.points, np.float32)))
