# SPDX-License-Identifier: Apache-2.0
"""The body map: both breasts with clock, rings in centimetres and axilla, and where on them the lesions lie.

One geometry for the screen, which is tapped, and for the printed report. It gives shapes and no pixels: what draws
scales ``BOUNDS`` to the room there is. The patient faces the examiner, so her right breast is on the left of the map,
and twelve o'clock is up on both.

It takes plain words for sides and regions (``left``, ``axilla``, ...: the values of the records' own lists), because
imaging does not know exams.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from device.capture.frame import Point

RADIUS_CM: Final = 10.0
"""Of a breast on the map; what lies farther from the nipple is drawn on the rim."""

RINGS_CM: Final = (2.0, 4.0, 6.0, 8.0)
AREOLA_CM: Final = 1.0
STEP_CM: Final = 0.5
"""What a tap is rounded to: a finger is no ruler."""

BOUNDS: Final = (-25.0, -15.5, 50.0, 29.0)
"""Left, top, width and height of the whole map, in centimetres of the map."""

_BREASTS: Final[dict[str, Point]] = {"right": (-12.5, 1.0), "left": (12.5, 1.0)}
_AXILLA: Final = (9.0, -12.0, 2.8)
_TAIL: Final = (7.0, -8.8, 1.3)
"""Outwards and down from the nipple, and radius."""

_HOUR_RADIUS: Final = 9.0
_RAY_TO: Final = 8.2
"""Short of the number of the hour that it points at."""
_UNPLACED_BELOW: Final = 11.5


class Part(Enum):
    """What a circle stands for."""

    RIM = auto()
    RING = auto()
    AREOLA = auto()
    AXILLA = auto()
    AXILLARY_TAIL = auto()


class Role(Enum):
    """What a word on the map is."""

    HOUR = auto()
    RING = auto()
    SIDE = auto()
    """``left`` or ``right``; translated where it is drawn."""


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle of the map."""

    part: Part
    centre: Point
    radius: float


@dataclass(frozen=True, slots=True)
class Label:
    """A word of the map with its middle."""

    role: Role
    text: str
    centre: Point


@dataclass(frozen=True, slots=True)
class MapPlace:
    """A place on the map, as far as it is known.

    Attributes:
        side: ``left``, ``right`` or ``None``.
        clock: 1 to 12.
        distance_cm: From the nipple.
        region: ``axilla``, ``axillary_tail``, ``subareolar``, ``central`` or ``None``.
    """

    side: str | None
    clock: int | None = None
    distance_cm: float | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Spot:
    """A lesion on the map.

    Attributes:
        number: As the exam numbers it.
        centre: Where its number stands.
        ray: From the nipple towards the hour where only the clock position is known, else ``None``.
        placed: ``False`` where even that is not known: the number then stands below its breast, or between both.
    """

    number: int
    centre: Point
    ray: tuple[Point, Point] | None = None
    placed: bool = True


@dataclass(frozen=True, slots=True)
class BodyMap:
    """Everything to draw, the lower things first; centimetres of the map, x to the right, y down."""

    circles: tuple[Circle, ...]
    labels: tuple[Label, ...]
    spots: tuple[Spot, ...]


def body_map(places: Sequence[MapPlace] = ()) -> BodyMap:
    """The map with the lesions on it, numbered from 1 in their order."""
    circles, labels = [], []
    for side, centre in _BREASTS.items():
        circles += _circles(side, centre)
        labels += _labels(side, centre)
    return BodyMap(tuple(circles), tuple(labels), tuple(_spots(places)))


def place_at(point: Point) -> MapPlace | None:
    """What a tap on the map means, ``None`` where it meets neither breast nor axilla."""
    for side, centre in _BREASTS.items():
        for region, circle in _regions(side, centre).items():
            if math.dist(point, circle.centre) <= circle.radius:
                return MapPlace(side, region=region)
        away = math.dist(point, centre)
        if away > RADIUS_CM:
            continue
        if away <= AREOLA_CM:
            return MapPlace(side, distance_cm=0.0, region="subareolar")
        angle = math.degrees(math.atan2(point[0] - centre[0], centre[1] - point[1]))
        return MapPlace(side, round(angle / 30) % 12 or 12, round(away / STEP_CM) * STEP_CM)
    return None


def _circles(side: str, centre: Point) -> list[Circle]:
    rings = [Circle(Part.RING, centre, radius) for radius in RINGS_CM]
    return [
        *_regions(side, centre).values(),
        Circle(Part.RIM, centre, RADIUS_CM),
        *rings,
        Circle(Part.AREOLA, centre, AREOLA_CM),
    ]


def _regions(side: str, centre: Point) -> dict[str, Circle]:
    outwards = -1.0 if side == "right" else 1.0

    def outer(part: Part, x: float, y: float, radius: float) -> Circle:
        return Circle(part, (centre[0] + outwards * x, centre[1] + y), radius)

    return {"axilla": outer(Part.AXILLA, *_AXILLA), "axillary_tail": outer(Part.AXILLARY_TAIL, *_TAIL)}


def _labels(side: str, centre: Point) -> list[Label]:
    hours = [Label(Role.HOUR, str(hour), _towards(centre, hour, _HOUR_RADIUS)) for hour in range(1, 13)]
    # Between two hours, where no hour's number and no ray stands.
    rings = [Label(Role.RING, f"{radius:.0f}", _towards(centre, 4.5, radius)) for radius in RINGS_CM]
    inwards = 1.0 if side == "right" else -1.0
    return [*hours, *rings, Label(Role.SIDE, side, (centre[0] + inwards * 4.0, centre[1] - 12.5))]


def _spots(places: Sequence[MapPlace]) -> list[Spot]:
    found: list[Spot] = []
    waiting: dict[str | None, int] = {}
    for number, place in enumerate(places, start=1):
        spot = _placed(number, place)
        if spot is None:
            row = waiting.get(place.side, 0)
            waiting[place.side] = row + 1
            x, y = (0.0, 1.0) if place.side is None else _BREASTS[place.side]
            spot = Spot(number, (x + 2.5 * row, y + _UNPLACED_BELOW), None, False)
        found.append(spot)
    return found


def _placed(number: int, place: MapPlace) -> Spot | None:
    if place.side is None:
        return None
    centre = _BREASTS[place.side]
    if place.region in ("axilla", "axillary_tail"):
        return Spot(number, _regions(place.side, centre)[place.region].centre)
    if place.clock is None:
        near = place.region is not None or place.distance_cm == 0
        return Spot(number, centre) if near else None
    if place.distance_cm is None and place.region is None:
        ray = _towards(centre, place.clock, AREOLA_CM), _towards(centre, place.clock, _RAY_TO)
        return Spot(number, _towards(centre, place.clock, RADIUS_CM / 2), ray)
    distance = AREOLA_CM if place.distance_cm is None else min(place.distance_cm, RADIUS_CM)
    return Spot(number, _towards(centre, place.clock, distance))


def _towards(centre: Point, hour: float, distance: float) -> Point:
    angle = math.radians(hour * 30)
    return centre[0] + distance * math.sin(angle), centre[1] - distance * math.cos(angle)
