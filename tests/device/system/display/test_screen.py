# SPDX-License-Identifier: Apache-2.0
"""Which screen the app would open on."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.system.check import CheckStatus
from device.system.display.screen import Panel, ScreenCheck, find_panels


def test_drawing_into_memory_only_is_a_warning_that_names_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    result = ScreenCheck().run()
    assert result.status is CheckStatus.WARN
    assert result.sentence.startswith("dummy with ")
    assert "pygame-ce 2" in result.sentence


def test_a_screen_that_cannot_be_opened_is_a_warning_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "no-such-driver")
    result = ScreenCheck().run()
    assert result.status is CheckStatus.WARN
    assert "No screen can be opened" in result.sentence
    assert "no-such-driver" in result.sentence


def panel(root: Path, connector: str, status: str, modes: str) -> None:
    folder = root / "sys/class/drm" / connector
    folder.mkdir(parents=True)
    (folder / "status").write_text(f"{status}\n")
    (folder / "modes").write_text(modes)


def holder(root: Path, opened: str) -> None:
    handles = root / "proc/387/fd"
    handles.mkdir(parents=True)
    (handles / "5").symlink_to(opened)


@pytest.mark.parametrize("driver", [None, "kmsdrm"])
def test_a_panel_that_the_app_draws_on_is_no_missing_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: str | None
) -> None:
    for name in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if driver is not None:
        monkeypatch.setenv("SDL_VIDEODRIVER", driver)
    panel(tmp_path, "card0-HDMI-A-1", "disconnected", "")
    holder(tmp_path, "/dev/dri/card1")
    assert ScreenCheck(tmp_path).run().status is CheckStatus.WARN
    panel(tmp_path, "card1-DSI-1", "connected", "800x480\n800x480\n")
    assert find_panels(tmp_path) == [Panel("DSI-1", "800x480")]
    result = ScreenCheck(tmp_path).run()
    assert result.status is CheckStatus.OK
    assert result.sentence.startswith("DSI-1 800x480; ")


def test_a_panel_that_nobody_draws_on_but_that_cannot_be_opened_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "kmsdrm")
    panel(tmp_path, "card1-DSI-1", "connected", "800x480\n")
    holder(tmp_path, "/dev/input/event1")
    assert ScreenCheck(tmp_path).run().status is CheckStatus.WARN
