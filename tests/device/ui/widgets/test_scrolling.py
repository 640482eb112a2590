# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Sequence

import pygame
import pytest

from device.ui.screen import Screen
from device.ui.widgets import Button, Column, ListRow, ListView, Page, ScrollView, Widget
from tests.device.ui.conftest import NewDriver
from tests.device.ui.driver import SIZES, Driver

MANY = 10_000


class Rows(Screen):
    name = "rows"

    def __init__(self) -> None:
        super().__init__()
        self.tapped: list[int] = []
        self.asked: set[int] = set()
        self.items: Sequence[int] = range(MANY)

    def _row(self, index: int) -> ListRow:
        self.asked.add(index)
        return ListRow(f"row {index}", "detail", badge="draft")

    def build(self) -> Widget:
        self.list = ListView(self.ui, self.items, self._row, self.tapped.append)
        return Page(self.ui, "Rows", [self.list])


class Form(Screen):
    name = "form"

    def __init__(self) -> None:
        super().__init__()
        self.tapped: list[int] = []

    def _tap(self, index: int) -> Callable[[], None]:
        return lambda: self.tapped.append(index)

    def build(self) -> Widget:
        buttons = [Button(self.ui, f"button {i}", self._tap(i), key=f"button.{i}") for i in range(20)]
        return Page(self.ui, "Form", [ScrollView(self.ui, Column(self.ui, buttons))])


@pytest.fixture
def rows(driver: Driver) -> Rows:
    screen = Rows()
    driver.show(screen)
    return screen


@pytest.fixture
def form(driver: Driver) -> Form:
    screen = Form()
    driver.show(screen)
    return screen


def test_ten_thousand_rows_cost_as_much_as_those_that_are_seen(driver: Driver, rows: Rows) -> None:
    assert len(rows.asked) < 20
    driver.drag((400, 440), (400, 140))
    assert len(rows.asked) < 60


REASON = "The file is damaged or incomplete; export it from the scanner again."


class Reasons(Rows):
    """Rows whose details are too long to stand beside their badge on an upright panel."""

    def __init__(self, title: str, *, long_details: bool) -> None:
        super().__init__()
        self._title = title
        self._long = long_details

    def _row(self, index: int) -> ListRow:
        return ListRow(f"{self._title}{index}", REASON, badge="Not usable", icon="picture")

    def build(self) -> Widget:
        self.list = ListView(self.ui, self.items, self._row, self.tapped.append, long_details=self._long)
        return Page(self.ui, "Reasons", [self.list])


@pytest.mark.parametrize("size", [size for size in SIZES if size[0] < size[1]], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(("title", "long_details"), [("file", False), ("a name as long as the row itself", True)])
def test_a_badge_makes_room_for_the_reason_below_it(
    new_driver: NewDriver, size: tuple[int, int], title: str, long_details: bool
) -> None:
    driver = new_driver(size=size)
    screen = Reasons(title, long_details=long_details)
    driver.show(screen)
    row = screen.list.row_rect(0)
    words = {text: place for text, place in driver.texts() if row.contains(place)}
    assert {f"{title}0", REASON, "Not usable"} <= set(words)
    assert words["Not usable"].collidelist([words[f"{title}0"], words[REASON]]) == -1
    assert not driver.overflows()


class Ticked(Rows):
    """Rows of which the odd ones can be ticked."""

    def __init__(self) -> None:
        super().__init__()
        self.chosen: set[int] = set()

    def _row(self, index: int) -> ListRow:
        return ListRow(f"row {index}", icon="person")

    def _turn(self, index: int) -> None:
        self.chosen ^= {index}
        self.rebuild()

    def build(self) -> Widget:
        ticked: Callable[[int], bool | None] = lambda index: index in self.chosen if index % 2 else None  # noqa: E731
        self.list = ListView(self.ui, self.items, self._row, self._turn, selected=ticked)
        return Page(self.ui, "Ticked", [self.list])


def test_a_row_that_can_be_ticked_shows_an_empty_box_and_a_ticked_one_a_full_box(driver: Driver) -> None:
    screen = Ticked()
    driver.show(screen)

    def left(index: int) -> bytes:
        row = screen.list.row_rect(index)
        start = next(place.x for text, place in driver.texts() if text == f"row {index}")
        part = pygame.Rect(row.x + 8, row.y + 8, start - row.x - 8, row.height - 16)
        return pygame.image.tobytes(driver.picture().subsurface(part), "RGB")

    assert left(0) == left(2) != left(1) == left(3)
    empty = left(1)
    driver.tap("row 1")
    assert left(1) not in (empty, left(0))
    assert bytes(driver.app.ui.palette.primary) in left(1)
    assert left(3) == empty
    driver.tap("row 1")
    assert left(1) == empty


def test_a_row_is_tapped_where_it_is_seen_after_scrolling(driver: Driver, rows: Rows) -> None:
    driver.drag((400, 440), (400, 140))
    driver.wait(3)
    index = rows.list.visible_rows()[2]
    assert index > 2
    driver.tap(f"row {index}")
    assert rows.tapped == [index]


def test_what_is_tapped_is_what_was_shown_when_the_finger_came_down(driver: Driver, rows: Rows) -> None:
    place = rows.list.row_rect(1).center
    driver.finger(pygame.FINGERDOWN, place)
    driver.step()
    rows.items = range(100, 103)
    rows.rebuild()
    driver.step()
    driver.finger(pygame.FINGERUP, place)
    driver.step(2)
    assert rows.tapped == [1]
    assert rows.list.in_sight() == range(100, 103)


def test_a_drag_taps_nothing_and_a_trembling_finger_still_taps(driver: Driver, rows: Rows) -> None:
    driver.drag((400, 300), (400, 200))
    assert rows.tapped == []
    driver.wait(3)
    inside = rows.list.row_rect(rows.list.visible_rows()[1]).center
    driver.drag(inside, (inside[0] + 4, inside[1] + 5))
    assert len(rows.tapped) == 1


def test_a_flick_glides_on_and_stops_at_the_end(driver: Driver, rows: Rows) -> None:
    driver.drag((400, 440), (400, 140), steps=3)
    behind_finger = rows.list.scroller.offset
    driver.wait(0.3)
    assert rows.list.scroller.offset > behind_finger
    driver.wait(5)
    still = rows.list.scroller.offset
    driver.wait(1)
    assert rows.list.scroller.offset == still
    for _ in range(3):
        driver.drag((400, 140), (400, 470), steps=2)
        driver.wait(2)
    assert rows.list.scroller.offset == 0


def test_the_place_in_a_list_survives_a_rebuild(driver: Driver, rows: Rows) -> None:
    driver.drag((400, 440), (400, 140))
    driver.wait(3)
    before, old = rows.list.scroller.offset, rows.list
    rows.rebuild()
    assert rows.list is not old
    assert rows.list.scroller.offset == before > 0


def test_a_drag_that_begins_on_a_button_scrolls_and_does_not_press(driver: Driver, form: Form) -> None:
    start = driver.find("button.3").rect.center
    driver.drag(start, (start[0], start[1] - 150))
    assert form.tapped == []
    assert driver.find("button.3").rect.centery < start[1]


def test_a_button_below_the_window_is_reached_by_scrolling(driver: Driver, form: Form) -> None:
    assert not driver.shows("button 19")
    driver.tap("button.19")
    assert form.tapped == [19]
    assert driver.shows("button 19")


def test_what_is_scrolled_away_is_no_overflow_and_not_seen(driver: Driver, form: Form) -> None:
    assert driver.overflows() == []
    assert not driver.shows("button 15")
