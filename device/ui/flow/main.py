# SPDX-License-Identifier: Apache-2.0
"""Which screen follows which: start, lock, main menu. The only place that knows all screens.

Each tile of the main menu has one entry in ``entries``; a screen that is not written yet simply is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from device.ui.app import App
from device.ui.flow.exam import ExamFlow
from device.ui.screen import LeftOpen, Screen
from device.ui.screens.first_start import FirstStartScreen
from device.ui.screens.home import ANSWERS, CALL_BACK, HomeScreen
from device.ui.screens.lock import LockScreen
from device.ui.screens.settings.menu import SettingsScreen
from device.ui.session.audit_notes import AuditNotes
from device.ui.session.machine_watch import MachineWatch
from device.ui.session.older_exams import queue_older_exams
from device.ui.session.practice import follow_practice
from device.ui.session.record_health import watch_records
from device.ui.session.settings_health import watch_settings
from device.ui.session.uploading import Uploading
from device.ui.widgets import Dialog

Entries = Mapping[str, Callable[[], Screen]]


def entries(exams: ExamFlow) -> Entries:
    """What makes the screen of each tile and notice, by its name (see ``screens.home.TILES``)."""
    return {
        "quick_look": exams.quick_look,
        "new_exam": exams.new_exam,
        "exams": exams.exams,
        "import": exams.importing,
        "clinic": exams.clinic,
        "settings": SettingsScreen,
        ANSWERS: exams.answers,
        CALL_BACK: exams.call_back,
    }


class Flow:
    """Leads through the program from power-on.

    Args:
        app: The program.
        tiles: What makes the screen of each tile; unset: all that there are.
    """

    def __init__(self, app: App, tiles: Entries | None = None) -> None:
        self._app = app
        self._tiles = entries(ExamFlow(app, self.home)) if tiles is None else tiles
        self._operator = ""
        self._left: dict[str, LeftOpen] = {}
        app.lock_with(self._lock_screen)

    def start(self) -> None:
        """Show the first screen: set-up on a new device, else the PIN; begin to watch the machine and to send."""
        MachineWatch(self._app).start()
        watch_settings(self._app)
        watch_records(self._app)
        Uploading(self._app).start()
        AuditNotes(self._app).start()
        follow_practice(self._app)
        queue_older_exams(self._app)
        if self._app.services.is_set_up():
            self._app.reset(LockScreen(self.home))
        else:
            self._app.reset(FirstStartScreen(self.home))

    def home(self) -> None:
        """Show the main menu and nothing behind it."""
        self._app.reset(HomeScreen(self._tiles))

    def _lock_screen(self) -> Screen:
        self._operator = self._app.services.operator
        return LockScreen(self._unlocked)

    def _unlocked(self) -> None:
        """Go on where the same person was; another person sees nothing of it, and is told what is not saved."""
        operator = self._app.services.operator
        left = self._app.set_aside()
        if left.unsaved or (left.screens and operator == self._operator):
            self._left[self._operator] = left
        mine = self._left.pop(operator, None)
        if mine is None:
            self.home()
        else:
            self._app.bring_back(mine)
        self._tell(operator)

    def _tell(self, operator: str) -> None:
        """Who else has something on this device that is on no card yet; each person once."""
        untold = {who: left for who, left in self._left.items() if operator not in left.told}
        for left in untold.values():
            left.told.add(operator)
        if untold:
            ui = self._app.ui
            text = ui.t("lock.left_text", who=", ".join(untold))
            self._app.open(Dialog.message(ui, ui.t("lock.left_title"), text))
