# SPDX-License-Identifier: Apache-2.0
"""The log of who did what, newest first, and whether it is as it was written."""

from __future__ import annotations

from device.errors import AuditDamagedError
from device.records.audit import AuditEntry, AuditLog
from device.records.report.report import short_id
from device.ui.record_words import SEPARATOR, moment, shown_name
from device.ui.status import Level
from device.ui.widgets import Banner, Dialog, ListRow, ListView, Page, Widget
from device.ui.work_screen import WorkScreen

MOST = 1000
"""Entries that are shown; the command line prints all (``python -m device audit --all``)."""


class LogScreen(WorkScreen):
    """The log."""

    name = "settings_log"

    def __init__(self) -> None:
        super().__init__()
        self._log: AuditLog | None = None

    def enter(self) -> None:
        """Read it."""
        self.read("audit log", lambda store: store.audit_log(MOST), self._show_log)

    def leave(self) -> None:
        """Forget who did what."""
        super().leave()
        self._log = None

    def _show_log(self, log: AuditLog) -> None:
        self._log = log
        self.rebuild()

    def _open(self, entry: AuditEntry) -> None:
        """An entry in full; a row shortens what does not fit."""
        row = self._row(entry)
        self.app.open(Dialog.message(self.ui, row.title, row.detail, where=shown_name(entry.remark)))

    def build(self) -> Widget:
        """What the log is worth, and its entries."""
        ui, t, log = self.ui, self.ui.t, self._log
        entries = log.entries if log is not None else ()
        empty = t("common.loading") if log is None else t("log.empty")
        rows = ListView(ui, entries, self._row, self._open, empty=empty, long_details=True, key="log")
        return Page(ui, t("settings.log"), [self._state(), rows], on_back=self.back)

    def _state(self) -> Widget | None:
        if self._log is None:
            return None
        if self._log.intact:
            return Banner(self.ui, self.ui.t("log.intact"), Level.INFO, key="intact")
        return Banner(self.ui, self.ui.t.error(AuditDamagedError("audit")), Level.ERROR, key="damaged")

    def _row(self, entry: AuditEntry) -> ListRow:
        t = self.ui.t
        who = shown_name(entry.operator) or t("log.by_itself")
        parts = [moment(entry.at) if entry.at is not None else "", who if entry.readable else t("log.unreadable")]
        if entry.subject:
            parts.append(t("log.exam", id=short_id(shown_name(entry.subject))))
        if entry.remark:
            parts.append(shown_name(entry.remark))
        if not entry.clock_trusted:
            parts.append(t("exams.clock_unverified"))
        key = f"log.event_{entry.event.replace('-', '_')}"
        title = t(key) if t.has(key) else shown_name(entry.event)
        detail = SEPARATOR.join(part for part in parts if part)
        return ListRow(title, detail, icon="person" if entry.operator else "info")
