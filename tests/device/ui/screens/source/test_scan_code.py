# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import segno

from device.capture.phantom.frames import phantom_frame
from device.capture.sources.folder import FolderSource
from device.ui.screens.home import HomeScreen
from device.ui.screens.source.scan_code import ScanCodeScreen
from tests.device.ui.driver import Driver


def _card(path: Path, code: str) -> None:
    stream = io.BytesIO()
    segno.make_qr(code).save(stream, kind="png", scale=6)
    picture = cv2.imdecode(np.frombuffer(stream.getvalue(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    card = np.full((480, 640), 200, np.uint8)
    card[100 : 100 + picture.shape[0], 200 : 200 + picture.shape[1]] = picture
    cv2.imwrite(str(path), card)


def test_a_code_before_the_camera_is_shown_and_used_only_when_confirmed(driver: Driver, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), phantom_frame(1).pixels)
    _card(tmp_path / "2.png", "KB-0042")
    taken: list[str] = []
    driver.show(HomeScreen({}))
    driver.app.push(ScanCodeScreen(taken.append, lambda: FolderSource(tmp_path, "camera")))
    driver.until_text("KB-0042")
    assert taken == []
    driver.tap("use")
    assert taken == ["KB-0042"]
    driver.until_screen("home")


def test_scanning_again_forgets_the_first_code(driver: Driver, tmp_path: Path) -> None:
    _card(tmp_path / "1.png", "KB-0042")
    driver.show(ScanCodeScreen(lambda _: None, lambda: FolderSource(tmp_path, "camera")))
    driver.until_text("KB-0042")
    driver.tap("again")
    assert not driver.shows("KB-0042")
