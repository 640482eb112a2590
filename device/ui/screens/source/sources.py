# SPDX-License-Identifier: Apache-2.0
"""Choose where the pictures come from; large rows for everything that is plugged in, each always in its place.

What is there is looked for again every two seconds, so that a plugged-in grabber or stick appears by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast, get_args

from device.capture.sources.discover import Kind, SourceInfo, discover
from device.errors import MammascopeError
from device.ui.screen import Screen
from device.ui.session.practice import phantom_offered
from device.ui.status import Level
from device.ui.tasks import Task
from device.ui.widgets import ListRow, ListView, Page, ProgressBar, Widget

LIVE_KINDS = ("picamera", "v4l2", "phantom")
LOOK_AGAIN_S = 2.0
ICONS = {"picamera": "camera", "v4l2": "grabber", "stick": "stick", "folder": "folder", "phantom": "live"}


class SourcesScreen(Screen):
    """Lists the sources that are there now.

    Args:
        on_chosen: Called with the source that was tapped; it has been remembered for this site.
        at_once: Goes on by itself, once, where there is no doubt: to the live source used last, or to the only one.
    """

    name = "sources"

    def __init__(self, on_chosen: Callable[[SourceInfo], None], *, at_once: bool = False) -> None:
        super().__init__()
        self._at_once = at_once
        self._on_chosen = on_chosen
        self._found: list[SourceInfo] | None = None
        self._task: Task[list[SourceInfo]] | None = None
        self._pause_s = 0.0

    def enter(self) -> None:
        """Look at once."""
        self._look()

    def leave(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def update(self, dt: float) -> None:
        """Look again from time to time."""
        super().update(dt)
        self._pause_s += dt
        if self._task is None and self._pause_s >= LOOK_AGAIN_S:
            self._look()

    # --- what happens -------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        services, last = self.app.services, self._last()
        folders = [services.frames_dir] if services.frames_dir is not None else []
        remembered = [last] if last is not None else []
        phantom = phantom_offered(self.app.settings)
        self._pause_s = 0.0
        self._task = self.app.tasks.start(
            "sources",
            lambda _: discover(services.roots, folders, phantom, remembered),
            self._looked,
            self._failed,
        )

    def _looked(self, found: list[SourceInfo]) -> None:
        self._task = None
        if found != self._found:
            self._found = found
            self.rebuild_when_free()
        if self._at_once:
            self._at_once = False
            self._go_on(found)

    def _go_on(self, found: list[SourceInfo]) -> None:
        live = [info for info in found if info.available and info.kind in LIVE_KINDS]
        last = [info for info in live if info.id == self._last_id()]
        cameras = [info for info in live if info.kind != "phantom"]
        for doubtless in (last, cameras, live):
            if len(doubtless) == 1:
                self._tapped(doubtless[0])
                return
            if doubtless:
                return

    def _failed(self, error: MammascopeError) -> None:
        self._task = None
        self.app.show_error(error)

    def _last_id(self) -> str:
        settings = self.app.settings
        return settings.sources.last_by_site.get(settings.site.name, "")

    def _last(self) -> SourceInfo | None:
        """The source used last, as far as its identifier tells; it is listed even when it is not plugged in."""
        kind, _, name = self._last_id().partition(":")
        if kind not in get_args(Kind) or not name:
            return None
        return SourceInfo(self._last_id(), cast(Kind, kind), name.removesuffix("-video-index0"), False)

    def _tapped(self, info: SourceInfo) -> None:
        if not info.available:
            self.app.toast(self.ui.t("sources.plug_in"), Level.WARNING)
            return
        settings = self.app.settings
        used = {**settings.sources.last_by_site, settings.site.name: info.id}
        if used != settings.sources.last_by_site:
            self.app.change_settings("sources", last_by_site=used)
        self._on_chosen(info)

    # --- what it looks like -------------------------------------------------------------------------------------------

    def _row(self, info: SourceInfo) -> ListRow:
        ui = self.ui
        kind = ui.t(f"sources.kind_{info.kind}")
        name = ui.t("sources.phantom") if info.kind == "phantom" else info.name
        badge, level = "", Level.INFO
        if not info.available:
            badge, level = ui.t("sources.missing"), Level.WARNING
        elif info.id == self._last_id():
            badge, level = ui.t("sources.last_used"), Level.OK
        return ListRow(name, kind, badge, level, icon=ICONS[info.kind])

    def build(self) -> Widget:
        """The list, or that it is being made."""
        ui = self.ui
        if self._found is None:
            content: Widget = ProgressBar(ui, None, ui.t("sources.looking"), key="looking")
        else:
            content = ListView(ui, self._found, self._row, self._tapped, key="sources")
        return Page(ui, ui.t("sources.title"), [content], on_back=self.back)
