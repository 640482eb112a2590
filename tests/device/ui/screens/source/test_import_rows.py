# SPDX-License-Identifier: Apache-2.0
"""Rows of files on a stick: why one cannot be used is read in its row, and which are chosen is seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.errors import FrameError, SecondVideoError
from device.ui.screens.source.import_browser import ImportScreen
from device.words import LANGUAGES
from tests.device.ui.driver import SIZES, Driver
from tests.device.ui.record_world import fill_stick, make_world

NAME = "IMG_20231104_101112_breast_left_0001.dcm"


def _reasons(kind: type[FrameError] = FrameError) -> Iterator[str]:
    """Codes of all that keeps a file from being used; of a second video it is said where the frames are chosen."""
    if kind is not SecondVideoError:
        yield kind.code
    for one in kind.__subclasses__():
        yield from _reasons(one)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_no_reason_is_cut(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    world = make_world(tmp_path)
    (world.plug() / NAME).write_bytes(b"no picture")
    with Driver(world.unlocked(), size, language=language) as driver:
        screen = ImportScreen(lambda _: None, None, lambda _: None)
        driver.show(screen)
        driver.until_text("KINGSTON")
        driver.tap("KINGSTON")
        driver.until(lambda: screen._listing is not None)
        assert screen._listing is not None
        (path,) = screen._listing.files
        codes = set(_reasons())
        assert len(codes) > 10
        for code in codes:
            screen._problems[path] = driver.app.ui.t(f"errors.{code}")
            screen.rebuild()
            driver.step()
            assert "".join(screen._problems[path].split()) in "".join("".join(driver.words()).split()), code
            assert driver.overflows() == [], code


def test_files_have_boxes_to_tick_while_several_are_chosen_and_folders_have_none(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    fill_stick(world.plug())
    with Driver(world.unlocked()) as driver:
        screen = ImportScreen(lambda _: None, None, lambda _: None)
        driver.show(screen)
        driver.until_text("KINGSTON")
        driver.tap("KINGSTON")
        driver.until_text("good.png")
        driver.tap("several")
        rows = screen._list
        assert rows is not None
        assert rows._selected is not None
        folder, file = rows.items[:2]
        assert folder.is_dir()
        assert (rows._selected(folder), rows._selected(file)) == (None, False)
        driver.tap(file.name)
        rows = screen._list
        assert rows is not None
        assert rows._selected is not None
        assert rows._selected(file)
