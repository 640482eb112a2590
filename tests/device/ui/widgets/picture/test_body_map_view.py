# SPDX-License-Identifier: Apache-2.0
"""The body map on the screen: what its numbers mean is read on every panel where they are."""

from __future__ import annotations

import pytest

from device.imaging.body_map import MapPlace
from device.records.lesion import BreastLesion
from device.ui.screens.exam.lesion_place import LesionPlaceScreen
from device.words import LANGUAGES
from tests.device.ui.conftest import NewDriver
from tests.device.ui.driver import SIZES


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_unit_of_the_rings_is_said_once_and_over_nothing(
    new_driver: NewDriver, size: tuple[int, int], language: str
) -> None:
    driver = new_driver(size=size, language=language)
    driver.show(LesionPlaceScreen(BreastLesion("2.25.7"), [MapPlace(None)], 1, lambda _: None))
    around, said = driver.find("body_map").rect, driver.app.ui.t("imaging.map_rings")
    words = [(text, place) for text, place in driver.texts() if around.contains(place)]
    (unit,) = (place for text, place in words if text == said)
    assert [text for text, place in words if text != said and place.colliderect(unit)] == []
    assert driver.overflows() == []
