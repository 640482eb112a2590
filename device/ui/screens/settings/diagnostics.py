# SPDX-License-Identifier: Apache-2.0
"""The self-check on the screen: what is in order, what is not, what to do; and the same on a stick for a technician.

The sentences of the checks are for technicians and in English, as on the command line; the verdict and the names of the
states are in the clinician's language.
"""

from __future__ import annotations

from device.capture.sources.usb_stick import find_sticks
from device.errors import StickGoneError
from device.operations.self_check import all_checks, run_checks
from device.operations.support_bundle import write_support_bundle
from device.system.check import CheckResult, CheckStatus
from device.ui.status import Level
from device.ui.stick_screen import ready_to_write
from device.ui.tasks import Progress
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Banner, Button, Card, Column, Label, Page, ProgressBar, ScrollView, Widget
from device.ui.work_screen import WorkScreen

LEVELS = {
    CheckStatus.OK: Level.OK,
    CheckStatus.WARN: Level.WARNING,
    CheckStatus.FAIL: Level.ERROR,
    CheckStatus.ABSENT: Level.INFO,
}
ORDER = [CheckStatus.FAIL, CheckStatus.WARN, CheckStatus.OK, CheckStatus.ABSENT]


class DiagnosticsScreen(WorkScreen):
    """Runs the checks on entering."""

    name = "diagnostics"

    def __init__(self) -> None:
        super().__init__()
        self._results: list[CheckResult] | None = None
        self._bar: ProgressBar | None = None

    def enter(self) -> None:
        """Check, unless that was done already."""
        if self._results is None:
            self._check()

    def _check(self) -> None:
        checks = all_checks(self.app.settings, screen=False, opener=self.app.services.clinic_opener())

        def work(progress: Progress) -> list[CheckResult]:
            results: list[CheckResult] = []
            for number, check in enumerate(checks):
                progress.tell(number / len(checks), check.name)
                results += run_checks([check])
            return results

        self._results = None
        self.start("self-check", work, self._checked, told=self._told)
        self.rebuild()

    def _told(self, fraction: float, what: str) -> None:
        if self._bar is not None:
            self._bar.set(fraction, what)

    def _checked(self, results: list[CheckResult]) -> None:
        self._results = sorted(results, key=lambda result: ORDER.index(result.status))
        self.rebuild()

    def _bundle(self) -> None:
        results, settings, roots = self._results or [], self.app.settings, self.app.services.roots

        def work(_: Progress) -> str:
            sticks = find_sticks(roots)
            if not sticks:
                raise StickGoneError("USB")
            ready_to_write(sticks[0])
            return write_support_bundle(sticks[0].mount, results, settings)

        self.start("support bundle", work, self._written)
        self.rebuild()

    def _written(self, name: str) -> None:
        self.rebuild()
        self.app.toast(self.ui.t("diagnostics.written", name=name), Level.OK)

    def build(self) -> Widget:
        """The verdict and the results, what is wrong first."""
        ui, t, results = self.ui, self.ui.t, self._results
        title = t("settings.diagnostics")
        if results is None:
            self._bar = ProgressBar(ui, 0.0, t("common.loading"), key="progress")
            return Page(ui, title, [self._bar, Label(ui, t("diagnostics.takes"), ink=Ink.MUTED)], on_back=self.back)
        self._bar = None
        cards = [self._card(result) for result in results]
        form = ScrollView(ui, Column(ui, [self._verdict(results), *cards]))
        again = Button(ui, t("diagnostics.again"), self._check, key="again")
        busy = self.busy("support bundle")
        bundle = Button(ui, t("diagnostics.bundle"), self._bundle, icon="stick", enabled=not busy, key="bundle")
        return Page(ui, title, [form], on_back=self.back, footer=[again, bundle])

    def _verdict(self, results: list[CheckResult]) -> Banner:
        t = self.ui.t
        failed = sum(result.status is CheckStatus.FAIL for result in results)
        warned = sum(result.status is CheckStatus.WARN for result in results)
        if failed:
            return Banner(self.ui, t("diagnostics.failed", count=failed), Level.ERROR, key="verdict")
        if warned:
            return Banner(self.ui, t("diagnostics.warned", count=warned), Level.WARNING, key="verdict")
        return Banner(self.ui, t("diagnostics.healthy"), Level.OK, key="verdict")

    def _card(self, result: CheckResult) -> Card:
        ui = self.ui
        state = ui.t(f"diagnostics.state_{result.status.value}")
        parts: list[Widget] = [
            Banner(ui, ui.t("common.pair", name=result.name, value=state), LEVELS[result.status], style=Style.STRONG),
            Label(ui, result.sentence, Style.SMALL, Ink.CARD, break_words=True),
        ]
        if result.advice:
            parts.append(Label(ui, result.advice, Style.SMALL, Ink.CARD_MUTED, break_words=True))
        return Card(ui, parts, key=f"check.{result.name}")
