# SPDX-License-Identifier: Apache-2.0
"""What waits for the clinic, what failed, what the clinic has confirmed; each leads to the exams that it counts."""

from __future__ import annotations

from collections.abc import Callable

from device.ui.record_words import moment
from device.ui.screen import Screen
from device.ui.session.older_exams import queue_now
from device.ui.session.uploading import needs_person
from device.ui.status import Level
from device.ui.widgets import Banner, Button, ListRow, ListView, Page, Widget
from device.upload.status import UploadState, UploadStatus

ICONS = {"waiting": "clinic", "failed": "warning", "unqueued": "clinic", "sent": "send"}
"""Of each row, by the name of the filter of the exams list that it leads to."""


class ClinicScreen(Screen):
    """The state of sending.

    Args:
        show: Shows the exams of one filter.
    """

    name = "clinic"

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__()
        self._exams = show
        self._seen = UploadStatus()

    def update(self, dt: float) -> None:
        """Follow what is being sent."""
        if self._seen is not self.app.services.upload_status:
            self.rebuild_when_free()
        super().update(dt)

    def _try_now(self) -> None:
        uploader = self.app.services.uploader
        if uploader is not None:
            uploader.wake(network_is_back=True)

    def _open(self, name: str) -> None:
        if name == "unqueued":
            self._queue()
        else:
            self._exams(name)

    def _queue(self) -> None:
        queue_now(self.app)

    def build(self) -> Widget:
        """A sentence, the numbers, and a way to try at once."""
        ui, t = self.ui, self.ui.t
        status = self._seen = self.app.services.upload_status
        if not self.app.settings.site.clinic_url:
            how = Banner(ui, t("settings.enrol_how"), Level.INFO, icon="clinic", key="state")
            return Page(ui, t("home.clinic"), [how], on_back=self.back)
        counts = {"waiting": status.waiting, "failed": status.failed, "sent": status.sent}
        details = {"waiting": self._next_look(status), "failed": self._alarm(status)}
        if status.unqueued:
            counts = {"unqueued": status.unqueued, **counts}
            details["unqueued"] = t("clinic.unqueued_note")

        def row(name: str) -> ListRow:
            level = Level.ERROR if name == "failed" and counts[name] else Level.INFO
            title = t("clinic.unqueued") if name == "unqueued" else t(f"exams.filter_{name}")
            return ListRow(title, details.get(name, ""), str(counts[name]), level, icon=ICONS[name])

        rows = ListView(ui, list(counts), row, self._open, key="counts")
        content = [self._state(status), rows]
        older = Button(ui, t("clinic.queue"), self._queue, icon="send", key="queue_older")
        again = Button(ui, t("clinic.try_now"), self._try_now, icon="send", key="try_now")
        stuck = status.state is UploadState.TROUBLE or status.waiting + status.failed > 0
        footer = [older if status.unqueued else None, again if stuck else None]
        return Page(ui, t("home.clinic"), content, on_back=self.back, footer=footer)

    def _state(self, status: UploadStatus) -> Banner:
        """What stops everything comes first, then what stops some exams, then what goes its way."""
        ui, t = self.ui, self.ui.t
        if status.trouble is not None:
            level = Level.WARNING if needs_person(status) else Level.INFO
            return Banner(ui, t.error(status.trouble), level, icon="clinic", key="state")
        if status.alarms:
            return Banner(ui, self._alarm(status), Level.ERROR, key="state")
        if status.state is UploadState.SENDING:
            return Banner(ui, t("clinic.sending"), Level.INFO, icon="send", key="state")
        if status.waiting or status.failed:
            return Banner(ui, t("clinic.waiting"), Level.INFO, icon="clinic", key="state")
        if status.unqueued:
            text = t("status.clinic_unqueued", count=status.unqueued)
            return Banner(ui, text, Level.WARNING, icon="clinic", key="state")
        return Banner(ui, t("clinic.nothing"), Level.OK, icon="clinic", key="state")

    def _alarm(self, status: UploadStatus) -> str:
        return self.ui.t("clinic.alarm", count=len(status.alarms)) if status.alarms else ""

    def _next_look(self, status: UploadStatus) -> str:
        left = status.waiting + status.failed
        when = status.next_look
        return self.ui.t("clinic.next_try", moment=moment(when)) if when is not None and left else ""
