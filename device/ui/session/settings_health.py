# SPDX-License-Identifier: Apache-2.0
"""A value of the settings file that is not allowed, brought to the status bar and into the log of the system.

``doctor`` says what is wrong with each; the screens say which one it is, until it is set anew or corrected in the file.
"""

from __future__ import annotations

import logging

from device.config import Settings
from device.ui.app import App
from device.ui.status import Level, Status, Topic

log = logging.getLogger(__name__)


def watch_settings(app: App) -> None:
    """Keep the sentence in the status bar true from now on."""
    app.on_settings.append(lambda _, settings: _tell(app, settings))
    if app.settings.problem:
        log.warning("settings: %s", app.settings.problem)
    _tell(app, app.settings)


def _tell(app: App, settings: Settings) -> None:
    if settings.unusable:
        setting = settings.unusable[0]
        app.status.set(Status(Topic.SETTINGS, Level.WARNING, "status.settings_unusable", {"setting": setting}))
    else:
        app.status.clear(Topic.SETTINGS)
