# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pygame
import pytest

from device.ui.screen import Screen
from device.ui.widgets import Page, TextField, Widget
from device.ui.widgets.entry.keyboard import TouchKeyboard, Writing
from device.ui.widgets.entry.keyboard_layouts import LAYOUTS
from tests.device.ui.conftest import NewDriver
from tests.device.ui.driver import SIZES, Driver


class Note(Screen):
    name = "note"

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.text = ""
        self.options = options

    def _take(self, text: str) -> None:
        self.text = text
        self.rebuild()

    def _ask(self) -> None:
        self.ask_text("Note", self.text, self._take, **self.options)

    def build(self) -> Widget:
        return Page(self.ui, "Page", [TextField(self.ui, "Note", self.text, self._ask, key="note")])


def _open(driver: Driver, **options: Any) -> Note:
    screen = Note(**options)
    driver.show(screen)
    driver.tap("note")
    return screen


def _keyboard(driver: Driver) -> TouchKeyboard:
    assert isinstance(driver.app.top, TouchKeyboard)
    return driver.app.top


def test_letters_capitals_digits_accents_and_signs_are_written(driver: Driver) -> None:
    screen = _open(driver)
    driver.write("José 12 / Ana-B.")
    assert screen.text == "José 12 / Ana-B."
    assert driver.shows("José 12 / Ana-B.")


@pytest.mark.parametrize(("language", "word"), [("hi", "क्षितिज हिन्दी"), ("ta", "த்தை தமிழ் கொ"), ("hi", "रिया Roy 7")])
def test_indian_scripts_are_written_cluster_by_cluster(new_driver: NewDriver, language: str, word: str) -> None:
    driver = new_driver(language=language)
    screen = _open(driver)
    driver.write(word)
    assert screen.text == word


def test_the_caret_moves_by_cluster_and_backspace_removes_one_sign(new_driver: NewDriver) -> None:
    driver = new_driver(language="hi")
    _open(driver)
    for char in "कक्षि":
        driver._tap_key(char)
    keyboard = _keyboard(driver)
    driver.tap("keyboard.left")
    assert keyboard.line.caret == 1
    driver.tap("keyboard.right")
    driver.tap("keyboard.backspace")
    assert keyboard.text == "कक्ष"


def test_backspace_goes_on_while_it_is_held(driver: Driver) -> None:
    _open(driver)
    for char in "aaaaaaaaaa":
        driver._tap_key(char)
    place = driver.find("keyboard.backspace").rect.center
    driver.finger(pygame.FINGERDOWN, place)
    driver.wait(1.0)
    driver.finger(pygame.FINGERUP, place)
    driver.step()
    assert len(_keyboard(driver).text) < 7


def test_cancelling_keeps_the_old_text(driver: Driver) -> None:
    screen = _open(driver)
    screen.text = "old"
    driver._tap_key("x")
    driver.tap("keyboard.cancel")
    assert screen.text == "old"
    assert driver.app.top is screen.root


def test_a_text_that_is_wrong_is_said_and_not_taken(driver: Driver) -> None:
    screen = _open(driver, check=lambda text: "" if len(text) > 2 else "Too short")
    driver.write("ab")
    assert driver.shows("Too short")
    assert screen.text == ""
    driver.write("c")
    assert screen.text == "abc"


def test_a_secret_is_never_drawn(driver: Driver) -> None:
    screen = _open(driver, secret=True)
    for char in "hunter2":
        driver._tap_key(char)
    assert not driver.shows("hunter2")
    driver.tap("keyboard.done")
    assert screen.text == "hunter2"


def test_length_and_characters_are_limited(driver: Driver) -> None:
    screen = _open(driver, longest=3, allowed="0123456789")
    for char in "1a2345":
        driver._tap_key(char)
    driver.tap("keyboard.done")
    assert screen.text == "123"


def test_a_bar_code_reader_writes_like_a_keyboard(driver: Driver) -> None:
    screen = _open(driver)
    pygame.event.post(pygame.event.Event(pygame.TEXTINPUT, text="MRN-0042"))
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_RETURN, unicode="\r"))
    driver.step()
    assert screen.text == "MRN-0042"


def test_a_tap_into_the_text_moves_the_caret(driver: Driver) -> None:
    _open(driver)
    for char in "abcdef":
        driver._tap_key(char)
    line = _keyboard(driver).line
    driver.tap_at((line.rect.x + 12, line.rect.centery))
    driver._tap_key("x")
    assert _keyboard(driver).text == "xabcdef"


@pytest.mark.parametrize("language", sorted(LAYOUTS))
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_page_of_keys_fits_and_can_be_hit(new_driver: NewDriver, language: str, size: tuple[int, int]) -> None:
    driver = new_driver(size=size, language=language)
    _open(driver)
    for layout in LAYOUTS[language]:
        for _ in layout.pages:
            assert driver.overflows() == []
            assert driver.small_targets() == []
            driver.tap("keyboard.page")
        if len(LAYOUTS[language]) > 1:
            driver.tap("keyboard.script")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["en", "hi", "ta"])
def test_a_code_and_an_age_begin_with_digits(new_driver: NewDriver, language: str, size: tuple[int, int]) -> None:
    driver = new_driver(language=language, size=size)
    for writing in (Writing.CODE, Writing.NUMBER):
        _open(driver, writing=writing)
        keys = [widget.caption for widget in driver._widgets() if widget.key.startswith("key.") and widget.caption]
        assert set("0123456789") <= set(keys)
        assert keys[:3] == ["1", "2", "3"]
        assert ("q" in keys) is (writing is Writing.CODE)


def test_the_words_of_a_name_begin_with_capitals_and_those_of_a_note_do_not(driver: Driver) -> None:
    screen = _open(driver, writing=Writing.NAME)
    for char in "Amina Otieno":  # the keys show capitals where a word begins, and only there
        driver.tap(f"key.{char}")
    driver.tap("keyboard.done")
    assert screen.text == "Amina Otieno"
    screen = _open(driver)
    assert driver.find("key.a")
    assert screen.text == ""


def test_the_next_field_follows_and_all_is_cleared_at_one_tap(driver: Driver) -> None:
    followed: list[str] = []
    screen = Note()
    screen.options = {"on_next": lambda: followed.append(screen.text)}
    driver.show(screen)
    driver.tap("note")
    driver.tap("key.a")
    driver.tap("key.b")
    driver.tap("keyboard.clear")
    assert _keyboard(driver).text == ""
    driver.tap("key.c")
    driver.tap("keyboard.next")
    assert (screen.text, followed) == ("c", ["c"])


@pytest.mark.parametrize("size", [(800, 480), (480, 800)])
@pytest.mark.parametrize("language", list(LAYOUTS))
def test_digits_comma_slash_and_colon_are_there_in_every_script(
    new_driver: NewDriver, language: str, size: tuple[int, int]
) -> None:
    """Within the pages of each script, so that nobody has to change it for a dose or a date."""
    driver = new_driver(language=language, size=size)
    for number, layout in enumerate(LAYOUTS[language]):
        _open(driver)
        for _ in range(number):
            driver.tap("keyboard.script")
        found: set[str] = set()
        for _ in layout.pages:
            found |= {widget.caption for widget in driver._widgets() if widget.key.startswith("key.")}
            if len(layout.pages) > 1:
                driver.tap("keyboard.page")
        assert set("0123456789,/:") <= found, layout.name


def test_letters_stand_in_the_same_order_lying_and_standing(new_driver: NewDriver) -> None:
    orders = []
    for size in ((800, 480), (480, 800)):
        driver = new_driver(size=size)
        _open(driver)
        letters = [w.caption for w in driver._widgets() if w.key.startswith("key.") and w.caption.isalpha()]
        orders.append([letter for letter in letters if len(letter) == 1])
    assert orders[0] == orders[1]
