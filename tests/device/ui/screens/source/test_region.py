# SPDX-License-Identifier: Apache-2.0
"""Picture area, corners and scale by touch, kept as a preset that the next start uses."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from device.capture.frame import Box, Frame, PixelSpacing
from device.capture.phantom.frames import phantom_frame, phantom_scene
from device.config import ScannerPreset
from device.imaging.perspective import FourCorners
from device.imaging.source_geometry import SourceGeometry
from device.ui.screen import Screen
from device.ui.screens.source.corners import CornersScreen
from device.ui.screens.source.region import RegionScreen
from device.ui.screens.source.scale import ScaleScreen
from device.ui.session.source_geometries import placement_of
from device.ui.widgets import ImageView, Page, Widget
from tests.device.ui.conftest import NewDriver
from tests.device.ui.driver import Driver

SOURCE = "v4l2:grabber"


class Before(Screen):
    name = "before"

    def build(self) -> Widget:
        return Page(self.ui, "Before", [])


def _push(driver: Driver, screen: Screen) -> Any:
    driver.show(Before())
    driver.app.push(screen)
    driver.until(lambda: driver.screen._task is None)
    driver.step()
    return screen


def _at(driver: Driver, point: tuple[float, float]) -> tuple[int, int]:
    image = driver.find("image")
    assert isinstance(image, ImageView)
    x, y = image.to_screen(point)
    return round(x), round(y)


def _aside(point: tuple[int, int], pixels: int) -> tuple[int, int]:
    return point[0] + pixels, point[1] + pixels


@pytest.fixture
def done() -> list[SourceGeometry]:
    return []


@pytest.fixture
def region(driver: Driver, done: list[SourceGeometry]) -> RegionScreen:
    screen = RegionScreen(phantom_frame(1, screen=True), SourceGeometry(), done.append, source_id=SOURCE)
    _push(driver, screen)
    return screen


def test_a_corner_and_a_side_are_dragged(driver: Driver, region: RegionScreen, done: list[SourceGeometry]) -> None:
    assert region._handles is not None
    before = region._handles.box
    corner = _at(driver, (before.x, before.y))
    driver.drag(corner, (corner[0] + 40, corner[1] + 30))
    side = _at(driver, region._handles.points[5])
    driver.drag(side, (side[0] - 40, side[1]))
    driver.tap("done")
    after = done[0].box
    assert after is not None
    assert after.x > before.x + 10
    assert after.y > before.y + 10
    assert after.x + after.w < before.x + before.w - 10
    assert after.y + after.h == pytest.approx(before.y + before.h, abs=1)


def test_a_finger_elsewhere_moves_the_picture_and_not_the_box(
    driver: Driver, region: RegionScreen, done: list[SourceGeometry]
) -> None:
    driver.tap("zoom.plus")
    driver.tap("zoom.plus")
    driver.drag(_at(driver, (320, 240)), _at(driver, (300, 250)))
    driver.tap("done")
    assert done[0].box is None


def test_going_back_changes_nothing(driver: Driver, region: RegionScreen, done: list[SourceGeometry]) -> None:
    driver.tap("back")
    driver.until_screen("before")
    assert done == []


def test_a_preset_is_saved_and_used_for_this_source_from_then_on(driver: Driver, region: RegionScreen) -> None:
    assert region._handles is not None
    driver.tap("save_preset")
    driver.write("Mindray")
    preset = driver.app.settings.presets[0]
    assert preset.name == "Mindray"
    assert preset.box == tuple(region._handles.box)
    assert driver.app.settings.sources.preset_by_source == {SOURCE: "Mindray"}
    driver.app.services.placements.clear()  # as after a restart
    assert placement_of(driver.app, SOURCE).box == region._handles.box


def test_a_preset_is_chosen_from_the_list(driver: Driver, done: list[SourceGeometry]) -> None:
    preset = ScannerPreset(name="Logiq", box=(10, 20, 300, 200), spacing_mm=(0.1, 0.1))
    driver.app.change(lambda settings: settings.with_presets([preset]))
    region = _push(driver, RegionScreen(phantom_frame(1, screen=True), SourceGeometry(), done.append, source_id=SOURCE))
    driver.tap("presets")
    assert driver.shows("with a scale")
    driver.tap("Logiq")
    driver.until_screen("region")
    driver.until(lambda: region._task is None)
    driver.tap("done")
    assert done[0].box == Box(10, 20, 300, 200)
    assert done[0].preset_scale == PixelSpacing(0.1, 0.1)


def test_two_taps_on_the_ruler_give_millimetres(driver: Driver) -> None:
    scene = phantom_scene(1, screen=True, size=(1024, 768))
    got: list[PixelSpacing] = []
    screen = _push(driver, ScaleScreen(scene.frame.pixels, scene.sonogram, got.append))
    assert driver.shows("A ruler was found")
    marks = screen._ruler.marks
    # As far off as a finger is: the taps still land on the marks.
    driver.tap_at(_aside(_at(driver, marks[0]), 4))
    assert not driver.find("done").enabled
    driver.tap_at(_aside(_at(driver, marks[-1]), -4))
    assert screen._handles.points == [marks[0], marks[-1]]
    steps = round(abs(marks[-1][1] - marks[0][1]) / screen._ruler.pitch_px)
    driver.tap("mm.other")
    driver.write(str(steps * 10))
    driver.tap("done")
    (spacing,) = got
    assert spacing.y_mm == pytest.approx(10 / screen._ruler.pitch_px, rel=0.01)


@pytest.mark.parametrize("language", ["en", "fr", "ta"])
@pytest.mark.parametrize("typed", ["12.5", "12,5"])
def test_a_distance_is_typed_with_a_comma_or_a_point(new_driver: NewDriver, language: str, typed: str) -> None:
    driver = new_driver(language=language)
    screen = _push(driver, ScaleScreen(phantom_frame(1).pixels, None, lambda _: None))
    driver.tap_at(_at(driver, (300.0, 100.0)))
    driver.tap_at(_at(driver, (300.0, 240.0)))
    driver.tap("mm.other")
    for char in typed:
        driver.tap(f"key.{char}")  # all on the first page
    driver.tap("keyboard.done")
    assert screen._distance_mm == 12.5
    assert driver.shows("12,5" if language == "fr" else "12.5")
    assert driver.overflows() == []


def test_taps_that_are_too_close_are_refused_in_words(driver: Driver) -> None:
    frame = phantom_frame(1)
    got: list[PixelSpacing] = []
    _push(driver, ScaleScreen(frame.pixels, None, got.append))
    x, y = _at(driver, (300.0, 240.0))
    driver.tap_at((x, y))
    driver.tap_at((x + 10, y))
    driver.tap("mm.10")
    driver.tap("done")
    assert driver.shows("These two taps give no scale")
    assert got == []


def _photograph() -> tuple[Frame, FourCorners]:
    """A scanner's screen seen aslant by a camera."""
    screen = phantom_frame(1, "benign", screen=True, size=(1024, 768)).pixels
    bright = cv2.convertScaleAbs(screen, alpha=1.0, beta=25)
    corners = FourCorners((250, 120), (1010, 170), (980, 640), (280, 610))
    start = np.array([(-0.5, -0.5), (1023.5, -0.5), (1023.5, 767.5), (-0.5, 767.5)], np.float32)
    matrix = cv2.getPerspectiveTransform(start, np.array(corners.points, np.float32))
    return Frame(np.asarray(cv2.warpPerspective(bright, matrix, (1280, 720)), np.uint8), "camera"), corners


def test_corners_are_proposed_corrected_and_straighten_the_frame(driver: Driver, done: list[SourceGeometry]) -> None:
    frame, truth = _photograph()
    region = _push(driver, RegionScreen(frame, SourceGeometry(), done.append, source_id=SOURCE))
    driver.tap("corners")
    driver.until_screen("corners")
    corners: Any = driver.app.screen
    driver.until(lambda: corners._task is None)
    assert driver.shows("A screen was found")
    assert corners._handles.points[0] == pytest.approx(truth.points[0], abs=4)
    at = _at(driver, corners._handles.points[2])
    driver.drag(at, (at[0] + 12, at[1] + 12))
    moved = corners._handles.points[2]
    assert moved[0] > truth.points[2][0] + 5
    driver.tap("done")
    driver.until(lambda: region._task is None and driver.app.screen is region)
    driver.tap("done")
    assert done[0].corners is not None
    assert done[0].corners.points[2] == pytest.approx(moved)
    assert region._placed.width < frame.width


def test_corners_that_are_none_are_refused_in_words(driver: Driver) -> None:
    frame, _ = _photograph()
    got: list[FourCorners | None] = []
    given = FourCorners((200, 100), (900, 100), (900, 600), (200, 600))
    screen = CornersScreen(frame, given, got.append)
    _push(driver, screen)
    driver.drag(_at(driver, (900, 600)), _at(driver, (300, 150)), steps=20)
    driver.tap("done")
    assert driver.shows("cannot be the corners of a screen")
    assert got == []
    driver.tap("OK")
    driver.tap("none")
    assert got == [None]
