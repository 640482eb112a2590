# SPDX-License-Identifier: Apache-2.0
"""Where a lesion lies: a tap on the body map, then the distance from the nipple and the depth as fine as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from device.imaging.body_map import MapPlace
from device.records.lesion import BreastLesion, BreastRegion, Laterality
from device.records.report.places import lesion_place
from device.ui.screen import Screen
from device.ui.theme.text import Style
from device.ui.widgets import BodyMapView, Button, Column, Kind, Label, Page, Row, Slider, Widget

FARTHEST_CM, DEEPEST_CM = 15.0, 6.0


class LesionPlaceScreen(Screen):
    """The body map.

    Args:
        lesion: As it is now.
        others: Places of the exam's lesions in their order, this one's among them.
        number: Which of them it is, from 1.
        on_done: Called with the lesion that has its place.
    """

    name = "lesion_place"

    def __init__(
        self, lesion: BreastLesion, others: list[MapPlace], number: int, on_done: Callable[[BreastLesion], None]
    ) -> None:
        super().__init__()
        self._lesion = self._before = lesion
        self._others = others
        self._number = number
        self._on_done = on_done

    @property
    def unsaved(self) -> str:
        """A place that was given here."""
        return "common.discard_entered" if self._lesion != self._before else ""

    def _put(self, place: MapPlace) -> None:
        self._lesion = replace(
            self._lesion,
            laterality=None if place.side is None else Laterality(place.side),
            clock_position=place.clock,
            distance_from_nipple_cm=place.distance_cm,
            region=None if place.region is None else BreastRegion(place.region),
        )
        self._others[self._number - 1] = place
        self.rebuild()

    def _far(self, cm: float) -> None:
        cm = round(cm * 2) / 2
        self._lesion = replace(self._lesion, distance_from_nipple_cm=cm)
        place = self._others[self._number - 1]
        self._others[self._number - 1] = replace(place, distance_cm=cm)

    def _deep(self, cm: float) -> None:
        self._lesion = replace(self._lesion, depth_cm=round(cm, 1) or None)

    def _done(self) -> None:
        self._on_done(self._lesion)
        self.app.pop()

    def build(self) -> Widget:
        """The map with its words and the two lengths below or beside it."""
        ui, t, lesion = self.ui, self.ui.t, self._lesion
        shown = BodyMapView(ui, self._others, self._put, chosen=self._number)
        said = Label(ui, lesion_place(lesion, t), Style.STRONG, key="chosen")
        far = Slider(
            ui,
            t("lesions.distance"),
            lesion.distance_from_nipple_cm or 0.0,
            0.0,
            FARTHEST_CM,
            self._far,
            steps=round(FARTHEST_CM * 2),
            words=lambda cm: t("lesions.cm", cm=t.number(cm, 1)),
            on_done=lambda _: self.rebuild(),
            key="distance",
            grow=1,
        )
        deep = Slider(
            ui,
            t("lesions.depth"),
            lesion.depth_cm or 0.0,
            0.0,
            DEEPEST_CM,
            self._deep,
            steps=round(DEEPEST_CM * 10),
            words=lambda cm: t("lesions.cm", cm=t.number(cm, 1)) if cm else "–",
            key="depth",
            grow=1,
        )
        done = Button(ui, t("common.done"), self._done, kind=Kind.PRIMARY, key="done")
        content: list[Widget | None] = [shown, said, Column(ui, [far, deep])]
        if not ui.sizes.portrait:  # the map is wide: beside it is more room than below it
            shown.grow = 3
            content = [Row(ui, [shown, Column(ui, [said, far, deep], gap=ui.sizes.pad, grow=2)], grow=1)]
        return Page(ui, t("lesions.place_title"), content, on_back=self.back, actions=[done])
