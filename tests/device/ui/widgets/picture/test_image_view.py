# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pygame
import pytest

from device.capture.frame import Box, Point
from device.imaging.marks.annotations import Marks, draw
from device.imaging.marks.styles import CALLIPER, LONG_AXIS, OUTLINE
from device.ui.pointer import Phase
from device.ui.screen import Screen
from device.ui.widgets import ImageView, Widget
from device.ui.widgets.picture.drawings import HeatMap, Measure, Outline, Watermark
from tests.device.ui.driver import Driver

WIDTH, HEIGHT = 400, 300
SQUARE = [(100.0, 100.0), (200.0, 100.0), (200.0, 200.0), (100.0, 200.0)]


class Viewer(Screen):
    name = "viewer"

    def __init__(self) -> None:
        super().__init__()
        self.taps: list[Point] = []
        self.drags: list[tuple[Phase, Point]] = []
        self.takes_drags = False

    def _drag(self, phase: Phase, point: Point) -> bool:
        self.drags.append((phase, point))
        return self.takes_drags

    def build(self) -> Widget:
        pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
        pixels[140:160, 190:210] = 255
        self.view = ImageView(self.ui, pixels, on_tap=self.taps.append, on_drag=self._drag)
        return self.view


@pytest.fixture
def viewer(driver: Driver) -> Viewer:
    screen = Viewer()
    driver.show(screen)
    return screen


def _rounded(point: Point) -> tuple[int, int]:
    return round(point[0]), round(point[1])


def test_the_whole_picture_is_shown_and_points_go_there_and_back(viewer: Viewer) -> None:
    view = viewer.view
    corners = [view.to_screen(point) for point in ((0, 0), (WIDTH - 1, HEIGHT - 1))]
    assert all(view.rect.inflate(2, 2).collidepoint(corner) for corner in corners)
    assert view.to_picture(view.to_screen((37.0, 211.0))) == pytest.approx((37.0, 211.0))


def test_pixels_lie_where_the_mapping_says(driver: Driver, viewer: Viewer) -> None:
    picture = driver.picture()
    for point, bright in (((200, 150), True), ((192, 142), True), ((186, 150), False), ((214, 150), False)):
        x, y = viewer.view.to_screen(point)
        assert (picture.get_at((round(x), round(y)))[0] > 128) is bright, point


def test_a_pinch_zooms_around_the_fingers(driver: Driver, viewer: Viewer) -> None:
    view, centre = viewer.view, viewer.view.rect.center
    under = view.to_picture(centre)
    driver.pinch(centre, 100, 300)
    assert view.zoom == pytest.approx(3.0, rel=0.05)
    assert view.to_picture(centre) == pytest.approx(under, abs=2.0)
    assert viewer.taps == []


def test_the_picture_cannot_be_lost(driver: Driver, viewer: Viewer) -> None:
    view, centre = viewer.view, viewer.view.rect.center
    driver.pinch(centre, 300, 60)
    assert view.zoom == 1.0
    driver.pinch(centre, 60, 300)
    for _ in range(6):
        driver.drag(centre, (view.rect.right - 5, view.rect.bottom - 5))
    assert _rounded(view.to_picture(view.rect.topleft)) in {(0, 0), (-1, 0), (0, -1), (-1, -1)}


def test_one_finger_moves_the_picture_after_zooming(driver: Driver, viewer: Viewer) -> None:
    view, centre = viewer.view, viewer.view.rect.center
    driver.pinch(centre, 100, 300)
    under = view.to_picture(centre)
    driver.drag(centre, (centre[0] + 60, centre[1]))
    assert view.to_picture((centre[0] + 60, centre[1])) == pytest.approx(under, abs=1.0)


def test_a_tap_reports_the_point_of_the_picture(driver: Driver, viewer: Viewer) -> None:
    driver.pinch(viewer.view.rect.center, 100, 200)
    x, y = viewer.view.to_screen((200.0, 150.0))
    driver.tap_at((round(x), round(y)))
    assert viewer.taps == [pytest.approx((200.0, 150.0), abs=1.0)]


def test_a_tool_can_take_the_drag(driver: Driver, viewer: Viewer) -> None:
    viewer.takes_drags = True
    view = viewer.view
    start, end = (view.to_screen(point) for point in ((120.0, 120.0), (180.0, 160.0)))
    before = view.to_picture(view.rect.center)
    driver.drag((round(start[0]), round(start[1])), (round(end[0]), round(end[1])))
    assert view.to_picture(view.rect.center) == before
    (first, began), (last, ended) = viewer.drags[0], viewer.drags[-1]
    assert (first, last) == (Phase.DOWN, Phase.UP)
    assert began == pytest.approx((120, 120), abs=1)
    assert ended == pytest.approx((180, 160), abs=1)


def test_a_second_finger_takes_the_drag_away_from_the_tool(driver: Driver, viewer: Viewer) -> None:
    viewer.takes_drags = True
    driver.pinch(viewer.view.rect.center, 100, 200)
    assert [phase for phase, _ in viewer.drags] == [Phase.DOWN, Phase.CANCEL]


def test_drawings_stay_on_their_place_in_the_picture(driver: Driver, viewer: Viewer) -> None:
    view, colour = viewer.view, OUTLINE.colour
    view.show(np.zeros((HEIGHT, WIDTH), np.uint8), [Outline(SQUARE)])
    for _ in range(2):
        x, y = view.to_screen((150.0, 100.0))
        assert driver.picture().get_at((round(x), round(y)))[:3] == colour
        driver.pinch(view.rect.center, 100, 150)


def test_a_measure_says_its_length(driver: Driver, viewer: Viewer) -> None:
    viewer.view.show(np.zeros((HEIGHT, WIDTH), np.uint8), [_calliper()])
    assert driver.shows("14.1 mm")


def _calliper() -> Measure:
    return Measure((100, 100), (200, 200), "A", "14.1 mm", style=CALLIPER)


def test_the_letter_of_a_measure_is_no_part_of_its_length(driver: Driver, viewer: Viewer) -> None:
    """Two texts with a gap, on two grounds: they are not read as one number."""
    viewer.view.show(np.zeros((HEIGHT, WIDTH), np.uint8), [_calliper()])
    places = dict(driver.texts())
    letter, length = places["A"], places["14.1 mm"]
    assert letter.right < length.left
    picture = driver.picture()
    assert picture.get_at((letter.left + 1, letter.centery))[:3] == CALLIPER.colour
    assert picture.get_at((length.left + 1, length.centery))[:3] == (0, 0, 0)


def test_the_screen_draws_marks_in_the_styles_of_report_and_dicom(driver: Driver, viewer: Viewer) -> None:
    """Dashes and colours are those that ``overlay.draw`` burns in."""
    ends = ((40.0, 150.0), (360.0, 150.0))
    for style, marks, share in ((CALLIPER, Marks(callipers=[ends]), 0.8), (LONG_AXIS, Marks(long_axis=ends), 1.0)):
        viewer.view.show(np.zeros((HEIGHT, WIDTH), np.uint8), [Measure(*ends, style=style)])
        (x0, y), (x1, _) = (viewer.view.to_screen(end) for end in ((60.0, 150.0), (340.0, 150.0)))
        picture = driver.picture()
        shown = [picture.get_at((x, round(y)))[:3] == style.colour for x in range(round(x0), round(x1))]
        burnt = (draw(np.zeros((HEIGHT, WIDTH), np.uint8), marks, 2.0)[150, 60:340] == style.colour).all(axis=1)
        for row in (np.mean(shown), burnt.mean()):
            assert (0.3 < row < share) if style.dash else row == share


def test_a_watermark_lies_across_the_picture_at_every_zoom(driver: Driver, viewer: Viewer) -> None:
    grey = np.full((HEIGHT, WIDTH), 90, np.uint8)
    for _ in range(3):
        viewer.view.show(grey)
        bare = pygame.surfarray.array3d(driver.picture()).astype(int)
        viewer.view.show(grey, [Watermark()])
        marked = pygame.surfarray.array3d(driver.picture()).astype(int)
        xs, _ = np.nonzero(np.abs(marked - bare).max(axis=2) > 20)
        assert np.ptp(xs) > 0.4 * min(round(WIDTH * viewer.view.scale), viewer.view.rect.width)
        driver.pinch(viewer.view.rect.center, 100, 170)


def test_a_heat_map_colours_its_peak_and_leaves_the_rest(driver: Driver, viewer: Viewer) -> None:
    grey = np.full((HEIGHT, WIDTH), 90, np.uint8)
    heat = np.zeros((50, 50), np.uint8)
    heat[20:30, 20:30] = 255
    viewer.view.show(grey, [HeatMap(heat, Box(100, 50, 200, 200))])
    picture = driver.picture()

    def colour(point: Point) -> pygame.Color:
        x, y = viewer.view.to_screen(point)
        return picture.get_at((round(x), round(y)))

    peak, far = colour((200, 150)), colour((110, 60))
    assert far[:3] == (90, 90, 90)
    assert peak[0] > 120
    assert peak[0] > peak[2] + 20


def test_a_picture_far_larger_than_the_screen_is_shown(driver: Driver, viewer: Viewer) -> None:
    viewer.view.show(np.full((3000, 4000, 3), (10, 200, 30), np.uint8))
    assert driver.picture().get_at(viewer.view.rect.center)[:3] == (10, 200, 30)
