"""Which screen the app would open on."""

from __future__ import annotations

import pytest

from device.system.check import CheckStatus
from device.system.screen import ScreenCheck


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
