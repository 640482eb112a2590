# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from itertools import combinations

import pytest

from device.imaging.body_map import BOUNDS, RADIUS_CM, MapPlace, Part, Role, body_map, place_at


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("clock", range(1, 13))
@pytest.mark.parametrize("distance", [1.5, 4.0, 9.0])
def test_a_tap_on_a_spot_gives_the_place_that_drew_it(side: str, clock: int, distance: float) -> None:
    place = MapPlace(side, clock, distance)
    (spot,) = body_map([place]).spots
    assert place_at(spot.centre) == place


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("region", ["axilla", "axillary_tail", "subareolar"])
def test_places_without_a_clock_can_be_tapped_too(side: str, region: str) -> None:
    (spot,) = body_map([MapPlace(side, region=region)]).spots
    tapped = place_at(spot.centre)
    assert tapped is not None
    assert (tapped.side, tapped.region) == (side, region)


def test_the_patient_faces_the_examiner() -> None:
    right, left = (spot.centre for spot in body_map([MapPlace("right", 12, 4.0), MapPlace("left", 12, 4.0)]).spots)
    assert right[0] < 0 < left[0]
    three, nine = (spot.centre for spot in body_map([MapPlace("left", 3, 4.0), MapPlace("left", 9, 4.0)]).spots)
    assert three[0] - nine[0] == pytest.approx(8.0)
    axillas = [circle.centre[0] for circle in body_map().circles if circle.part is Part.AXILLA]
    assert min(axillas) < right[0]
    assert max(axillas) > left[0]


def test_a_distance_that_nobody_gave_is_not_made_up() -> None:
    known, unknown = body_map([MapPlace("left", 2, 5.0), MapPlace("left", 2)]).spots
    assert known.ray is None
    assert unknown.ray is not None
    assert math.dist(*unknown.ray) > RADIUS_CM / 2


def test_what_has_no_place_stands_beside_the_breasts_and_apart() -> None:
    places = [MapPlace("left"), MapPlace("left", distance_cm=3.0), MapPlace(None, 3, 4.0), MapPlace(None)]
    spots = body_map(places).spots
    assert [spot.number for spot in spots] == [1, 2, 3, 4]
    assert not any(spot.placed for spot in spots)
    assert all(place_at(spot.centre) is None for spot in spots)
    assert all(math.dist(one.centre, other.centre) > 2 for one, other in combinations(spots, 2))


def test_far_away_lies_on_the_rim_and_everything_inside_the_bounds() -> None:
    drawn = body_map([MapPlace("right", 9, 18.0), MapPlace("left", 6, RADIUS_CM), MapPlace("left")])
    assert math.dist(drawn.spots[0].centre, (-12.5, 1.0)) == pytest.approx(RADIUS_CM)
    left, top, width, height = BOUNDS
    reach = [(circle.centre, circle.radius) for circle in drawn.circles]
    reach += [(label.centre, 0.6) for label in drawn.labels] + [(spot.centre, 0.9) for spot in drawn.spots]
    for (x, y), radius in reach:
        assert left <= x - radius
        assert x + radius <= left + width
        assert top <= y - radius
        assert y + radius <= top + height


def test_a_tap_beside_the_breasts_means_nothing() -> None:
    assert place_at((0.0, 12.0)) is None


def test_hours_rings_and_sides_are_named_on_both() -> None:
    texts = {role: [label.text for label in body_map().labels if label.role is role] for role in Role}
    assert texts[Role.HOUR] == [str(hour) for hour in range(1, 13)] * 2
    assert texts[Role.RING] == ["2", "4", "6", "8"] * 2
    assert sorted(texts[Role.SIDE]) == ["left", "right"]
