# SPDX-License-Identifier: Apache-2.0
"""Pictures of a folder: thumbnails, good ones open, bad ones say why, and the app goes on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import cv2
import pytest

from device.capture.phantom.frames import phantom_frame
from device.records.exam import View
from device.ui.screens.source.frames import FramesScreen
from tests.device.ui.driver import Driver
from tests.device.ui.waits import has_thumbnail


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "stick"
    made.mkdir()
    for number in range(1, 13):
        cv2.imwrite(str(made / f"view {number}.png"), phantom_frame(number, "benign", size=(320, 240)).pixels)
    (made / "view 0 empty.png").write_bytes(b"")
    (made / "view 0 text.png").write_text("This is a letter to the clinic.")
    whole = (made / "view 1.png").read_bytes()
    (made / "view 0 torn.png").write_bytes(whole[: len(whole) // 2])
    return made


@pytest.fixture
def chosen() -> list[View]:
    return []


@pytest.fixture
def frames(driver: Driver, folder: Path, chosen: list[View]) -> FramesScreen:
    screen = FramesScreen(folder, chosen.append)
    driver.show(screen)
    driver.until(lambda: len(screen.files) == 15)
    return screen


def test_bad_files_say_why_in_their_row(driver: Driver, frames: FramesScreen) -> None:
    for sentence in ("The file is empty", "not an accepted picture", "damaged or incomplete"):
        driver.until_text(sentence)


def test_a_tap_opens_the_picture_and_the_model_has_looked_at_it(
    driver: Driver, frames: FramesScreen, chosen: list[View]
) -> None:
    driver.drag((400, 420), (400, 160), steps=30)
    driver.wait(2)
    name = next(words for words, place in driver.texts() if words.startswith("view ") and 200 < place.y < 400)
    driver.tap(name)
    driver.until(lambda: bool(chosen))
    assert chosen[0].frame.origin == name
    assert chosen[0].finding.probabilities is not None


def test_a_bad_file_is_said_and_the_next_one_opens(driver: Driver, frames: FramesScreen, chosen: list[View]) -> None:
    driver.tap("view 0 text.png")
    driver.until_text("There is a problem")
    assert driver.shows("not an accepted picture")
    driver.tap("OK")
    frames.open_file(frames.files[3])
    driver.until(lambda: bool(chosen))
    assert chosen[0].frame.origin == "view 1.png"


def test_thumbnails_are_made_for_the_rows_that_can_be_seen(driver: Driver, frames: FramesScreen) -> None:
    driver.until(lambda: has_thumbnail(frames))
    made = frames._thumbnails
    assert made is not None
    driver.until(lambda: made._task is None)
    assert made.get(frames.files[3]) is not None
    assert made.get(frames.files[14]) is None


def test_a_folder_without_pictures_says_so(driver: Driver, tmp_path: Path) -> None:
    driver.show(FramesScreen(tmp_path, lambda _: None))
    driver.until_text("no pictures in this folder")


def test_a_pulled_stick_is_said_and_nothing_hangs(driver: Driver, frames: FramesScreen, folder: Path) -> None:
    shutil.rmtree(folder)
    frames.open_file(frames.files[5])
    driver.until_text("There is a problem")
    assert driver.shows("plug the stick in again")
    driver.tap("OK")
    driver.show(FramesScreen(folder, lambda _: None))
    driver.until_text("The file is not there")


def test_names_that_are_no_text_are_drawn_and_open(driver: Driver, tmp_path: Path, chosen: list[View]) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    cv2.imwrite(str(tmp_path / "whole.png"), phantom_frame(1, "benign", size=(320, 240)).pixels)
    for name in (b"a\xe9.png", b"b\nline.png", "c\u202egnp.png".encode()):
        shutil.copy(tmp_path / "whole.png", folder / os.fsdecode(name))
    screen = FramesScreen(folder, chosen.append)
    driver.show(screen)
    driver.until_text("a?.png")
    assert driver.shows("b\ufffdline.png")
    assert driver.shows("c\ufffdgnp.png")
    assert driver.shows("caf?")
    screen.open_file(screen.files[0])
    driver.until(lambda: bool(chosen))
    assert chosen[0].frame.origin == r"a\xe9.png"
