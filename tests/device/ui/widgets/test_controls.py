# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pygame
import pytest

from device.ui.screen import Screen
from device.ui.theme.text import Style
from device.ui.widgets import Button, Choice, Dialog, Grid, Page, ProgressBar, Row, Slider, Toggle, Widget, icon
from device.ui.widgets.icons import names
from device.ui.widgets.layout import Container
from device.ui.widgets.picture.probability_bar import ProbabilityBar
from tests.device.ui.driver import Driver


class Panel(Screen):
    """One of each, with what they report."""

    name = "panel"

    def __init__(self) -> None:
        super().__init__()
        self.events: list[object] = []
        self.enabled = True
        self.value = "a"

    def _chosen(self, value: str) -> None:
        self.value = value
        self.events.append(value)
        self.rebuild()

    def build(self) -> Widget:
        ui = self.ui
        button = Button(ui, "Press", lambda: self.events.append("press"), key="press", enabled=self.enabled)
        content: list[Widget | None] = [
            Choice(ui, "Pick", [("a", "First"), ("b", "Second")], self.value, self._chosen, key="pick"),
            Toggle(ui, "Switch", False, self.events.append, key="switch"),
            Slider(ui, "Level", 0, 0, 100, lambda _: None, steps=10, on_done=self.events.append, key="level"),
        ]
        return Page(ui, "Panel", content, footer=[button])


@pytest.fixture
def panel(driver: Driver) -> Panel:
    screen = Panel()
    driver.show(screen)
    return screen


def test_everything_fits_and_can_be_hit(driver: Driver, panel: Panel) -> None:
    assert driver.overflows() == []
    assert driver.small_targets() == []


@pytest.mark.parametrize("many", [Row, Grid], ids=["row", "grid"])
def test_buttons_side_by_side_have_letters_of_one_size(driver: Driver, many: type[Container]) -> None:
    ui, room = driver.app.ui, pygame.Rect(0, 0, 300, 64)

    def letters(*words: str) -> set[Style | None]:
        buttons = [Button(ui, word, grow=1) for word in words]
        (Grid(ui, buttons, 2) if many is Grid else Row(ui, buttons)).place(room)
        return {button.letters() for button in buttons}

    assert letters("Exams", "Clinic") == {Style.STRONG}
    assert letters("Exams", "Unfallversicherung") == {Style.SMALL}


def test_options_of_one_choice_have_letters_of_one_size(driver: Driver) -> None:
    options = [("a", "Oval"), ("b", "Microlobuladoramente")]
    choice = Choice(driver.app.ui, "", options, "a", lambda _: None, columns=2)
    choice.place(pygame.Rect(0, 0, 300, 64))
    assert {widget.letters() for widget in choice.walk() if widget.caption} == {Style.SMALL}


def test_a_button_acts_once_when_the_finger_lifts_on_it(driver: Driver, panel: Panel) -> None:
    driver.tap("Press")
    assert panel.events == ["press"]


def test_a_finger_that_slides_off_a_button_does_nothing(driver: Driver, panel: Panel) -> None:
    start = driver.find("press").rect.center
    driver.drag(start, (start[0], start[1] - 200))
    assert panel.events == []


def test_two_fingers_on_a_button_press_it_once(driver: Driver, panel: Panel) -> None:
    place = driver.find("press").rect.center
    for finger in (1, 2):
        driver.finger(pygame.FINGERDOWN, place, finger)
    for finger in (1, 2):
        driver.finger(pygame.FINGERUP, place, finger)
    driver.step()
    assert panel.events == ["press"]


def test_a_disabled_button_can_be_read_and_not_pressed(driver: Driver, panel: Panel) -> None:
    panel.enabled = False
    panel.rebuild()
    driver.tap("press")
    assert panel.events == []
    assert driver.shows("Press")


def test_a_choice_marks_what_was_tapped(driver: Driver, panel: Panel) -> None:
    driver.tap("Second")
    assert panel.events == ["b"]
    before = driver.picture().subsurface(driver.find("pick.a").rect)
    after = driver.picture().subsurface(driver.find("pick.b").rect)
    assert before.get_at((10, 30)) != after.get_at((10, 30))


def test_a_toggle_says_in_words_what_it_is(driver: Driver, panel: Panel) -> None:
    assert driver.shows("Off")
    driver.tap("Switch")
    assert panel.events == [True]
    assert driver.shows("On")


def test_a_slider_follows_the_finger_in_steps_and_reports_at_the_end(driver: Driver, panel: Panel) -> None:
    rect = driver.find("level").rect
    y = rect.bottom - 20
    driver.drag((rect.x + 30, y), (rect.centerx, y))
    assert panel.events == [50]
    assert driver.shows("Level: 50")


def test_a_dialog_takes_all_touches_until_it_is_answered(driver: Driver, panel: Panel) -> None:
    answers: list[str] = []
    dialog = Dialog.confirm(
        driver.app.ui, "Finalise?", "This cannot be undone.", "Finalise", lambda: answers.append("y")
    )
    behind = driver.find("press").rect.center
    driver.app.open(dialog)
    driver.step()
    driver.tap_at(behind)
    assert panel.events == []
    assert answers == []
    assert not driver.shows("This cannot be undone.")  # a tap beside it closes it, and does nothing else
    driver.app.open(dialog)
    driver.step()
    driver.tap("Finalise")
    assert answers == ["y"]
    assert not driver.shows("This cannot be undone.")


def test_cancelling_a_dialog_does_nothing(driver: Driver, panel: Panel) -> None:
    answers: list[str] = []
    driver.app.open(Dialog.confirm(driver.app.ui, "Delete?", "Gone for good.", "Delete", lambda: answers.append("y")))
    driver.tap("Cancel")
    assert answers == []
    driver.tap("Press")
    assert panel.events == ["press"]


@pytest.mark.parametrize(("value", "words"), [(0.0, "< 1 %"), (0.004, "< 1 %"), (0.23, "23 %"), (1.0, "> 99 %")])
def test_a_probability_is_never_said_to_be_certain(driver: Driver, value: float, words: str) -> None:
    bar = ProbabilityBar(driver.app.ui, "Malignant", value, (0.3, 0.6), band_label="uncertain")
    assert bar.caption == f"Malignant {words}"


def test_the_bar_grows_with_the_probability(driver: Driver) -> None:
    ui, colour = driver.app.ui, driver.app.ui.palette.primary

    def filled(value: float) -> int:
        surface = pygame.Surface((400, 80))
        bar = ProbabilityBar(ui, "Malignant", value)
        bar.place(pygame.Rect(0, 0, 400, 80))
        bar.draw(surface)
        y = bar.preferred(400)[1] - ui.px(13)
        return sum(surface.get_at((x, y))[:3] == colour for x in range(400))

    assert 60 < filled(0.2) < 100
    assert filled(0.8) == pytest.approx(4 * filled(0.2), abs=16)


def test_progress_is_said_in_per_cent(driver: Driver) -> None:
    surface, ui = pygame.Surface((400, 60)), driver.app.ui
    bar = ProgressBar(ui, 0.0, "Export")
    bar.place(pygame.Rect(0, 0, 400, 60))
    bar.set(0.42)
    ui.text.begin()
    bar.draw(surface)
    assert {seen.text for seen in ui.text.seen} == {"Export", "42 %"}


@pytest.mark.parametrize("name", names())
def test_every_icon_shows_something_and_stays_within_its_box(name: str) -> None:
    picture = icon(name, 24, (255, 255, 255))
    assert picture.get_size() == (24, 24)
    inked = pygame.mask.from_surface(picture, 100).count()
    assert 20 < inked < 400
