# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from device.errors import BacklightError
from device.system.display.backlight import set_brightness


def _panel(root: Path) -> Path:
    panel = root / "sys/class/backlight/10-0045"
    panel.mkdir(parents=True)
    (panel / "max_brightness").write_text("31\n")
    (panel / "brightness").write_text("31\n")
    return panel


@pytest.mark.parametrize(("percent", "level"), [(100, "31"), (50, "16"), (5, "2"), (0, "2")])
def test_the_panel_gets_its_share_and_never_goes_dark(tmp_path: Path, percent: int, level: str) -> None:
    panel = _panel(tmp_path)
    assert set_brightness(percent, tmp_path) == 1
    assert (panel / "brightness").read_text().strip() == level


def test_a_screen_without_backlight_is_no_error(tmp_path: Path) -> None:
    assert set_brightness(50, tmp_path) == 0


def test_a_refusal_is_said(tmp_path: Path) -> None:
    panel = _panel(tmp_path)
    (panel / "brightness").unlink()
    (panel / "brightness").mkdir()
    with pytest.raises(BacklightError):
        set_brightness(50, tmp_path)
