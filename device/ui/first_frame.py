# SPDX-License-Identifier: Apache-2.0
"""Draws the first screen once without a panel: what a release has to manage before it may be used at all.

``python -m device update self-test`` calls it in the new release; nothing of the device's records is touched.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pygame

from device.config import Settings
from device.errors import DisplayError
from device.ui.app import App
from device.ui.display import Display
from device.ui.flow.main import Flow
from device.ui.session.services import Services

_FEWEST_COLOURS = 8
"""An empty screen has one colour; smooth letters alone give dozens."""


def draw_first_frame(settings: Settings) -> None:
    """Start the program on a panel in memory, with no records, and let its loop turn once.

    Args:
        settings: Language, size, rotation and theme of this device.

    Raises:
        DisplayError: Nothing was drawn.
        FontMissingError: The language cannot be shown.
    """
    os.environ["SDL_VIDEODRIVER"] = "dummy"
    look = settings.display
    with tempfile.TemporaryDirectory(prefix="mammascope-frame-") as folder:
        app = App(Display(look.size, look.rotation), settings, Services(Path(folder)))
        try:
            Flow(app).start()
            app.step()
            colours = len(np.unique(pygame.surfarray.array2d(app.display.surface)))
        finally:
            app.close_all()
    if colours < _FEWEST_COLOURS:
        raise DisplayError("first frame", f"only {colours} colours")
