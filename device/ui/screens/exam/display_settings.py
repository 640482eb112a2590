# SPDX-License-Identifier: Apache-2.0
"""How to look at a view: what lies over it, enhancement views, brightness and contrast. Nothing of it is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from device.capture.frame import Pixels
from device.imaging.enhance import Enhancement
from device.records.exam import View
from device.ui.display_settings import DisplaySettings, Overlay, callipers, marks, scale_of, watermark
from device.ui.screen import Screen
from device.ui.session.picture_maker import PictureMaker
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import (
    Button,
    Choice,
    Column,
    Drawing,
    Kind,
    Label,
    PicturePane,
    ScrollView,
    Slider,
    ToolButton,
    Widget,
    WorkPage,
)

BRIGHTNESS, CONTRAST = (-0.5, 0.5), (0.5, 3.0)


class LookScreen(Screen):
    """Overlay, enhancement, brightness and contrast of a view.

    Args:
        view: What is looked at.
        look: How it is looked at now.
        on_change: Called with every change; the caller shows it when this screen is gone.
    """

    name = "look"

    def __init__(self, view: View, look: DisplaySettings, on_change: Callable[[DisplaySettings], None]) -> None:
        super().__init__()
        self._view = view
        self._look = look
        self._on_change = on_change
        self._picture: Pixels = view.frame.pixels
        self._maker = PictureMaker(view.frame.pixels, self._ready)

    def enter(self) -> None:
        """Make the picture."""
        self._maker.make(self.app, self._view.finding, self._look)

    def leave(self) -> None:
        """Nothing more is needed."""
        self._maker.cancel()

    def _ready(self, picture: Pixels) -> None:
        self._picture = picture
        if hasattr(self, "_pane"):
            self._pane.image.show(picture, self._drawings())

    def _change(self, **values: object) -> None:
        self._look = replace(self._look, **values)  # type: ignore[arg-type]  # the callers name fields
        self._on_change(self._look)
        self._maker.make(self.app, self._view.finding, self._look)

    def _set_overlay(self, value: str) -> None:
        self._change(overlay=Overlay(value))
        self.rebuild()

    def _set_enhancement(self, value: str) -> None:
        self._change(enhancement=Enhancement(value))
        self.rebuild()

    def _reset(self) -> None:
        self._change(overlay=Overlay.OUTLINE, enhancement=Enhancement.NONE, brightness=0.0, contrast=1.0)
        self.rebuild()

    def _drawings(self) -> list[Drawing]:
        scale = scale_of(self._view)
        found = marks(self.ui, self._view.finding, self._look, scale)
        return [*watermark(self._view.frame), *found, *callipers(self.ui, self._view)]

    def build(self) -> Widget:
        """The picture beside what can be changed."""
        ui, look = self.ui, self._look
        self._pane = PicturePane(ui, self._picture, drawings=self._drawings())
        overlays = [(one.value, ui.t(f"look.overlay_{one.value}")) for one in Overlay]
        kinds = [(one.value, ui.t(f"look.enhance_{one.value}")) for one in Enhancement]
        bright, strong = ui.t("look.brightness"), ui.t("look.contrast")
        content: list[Widget | None] = [
            Choice(ui, ui.t("look.overlay"), overlays, look.overlay, self._set_overlay, columns=1, key="overlay"),
            self._slider(bright, look.brightness, BRIGHTNESS, "brightness"),
            self._slider(strong, look.contrast, CONTRAST, "contrast"),
            Choice(ui, ui.t("look.enhance"), kinds, look.enhancement, self._set_enhancement, columns=1, key="enhance"),
            Label(ui, ui.t("look.for_the_eye"), Style.SMALL, Ink.MUTED),
        ]
        done = Button(ui, ui.t("common.done"), self.back, kind=Kind.PRIMARY, key="done")
        tools = [
            ToolButton(ui, ui.t("common.back"), "back", self.back, key="back"),
            ToolButton(ui, ui.t("look.reset"), "fit", self._reset, key="reset"),
        ]
        return WorkPage(ui, tools, self._pane, Column(ui, [ScrollView(ui, Column(ui, content)), done], grow=1))

    def _slider(self, words: str, value: float, ends: tuple[float, float], name: str) -> Slider:
        def moved(new: float) -> None:
            self._change(**{name: new})

        def said(new: float) -> str:
            percent = round(new * 100)
            return f"{percent:+d} %" if name == "brightness" and percent else f"{percent} %"

        return Slider(self.ui, words, value, *ends, moved, steps=100, words=said, key=name)
