# SPDX-License-Identifier: Apache-2.0
"""Where a view was taken, and what the clinician remarks: side, clock position, note."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from device.records.exam import Laterality, View
from device.records.report.places import place_words
from device.ui.screen import Screen
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets import Button, Choice, Column, Kind, Label, Page, Row, Spacer, TextField, Widget
from device.ui.widgets.picture.clock_dial import ClockDial

LONGEST_NOTE = 500


class PlaceScreen(Screen):
    """Side, clock position and note of a view.

    Args:
        view: As it is now.
        on_done: Called with the view that has them.
    """

    name = "place"

    def __init__(self, view: View, on_done: Callable[[View], None]) -> None:
        super().__init__()
        self._view = self._before = view
        self._on_done = on_done

    @property
    def unsaved(self) -> str:
        """A side, a position or a note that was given here."""
        return "common.discard_entered" if self._view != self._before else ""

    def _set_side(self, value: str) -> None:
        self._view = replace(self._view, laterality=Laterality(value))
        self.rebuild()

    def _set_hour(self, hour: int | None) -> None:
        self._view = replace(self._view, clock_position=hour)
        self.rebuild()

    def _write(self) -> None:
        def take(note: str) -> None:
            self._view = replace(self._view, note=note)
            self.rebuild()

        self.ask_text(self.ui.t("tools.note"), self._view.note, take, longest=LONGEST_NOTE)

    def _done(self) -> None:
        self._on_done(self._view)
        self.app.pop()

    def build(self) -> Widget:
        """Sides and note beside the dial, or above it."""
        ui, view = self.ui, self._view
        # The patient's right breast is on the examiner's left, as on every body mark.
        sides = [("right", ui.t("imaging.side_right")), ("left", ui.t("imaging.side_left"))]
        side = Choice(ui, ui.t("tools.side"), sides, view.laterality, self._set_side, columns=2, key="side")
        note = TextField(ui, ui.t("tools.note"), view.note, self._write, hint=ui.t("tools.note_hint"), key="note")
        dial = ClockDial(ui, view.clock_position, self._set_hour)
        title = Label(ui, ui.t("tools.clock"), Style.SMALL, Ink.MUTED, align=Align.CENTRE)
        clock = Column(ui, [title, dial], gap=ui.px(4), grow=1)
        chosen = Label(ui, place_words(view, ui.t), Style.STRONG, key="chosen")
        words = Column(ui, [side, note, chosen, Spacer(ui, grow=1)], gap=ui.sizes.pad, grow=1)
        body = Column(ui, [words, clock], grow=1) if ui.sizes.portrait else Row(ui, [words, clock], grow=1)
        done = Button(ui, ui.t("common.done"), self._done, kind=Kind.PRIMARY, key="done")
        return Page(ui, ui.t("tools.place_title"), [body], on_back=self.back, actions=[done])
