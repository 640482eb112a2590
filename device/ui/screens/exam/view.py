# SPDX-License-Identifier: Apache-2.0
"""A frozen frame with its finding, and everything a clinician does with it.

The finding is said in words, bars and an outline; what it must not be used for is always on the screen. Tools lead to
looking, measuring, side and clock position; a view that is new can still get another picture area, scale or a region
marked by hand, and is then looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from device.capture.frame import Box, Frame, Pixels
from device.imaging.pictures import chosen
from device.imaging.source_geometry import SourceGeometry
from device.inference.finding import Caution, Finding
from device.records.exam import Calliper, View
from device.ui.display_settings import DisplaySettings, Overlay, callipers, marks, scale_of, watermark
from device.ui.finding_panel import (
    caution_words,
    details,
    explanation,
    probability_bars,
    result_banner,
    says,
    short_limits,
)
from device.ui.screen import Screen
from device.ui.screens.exam.compare import CompareScreen
from device.ui.screens.exam.display_settings import LookScreen
from device.ui.screens.exam.lesion import LesionScreen
from device.ui.screens.exam.measure import MeasureScreen
from device.ui.screens.exam.place import PlaceScreen
from device.ui.screens.source.region import RegionScreen
from device.ui.session.inference_worker import inference_of
from device.ui.session.picture_maker import PictureMaker
from device.ui.status import Level
from device.ui.theme.text import Style
from device.ui.widgets import (
    Action,
    Banner,
    Button,
    Choice,
    Column,
    Dialog,
    Drawing,
    Glass,
    Grid,
    ImageView,
    Kind,
    Label,
    PicturePage,
    ScrollView,
    ToolButton,
    Widget,
)
from device.ui.widgets.picture.picture_pane import zoom_above


class ViewScreen(Screen):
    """Shows one view.

    Args:
        view: What was frozen, or is kept in an exam.
        on_save: Called with the view as the clinician has completed it; ``None``: the view can only be looked at.
        earlier: Other views to compare with, for instance of the patient's last exam; newest first.
        new: Whether the view is not kept anywhere yet, so that going back has to ask first.
        on_remove: Takes the view out of its draft; called after a question. ``None``: it cannot be taken out.
    """

    name = "view"

    def __init__(
        self,
        view: View,
        on_save: Callable[[View], None] | None = None,
        earlier: Sequence[View] = (),
        *,
        new: bool = False,
        on_remove: Action | None = None,
    ) -> None:
        super().__init__()
        self._view = view
        self._kept = view
        self._on_save = on_save
        self._earlier = tuple(earlier)
        self._new = new
        self._on_remove = on_remove
        self._look = DisplaySettings()
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

    @property
    def unsaved(self) -> str:
        """A new view, or what was changed on one that is kept."""
        if self._on_save is None or (self._view is self._kept and not self._new):
            return ""
        return "view.discard_new" if self._new else "view.discard_changes"

    def _ready(self, picture: Pixels) -> None:
        self._picture = picture
        if hasattr(self, "_image"):
            self._image.show(picture, self._drawings())

    # --- tools --------------------------------------------------------------------------------------------------------

    def _change(self, view: View) -> None:
        self._view = view

    def _set_look(self, look: DisplaySettings) -> None:
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
        placement = SourceGeometry(None, view.finding.sonogram, view.spacing)
        self.app.push(RegionScreen(view.frame, placement, self._replaced, camera=False))

    def _open_lesion(self) -> None:
        self.app.push(LesionScreen(self._view, self._marked))

    def _ask_remove(self) -> None:
        if self._on_remove is not None:
            t = self.ui.t
            title, text, yes = t("view.remove_title"), t("view.remove_text"), t("view.remove")
            self.app.open(Dialog.confirm(self.ui, title, text, yes, self._on_remove, danger=True))

    def _open_more(self) -> None:
        """Tools that are needed seldom, in a dialog."""
        entries: list[tuple[str, str, str, Action]] = [("view.look", "eye", "look", self._open_look)]
        if self._earlier:
            entries.append(("view.compare", "compare", "compare", self._open_compare))
        if self._new and self._on_save is not None:
            entries.append(("view.region", "region", "region", self._open_region))
            entries.append(("view.mark", "edit", "lesion", self._open_lesion))
        if self._on_remove is not None:
            entries.append(("view.remove", "trash", "remove", self._ask_remove))
        ui = self.ui
        dialog: Dialog

        def button(words: str, icon: str, key: str, action: Action) -> Button:
            def act() -> None:
                dialog.close()
                action()

            return Button(ui, ui.t(words), act, icon=icon, key=key)

        buttons = [button(*entry) for entry in entries]
        close = (ui.t("common.close"), Kind.NORMAL, None)
        columns = 1 if ui.sizes.portrait else 2
        dialog = Dialog(ui, ui.t("view.more"), [Grid(ui, buttons, columns)], [close])
        self.app.open(dialog)

    # --- asking again -------------------------------------------------------------------------------------------------

    def _replaced(self, placement: SourceGeometry) -> None:
        """Another picture area or scale."""
        frame = placement.apply(self._view.frame)
        self._view = replace(self._view, frame=frame, spacing=frame.spacing, operator_region=None)
        self._asking = True

    def _choose_picture(self, number: str) -> None:
        """Another of the pictures in this frame."""
        frame = chosen(self._view.frame, int(number))
        if frame.region == self._view.frame.region:
            return
        self._view = replace(self._view, frame=frame, spacing=frame.spacing, operator_region=None, callipers=())
        self._asking = True
        self._judge()
        self.rebuild()

    def _marked(self, region: Box | None) -> None:
        self._view = replace(self._view, operator_region=region)
        self._asking = True

    def _judge(self) -> None:
        view = self._view

        def answer(frame: Frame, finding: Finding) -> None:
            if self._view.frame is view.frame:
                self._view = replace(self._view, frame=frame, spacing=frame.spacing, finding=finding)
                self._asking = False
                self._maker.make(self.app, finding, self._look)
                self.rebuild_when_free()

        inference_of(self.app).ask(view.frame, answer, operator_region=view.operator_region)

    def save(self) -> None:
        """Hand the view on as it is now; it counts as unsaved until the caller has written it."""
        if self._on_save is not None:
            self._on_save(self._view)

    # --- what it looks like -------------------------------------------------------------------------------------------

    def _drawings(self) -> list[Drawing]:
        found = [] if self._asking else marks(self.ui, self._view.finding, self._look, scale_of(self._view))
        return [*watermark(self._view.frame), *found, *callipers(self.ui, self._view)]

    def build(self) -> Widget:
        """The picture; tools, the finding and the button that keeps it over its margins."""
        ui = self.ui
        image = ImageView(ui, self._picture, drawings=self._drawings(), on_tap=lambda _: self.show_bare(not self.bare))
        self._image = image
        editable = self._on_save is not None
        overlay = f"live.overlay_{self._look.overlay.value}"
        tools = [
            ToolButton(ui, ui.t("common.back"), "back", self.back, key="back"),
            ToolButton(ui, ui.t(overlay), "layers", self._turn_overlay, key="overlay"),
            ToolButton(ui, ui.t("view.measure"), "ruler", self._open_measure, key="measure") if editable else None,
            ToolButton(ui, ui.t("view.place"), "clock", self._open_place, key="place") if editable else None,
            ToolButton(ui, ui.t("view.more"), "more", self._open_more, key="more"),
        ]
        save = None
        if editable:
            save = Button(ui, ui.t("common.save"), self.save, kind=Kind.PRIMARY, icon="check", key="save")
            save.enabled = not self._asking
        actions, note, lesion = zoom_above(ui, image, save), short_limits(self), self._view.finding.lesion
        keep = lesion.box if lesion is not None and not self._asking else None
        return PicturePage(
            ui,
            image,
            tools,
            self._said(),
            choice=self._choice(),
            actions=actions,
            note=note,
            bare=self.bare,
            keep=keep,
        )

    def _said(self) -> Widget:
        ui, view = self.ui, self._view
        if self._asking:
            return Glass(ui, [Banner(ui, ui.t("live.judging"), Level.INFO, icon="clock")])
        finding = view.finding
        head = [says(ui), result_banner(ui, finding)]
        if self.bare:
            return Glass(ui, head)
        words = explanation(ui, finding)
        words.style, words.break_words = Style.SMALL, True
        doubts = [caution for caution in view.cautions if caution is not Caution.SCALE_CONTRADICTED]
        first = Column(ui, [words, caution_words(ui, doubts[:1])], gap=ui.px(4))
        note = Label(ui, view.note, Style.SMALL, break_words=True, key="note") if view.note else None
        content = Column(ui, [first, *probability_bars(ui, finding), *details(ui, view), note])
        return Glass(ui, [*head, ScrollView(ui, content, key="finding", whole=True, seen=first)])

    def _choice(self) -> Widget | None:
        """Which of several pictures of the frame this view is; a view that is kept stays what it is."""
        frame, ui = self._view.frame, self.ui
        if len(frame.regions) < 2 or not self._new or self._on_save is None:
            return None
        options = [(str(n), ui.t("view.picture", number=n + 1)) for n in range(len(frame.regions))]
        now = next((str(n) for n, one in enumerate(frame.regions) if one.box == frame.region), None)
        label = ui.t("view.pictures", count=len(options))
        return Glass(ui, [Choice(ui, label, options, now, self._choose_picture, key="picture")])
