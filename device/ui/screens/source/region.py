# SPDX-License-Identifier: Apache-2.0
"""Where the B-mode picture lies in the frames of a scanner: box, corners and scale by touch, kept as a preset.

Reached from the live view (for a source) and from a view that has just been frozen (for this picture).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from device.capture.frame import Box, Frame, PixelSpacing, Point
from device.config import ScannerPreset
from device.errors import MammascopeError
from device.imaging.perspective import FourCorners
from device.imaging.sonogram import find_sonogram
from device.imaging.source_geometry import SourceGeometry
from device.ui.pointer import Phase
from device.ui.screen import Screen
from device.ui.screens.source.corners import CornersScreen
from device.ui.screens.source.presets import PresetsScreen
from device.ui.screens.source.scale import ScaleScreen
from device.ui.session.source_geometries import save_preset, use_preset
from device.ui.status import Level
from device.ui.tasks import Task
from device.ui.theme.text import Style
from device.ui.widgets import Button, Column, Kind, Label, PicturePane, ScrollView, ToolButton, Widget, WorkPage
from device.ui.widgets.picture.handles import RING_RIM, BoxHandles

LONGEST_NAME = 64


class RegionScreen(Screen):
    """The box of the sonogram, and the ways to corners and scale.

    Args:
        frame: As the source delivered it.
        placement: How it is looked at now.
        on_done: Called with how it is to be looked at.
        source_id: The source, when a preset can be chosen or saved for it.
        camera: Whether corners make sense.
    """

    name = "region"

    def __init__(
        self,
        frame: Frame,
        placement: SourceGeometry,
        on_done: Callable[[SourceGeometry], None],
        *,
        source_id: str = "",
        camera: bool = True,
    ) -> None:
        super().__init__()
        self._frame = frame
        self._placement = self._before = placement
        self._on_done = on_done
        self._source_id = source_id
        self._camera = camera
        self._placed = frame
        self._found = Box(0, 0, frame.width, frame.height)
        self._handles: BoxHandles | None = None
        self._task: Task[tuple[Frame, Box]] | None = None

    @property
    def unsaved(self) -> str:
        """Another area, other corners, another scale."""
        return "common.discard_entered" if self._placement != self._before else ""

    # --- what happens -------------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Straighten the frame and look for the sonogram."""
        self._prepare()

    def leave(self) -> None:
        """Stop that."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _prepare(self) -> None:
        frame, placement = self._frame, self._placement

        def work(_: object) -> tuple[Frame, Box]:
            placed = placement.apply(frame)
            return placed, find_sonogram(placed).box

        self._task = self.app.tasks.start("region", work, self._prepared, self._failed)

    def _prepared(self, result: tuple[Frame, Box]) -> None:
        self._task = None
        self._placed, self._found = result
        size = (self._placed.width, self._placed.height)
        self._handles = BoxHandles(self._found, size, self._moved)
        self.rebuild_when_free()

    def _failed(self, error: MammascopeError) -> None:
        """The corners do not fit this frame: go on without them."""
        self._task = None
        self._placement = self._before = replace(self._placement, corners=None)
        self.app.show_error(error)
        self._prepare()

    def _moved(self) -> None:
        if self._handles is not None:
            self._placement = replace(self._placement, box=self._handles.box)
            self._words.text = self._box_words()

    def _find(self) -> None:
        self._placement = replace(self._placement, box=None)
        self._prepare()

    def _corners(self) -> None:
        self.app.push(CornersScreen(self._frame, self._placement.corners, self._cornered))

    def _cornered(self, corners: FourCorners | None) -> None:
        # A box and a scale of the slanted picture mean nothing on the straightened one.
        self._placement = SourceGeometry(corners, None, None, None)

    def _scale(self) -> None:
        self.app.push(ScaleScreen(self._placed.pixels, self._found, self._scaled))

    def _scaled(self, spacing: PixelSpacing) -> None:
        self._placement = replace(self._placement, tapped=spacing)

    def _presets(self) -> None:
        self.app.push(PresetsScreen(self._chosen))

    def _chosen(self, preset: ScannerPreset) -> None:
        self._placement = use_preset(self.app, self._source_id, preset)

    def _save(self) -> None:
        name = self.app.settings.sources.preset_by_source.get(self._source_id, "")
        self.ask_text(self.ui.t("tools.preset_name"), name, self._named, longest=LONGEST_NAME, check=self._check)

    def _check(self, name: str) -> str:
        return "" if name.strip() else self.ui.t("tools.preset_name")

    def _named(self, name: str) -> None:
        kept = self._placement
        if kept.corners is None and kept.box is None:
            kept = replace(kept, box=self._found)
        save_preset(self.app, self._source_id, name.strip(), kept)
        self._placement = kept
        self.app.toast(self.ui.t("tools.preset_saved", name=name.strip()), Level.OK)

    def _done(self) -> None:
        self._on_done(self._placement)
        self.app.pop()

    def _drag(self, phase: Phase, at: Point) -> bool:
        return self._handles is not None and self._handles.drag(self._pane.image, phase, at)

    # --- what it looks like -------------------------------------------------------------------------------------------

    def _box_words(self) -> str:
        box = self._handles.box if self._handles is not None else self._found
        return self.ui.t("tools.region_size", w=box.w, h=box.h)

    def _scale_words(self) -> str:
        spacing = self._placed.spacing
        if spacing is None:
            return self.ui.t("imaging.no_scale")
        return self.ui.t("tools.scale_is", mm=self.ui.t.number(spacing.x_mm, 3))

    def build(self) -> Widget:
        """The frame with its box; tools; what is set."""
        ui = self.ui
        shown = [self._handles] if self._handles is not None else []
        self._pane = PicturePane(ui, self._placed.pixels, drawings=shown, on_drag=self._drag)
        self._pane.image.rim = ui.px(RING_RIM)
        corners = ToolButton(ui, ui.t("tools.corners"), "corners", self._corners, key="corners")
        tools = [
            ToolButton(ui, ui.t("common.back"), "back", self.back, key="back"),
            ToolButton(ui, ui.t("tools.find"), "search", self._find, enabled=self._task is None, key="find"),
            corners if self._camera else None,
            ToolButton(ui, ui.t("tools.scale"), "ruler", self._scale, key="scale"),
        ]
        self._words = Label(ui, self._box_words(), Style.SMALL, key="box")
        words: list[Widget | None] = [
            Label(ui, ui.t("tools.region_title"), Style.TITLE, key="title"),
            Label(ui, ui.t("tools.region_hint"), Style.SMALL),
            self._words,
            Label(ui, self._scale_words(), Style.SMALL, key="spacing"),
        ]
        if self._source_id:
            words.append(Button(ui, ui.t("tools.presets"), self._presets, key="presets"))
            words.append(Button(ui, ui.t("tools.save_preset"), self._save, key="save_preset"))
        done = Button(ui, ui.t("common.done"), self._done, kind=Kind.PRIMARY, key="done")
        panel = Column(ui, [ScrollView(ui, Column(ui, words)), done], grow=1)
        return WorkPage(ui, tools, self._pane, panel)
