# SPDX-License-Identifier: Apache-2.0
"""Whether the phantom is a source now, and the mark in the status bar while it is one on an enrolled device.

On a device that sends exams to a clinic a made-up breast is offered only in practice mode, and every screen says so for
as long as it is on. A device without a clinic offers it always: that is how people learn, and its pictures are marked.
"""

from __future__ import annotations

from device.config import Settings
from device.ui.app import App
from device.ui.status import Level, Status, Topic


def phantom_offered(settings: Settings) -> bool:
    """Whether the phantom is a source."""
    return not settings.site.clinic_url or settings.sources.practice


def follow_practice(app: App) -> None:
    """Keep the mark in the status bar true from now on."""

    def mark(settings: Settings) -> None:
        if settings.site.clinic_url and settings.sources.practice:
            app.status.set(Status(Topic.PRACTICE, Level.WARNING, "status.practice", icon="live"))
        else:
            app.status.clear(Topic.PRACTICE)

    app.on_settings.append(lambda _, settings: mark(settings))
    mark(app.settings)
