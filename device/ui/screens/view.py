"""A frozen frame with its finding, and everything a clinician does with it.

The finding is said in words, bars and an outline; what it must not be used for is always on the screen. Tools lead to
looking, measuring, side and clock position; a view that is new can still get another picture area, scale or a region
marked by hand, and is then looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from device.capture.frame import Box, Frame, Pixels
from device.imaging.placement import Placement
from device.inference.finding import Finding
from device.records.exam import Calliper, View
from device.ui.finding_panel import assessment_banner, details, explanation, limits, probability_bars, says
from device.ui.inference_worker import worker_of
from device.ui.looks import Look, Overlay, callipers, marks, scale_of
from device.ui.picture_maker import PictureMaker
from device.ui.screen import Screen
from device.ui.screens.compare import CompareScreen
from device.ui.screens.lesion import LesionScreen
from device.ui.screens.look import LookScreen
from device.ui.screens.measure import MeasureScreen
from device.ui.screens.place import PlaceScreen
from device.ui.screens.region import RegionScreen
from device.ui.status import Level
from device.ui.theme.text import Style
from device.ui.widgets.banner import Banner
from device.ui.widgets.base import Action, Widget
from device.ui.widgets.button import Button, Kind
from device.ui.widgets.dialog import Dialog
from device.ui.widgets.image_view import Drawing
from device.ui.widgets.label import Label
from device.ui.widgets.layout import Column
from device.ui.widgets.picture_pane import PicturePane
from device.ui.widgets.scroll_view import ScrollView
from device.ui.widgets.tool_button import ToolButton
from device.ui.widgets.work_page import WorkPage


class ViewScreen(Screen):
    """Shows one view.

    Args:
        view: What was frozen, or is kept in an exam.
        on_save: Called with the view as the clinician has completed it; ``None``: the view can only be looked at.
        earlier: Other views to compare with, for instance of the patient's last exam; newest first.
        new: Whether the view is not kept anywhere yet, so that going back has to ask first.
    """

    name = "view"

    def __init__(
        self,
        view: View,
        on_save: Callable[[View], None] | None = None,
        earlier: Sequence[View] = (),
        *,
        new: bool = False,
    ) -> None:
        super().__init__()
        self._view = view
        self._kept = view
        self._on_save = on_save
        self._earlier = tuple(earlier)
        self._new = new
        self._look = Look()
        self._asking = False
        self._picture: Pixels = view.frame.pixels
        self._maker = PictureMaker(view.frame.pixels, self._ready)

    @property
    def view(self) -> View:
        """As it is now."""
        return self._view

    # --- coming and going ---------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Make the picture as it is looked at."""
        self._maker.make(self.app, self._view.finding, self._look)
        if self._asking:
            self._judge()

    def leave(self) -> None:
        """Nothing more is needed of the picture."""
        self._maker.cancel()

    def back(self) -> None:
        """Leave; ask first where something would be lost."""
        if self._on_save is None or (self._view is self._kept and not self._new):
            self.app.pop()
            return
        ui = self.ui
        words = ui.t("view.discard_new" if self._new else "view.discard_changes")
        ask = Dialog.confirm(ui, ui.t("view.discard"), words, ui.t("view.discard"), self.app.pop, danger=True)
        self.app.open(ask)

    def _ready(self, picture: Pixels) -> None:
        self._picture = picture
        if hasattr(self, "_pane"):
            self._pane.image.show(picture, self._drawings())

    # --- tools --------------------------------------------------------------------------------------------------------

    def _change(self, view: View) -> None:
        self._view = view

    def _set_look(self, look: Look) -> None:
        self._look = look

    def _turn_overlay(self) -> None:
        following = {Overlay.OUTLINE: Overlay.HEAT, Overlay.HEAT: Overlay.NONE, Overlay.NONE: Overlay.OUTLINE}
        self._look = replace(self._look, overlay=following[self._look.overlay])
        self._maker.make(self.app, self._view.finding, self._look)
        self.rebuild()

    def _open_look(self) -> None:
        self.app.push(LookScreen(self._view, self._look, self._set_look))

    def _open_measure(self) -> None:
        def done(measured: tuple[Calliper, ...]) -> None:
            self._view = replace(self._view, callipers=measured)

        self.app.push(MeasureScreen(self._view, self._picture, done))

    def _open_place(self) -> None:
        self.app.push(PlaceScreen(self._view, self._change))

    def _open_compare(self) -> None:
        self.app.push(CompareScreen(self._view, self._earlier))

    def _open_region(self) -> None:
        view = self._view
        placement = Placement(None, view.finding.sonogram, view.spacing)
        self.app.push(RegionScreen(view.frame, placement, self._replaced, camera=False))

    def _open_lesion(self) -> None:
        self.app.push(LesionScreen(self._view, self._marked))

    def _open_more(self) -> None:
        """Tools that are needed seldom, in a dialog."""
        entries: list[tuple[str, str, str, Action]] = []
        if self._earlier:
            entries.append(("view.compare", "compare", "compare", self._open_compare))
        if self._new and self._on_save is not None:
            entries.append(("view.region", "region", "region", self._open_region))
            entries.append(("view.mark", "edit", "lesion", self._open_lesion))
        ui = self.ui
        dialog: Dialog

        def button(words: str, icon: str, key: str, action: Action) -> Button:
            def act() -> None:
                dialog.close()
                action()

            return Button(ui, ui.t(words), act, icon=icon, key=key)

        buttons = [button(*entry) for entry in entries]
        close = (ui.t("common.close"), Kind.NORMAL, None)
        dialog = Dialog(ui, ui.t("view.more"), buttons, [close])
        self.app.open(dialog)

    # --- asking again -------------------------------------------------------------------------------------------------

    def _replaced(self, placement: Placement) -> None:
        """Another picture area or scale."""
        frame = placement.apply(self._view.frame)
        self._view = replace(self._view, frame=frame, spacing=frame.spacing, operator_region=None)
        self._asking = True

    def _marked(self, region: Box | None) -> None:
        self._view = replace(self._view, operator_region=region)
        self._asking = True

    def _judge(self) -> None:
        view = self._view

        def answer(frame: Frame, finding: Finding) -> None:
            if self._view.frame is frame:
                self._view = replace(self._view, finding=finding)
                self._asking = False
                self._maker.make(self.app, finding, self._look)
                self.rebuild_when_free()

        worker_of(self.app).ask(view.frame, answer, operator_region=view.operator_region)

    def save(self) -> None:
        """Hand the view on as it is now."""
        if self._on_save is not None:
            self._kept, self._new = self._view, False
            self._on_save(self._view)

    # --- what it looks like -------------------------------------------------------------------------------------------

    def _drawings(self) -> list[Drawing]:
        found = [] if self._asking else marks(self.ui, self._view.finding, self._look, scale_of(self._view))
        return [*found, *callipers(self.ui, self._view)]

    def build(self) -> Widget:
        """Tools, picture, finding, limits."""
        ui = self.ui
        overlay = f"live.overlay_{self._look.overlay.value}"
        turn = Button(ui, ui.t(overlay), self._turn_overlay, icon="layers", key="overlay", grow=2)
        self._pane = PicturePane(ui, self._picture, drawings=self._drawings(), more=[turn])
        editable = self._on_save is not None
        more = bool(self._earlier) or (self._new and editable)
        tools = [
            ToolButton(ui, ui.t("common.back"), "back", self.back, key="back"),
            ToolButton(ui, ui.t("view.look"), "eye", self._open_look, key="look"),
            ToolButton(ui, ui.t("view.measure"), "ruler", self._open_measure, key="measure") if editable else None,
            ToolButton(ui, ui.t("view.place"), "clock", self._open_place, key="place") if editable else None,
            ToolButton(ui, ui.t("view.more"), "more", self._open_more, key="more") if more else None,
        ]
        return WorkPage(ui, tools, self._pane, self._panel(), limits(ui))

    def _panel(self) -> Widget:
        ui, view = self.ui, self._view
        save = None
        if self._on_save is not None:
            save = Button(ui, ui.t("common.save"), self.save, kind=Kind.PRIMARY, icon="check", key="save")
            save.enabled = not self._asking
        if self._asking:
            waiting = Banner(ui, ui.t("live.judging"), Level.INFO, icon="clock")
            return Column(ui, [Column(ui, [waiting], grow=1), save], grow=1)
        finding = view.finding
        bars, words = probability_bars(ui, finding), explanation(ui, finding)
        note = Label(ui, view.note, Style.SMALL, break_words=True, key="note") if view.note else None
        content = [*bars[:1], words, *bars[1:], *details(ui, view), note]
        scrolled = ScrollView(ui, Column(ui, content), key="finding")
        return Column(ui, [says(ui), assessment_banner(ui, finding), scrolled, save], grow=1)
