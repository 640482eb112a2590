# SPDX-License-Identifier: Apache-2.0
"""Draws icons from strokes (``icons.toml``): no picture files, any size, any colour, sharp on every panel.

An icon never stands alone for a meaning: the widget that shows it says the same in words.
"""

from __future__ import annotations

import itertools
import math
import tomllib
from functools import cache, lru_cache
from pathlib import Path

import pygame

from device.imaging.marks.styles import Colour

GRID = 24
SUPERSAMPLING = 4
STROKE = 2.2
FULL_TURN = (0.0, 360.0)

Points = list[tuple[float, float]]


@cache
def _shapes() -> dict[str, list[str]]:
    with Path(__file__).with_name("icons.toml").open("rb") as stream:
        return tomllib.load(stream)


def names() -> list[str]:
    """Names of all icons."""
    return list(_shapes())


@lru_cache(maxsize=256)
def icon(name: str, px: int, colour: Colour) -> pygame.Surface:
    """A picture of the icon ``name``, ``px`` pixels square, on a transparent ground.

    Raises:
        KeyError: There is no such icon.
    """
    large = px * SUPERSAMPLING
    surface = pygame.Surface((large, large), pygame.SRCALPHA)
    for shape in _shapes()[name]:
        kind, *words = shape.split()
        _draw(surface, colour, kind, [float(word) for word in words], large / GRID)
    return pygame.transform.smoothscale(surface, (px, px))


def _draw(surface: pygame.Surface, colour: Colour, kind: str, numbers: list[float], unit: float) -> None:
    scaled = [number * unit for number in numbers]
    points: Points = list(zip(scaled[::2], scaled[1::2], strict=False))
    if kind == "area":
        pygame.draw.polygon(surface, colour, points)
    elif kind == "disc":
        pygame.draw.circle(surface, colour, points[0], scaled[2])
    elif kind == "ring":
        start, end = numbers[3:] or FULL_TURN
        _stroke(surface, colour, _arc(points[0], scaled[2], start, end), STROKE * unit)
    else:
        _stroke(surface, colour, points, STROKE * unit)


def _arc(centre: tuple[float, float], radius: float, start: float, end: float) -> Points:
    steps = max(8, round((end - start) / 8))
    angles = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return [(centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in angles]


def _stroke(surface: pygame.Surface, colour: Colour, points: Points, width: float) -> None:
    """A line with round ends and joints; pygame's own thick lines have gaps at the joints."""
    for point in points:
        pygame.draw.circle(surface, colour, point, width / 2)
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        length = math.hypot(x1 - x0, y1 - y0)
        if length == 0:
            continue
        nx, ny = -(y1 - y0) / length * width / 2, (x1 - x0) / length * width / 2
        corners = [(x0 + nx, y0 + ny), (x1 + nx, y1 + ny), (x1 - nx, y1 - ny), (x0 - nx, y0 - ny)]
        pygame.draw.polygon(surface, colour, corners)
