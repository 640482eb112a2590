# SPDX-License-Identifier: Apache-2.0
"""The live picture of a source with what the model thinks of it now, and the button that freezes it.

The picture runs at the speed of the screen, whatever the model needs: each newest frame is shown and offered to the
model, which takes one when it is free. A source that is lost is said within two seconds, over the picture as well, and
comes back by itself.
"""

from __future__ import annotations

from collections.abc import Callable

from device.capture.frame import Frame, Pixels
from device.capture.sources.discover import SourceInfo, make_source
from device.capture.sources.source import FrameSource
from device.capture.sources.supervisor import SourceSnapshot, SourceState, SupervisedSource
from device.imaging.motion import Motion
from device.imaging.pictures import with_believed_scale
from device.imaging.source_geometry import RectifiedSource, SourceGeometry
from device.inference.finding import Finding
from device.inference.smoothing import Smoother
from device.records.exam import View
from device.ui.display_settings import DisplaySettings, Overlay, marks, watermark
from device.ui.finding_panel import short_limits
from device.ui.screen import Screen
from device.ui.screens.source.region import RegionScreen
from device.ui.session.freezing import freeze
from device.ui.session.inference_worker import ModelStatus, inference_of
from device.ui.session.source_geometries import keep_placement, placement_of
from device.ui.status import Level
from device.ui.theme.text import Style
from device.ui.widgets import Banner, Button, Drawing, Glass, ImageView, Kind, PicturePage, ToolButton, Widget
from device.ui.widgets.picture.drawings import HeatMap, Notice
from device.ui.widgets.picture.live_finding import LiveFinding

ALIVE = {SourceState.LIVE}
GONE = {SourceState.LOST, SourceState.RECOVERING, SourceState.ENDED}
STILL_S = 60.0
"""Seconds without motion after which a live picture is no longer being scanned."""

MakeSource = Callable[[SourceInfo], FrameSource]


class LiveScreen(Screen):
    """Shows a live source.

    Args:
        source: Camera, grabber or phantom.
        on_frozen: Called with the frozen view and its finding; usually pushes a ``ViewScreen``.
        make: Makes the driver of the source.
    """

    name = "live"
    live = True

    def __init__(
        self, source: SourceInfo, on_frozen: Callable[[View], None], *, make: MakeSource = make_source
    ) -> None:
        super().__init__()
        self._source = source
        self._on_frozen = on_frozen
        self._make = make
        self._supervised: SupervisedSource | None = None
        self._now: SourceSnapshot | None = None
        self._raw: Frame | None = None
        self._smoother = Smoother()
        self._finding: Finding | None = None
        self._overlay = Overlay.OUTLINE
        self._model = ModelStatus()
        self._cancel: Callable[[], None] | None = None
        self._veil: tuple[Pixels, HeatMap] | None = None
        self._motion = Motion()

    # --- coming and going ---------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Start the source; loading of the model goes on beside it."""
        inference_of(self.app)
        self._smoother.reset()
        self._finding = self._now = self._raw = None
        self._start(placement_of(self.app, self._source.id))

    def leave(self) -> None:
        """Let go of the camera and of what was asked."""
        if self._supervised is not None:
            self._supervised.close()
            self._supervised = None
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
        inference_of(self.app).forget()

    def _start(self, placement: SourceGeometry) -> None:
        def keep(frame: Frame) -> None:
            self._raw = frame

        source, make = self._source, self._make
        self._supervised = SupervisedSource(lambda: RectifiedSource(make(source), placement, keep), source.name)

    @property
    def ready(self) -> bool:
        """Whether there is a live picture that can be frozen."""
        return self._alive and self._cancel is None

    @property
    def in_use(self) -> bool:
        """While tissue moves in the picture, both hands are at the probe and none at the panel."""
        return self._alive and self.app.clock() - self._motion.moved_at < STILL_S

    # --- what happens -------------------------------------------------------------------------------------------------

    def update(self, dt: float) -> None:
        """Show the newest frame and offer it to the model; notice loss and return."""
        super().update(dt)
        if self._supervised is None or self._cancel is not None:
            return
        before, now = self._now, self._supervised.snapshot()
        self._now = now
        if before is None or now.state is not before.state:
            self._state_changed(now)
        if now.frame is not None and (before is None or now.count != before.count):
            inference_of(self.app).offer(now.frame, self._found)
            self._motion.add(now.frame.pixels, self.app.clock())
            self._show(now.frame)
        status = inference_of(self.app).status
        if status != self._model:
            self._model = status
            self._tell()

    def _state_changed(self, now: SourceSnapshot) -> None:
        if now.state in GONE:
            self._smoother.reset()
            self._finding = None
        self.rebuild_when_free()

    def _found(self, frame: Frame, finding: Finding) -> None:
        del frame
        if self._supervised is None or self._now is None or self._now.state in GONE or self._cancel is not None:
            return
        self._finding = self._smoother.add(finding, self.app.clock())
        self._tell()

    def freeze(self) -> None:
        """Take the sharpest of the last few frames and have it looked at."""
        frame = self._supervised.sharpest() if self._supervised is not None else None
        if frame is None or self._cancel is not None:
            return
        self._cancel = freeze(self.app, frame, self._frozen)
        self._image.show(frame.pixels)
        self.rebuild()

    def _frozen(self, view: View) -> None:
        self._cancel = None
        self._on_frozen(view)
        if self.app.screen is self:
            self.rebuild()

    def _turn_overlay(self) -> None:
        following = {Overlay.OUTLINE: Overlay.HEAT, Overlay.HEAT: Overlay.NONE, Overlay.NONE: Overlay.OUTLINE}
        self._overlay = following[self._overlay]
        self.rebuild()

    def _set_up(self) -> None:
        """Adjust picture area, corners and scale on the newest frame as the source gave it."""
        frame = self._raw
        if frame is None:
            return
        placement = placement_of(self.app, self._source.id)

        def done(changed: SourceGeometry) -> None:
            keep_placement(self.app, self._source.id, changed)

        self.app.push(RegionScreen(frame, placement, done, source_id=self._source.id))

    # --- what it looks like -------------------------------------------------------------------------------------------

    @property
    def _alive(self) -> bool:
        return self._now is not None and self._now.state in ALIVE and self._now.frame is not None

    def build(self) -> Widget:
        """The picture; tools, the finding and the button that freezes over its margins."""
        ui = self.ui
        self._image = ImageView(ui, on_tap=lambda _: self.show_bare(not self.bare))
        self._strip = LiveFinding(ui)
        overlay = f"live.overlay_{self._overlay.value}"
        ready = self.ready
        tools = [
            ToolButton(ui, ui.t("common.back"), "back", self.back, key="back"),
            ToolButton(ui, ui.t(overlay), "layers", self._turn_overlay, key="overlay"),
            ToolButton(ui, ui.t("live.set_up"), "region", self._set_up, enabled=ready, key="set_up"),
        ]
        take = Button(ui, ui.t("live.freeze"), self.freeze, kind=Kind.PRIMARY, icon="freeze", enabled=ready)
        take.key = "freeze"
        said = Glass(ui, [self._state_line(), self._strip], ends=lambda: self._strip.bottom)
        if self._now is not None and self._now.frame is not None:
            self._show(self._now.frame)
        self._tell()
        note = short_limits(self)
        return PicturePage(ui, self._image, tools, said, actions=[take], note=note, bare=self.bare)

    def _state_line(self) -> Widget:
        ui = self.ui
        state = self._now.state if self._now is not None else SourceState.OPENING
        if self._cancel is not None:
            return Banner(ui, ui.t("live.frozen"), Level.INFO, icon="freeze", style=Style.SMALL, key="state")
        if state in ALIVE:
            return Banner(ui, ui.t("live.live"), Level.OK, icon="live", style=Style.SMALL, key="state")
        if state in GONE:
            return Banner(ui, ui.t("live.lost"), Level.ERROR, style=Style.SMALL, key="state")
        return Banner(ui, ui.t("live.opening"), Level.INFO, icon="clock", style=Style.SMALL, key="state")

    def _tell(self) -> None:
        """Bring the strip up to date."""
        if self._cancel is not None:
            self._strip.freezing()
        elif self._now is not None and self._now.state in GONE:
            self._strip.lost(self._now.error)
        elif self._finding is not None:
            self._strip.show(self._finding, self._model)
        else:
            self._strip.wait(self._model)

    def _show(self, frame: Frame) -> None:
        drawings: list[Drawing] = watermark(frame)
        if self._now is not None and self._now.state in GONE:
            drawings += [Notice(self.ui.t("live.old_picture"))]
        elif self._finding is not None and self._cancel is None:
            drawings += self._overlays(self._finding, frame)
        self._image.show(frame.pixels, drawings)

    def _overlays(self, finding: Finding, frame: Frame) -> list[Drawing]:
        drawings: list[Drawing] = []
        if self._overlay is Overlay.HEAT and finding.evaluable and finding.heat_map is not None:
            if self._veil is None or self._veil[0] is not finding.heat_map:
                self._veil = (finding.heat_map, HeatMap(finding.heat_map, finding.sonogram))
            drawings.append(self._veil[1])
        spacing = with_believed_scale(frame, finding.sonogram).spacing
        return drawings + marks(self.ui, finding, DisplaySettings(self._overlay), spacing)
