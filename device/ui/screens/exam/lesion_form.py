# SPDX-License-Identifier: Apache-2.0
"""One lesion of the breast: its views and how they were taken, place, size, look, category with edition, advice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from device.inference.views import Combined
from device.records.exam import Exam
from device.records.lesion import Axes, BreastLesion, LesionView, Plane
from device.records.lesion_offer import Offer, measured_axes, offer
from device.records.lexicon import BiRads, BiRadsEdition, Management
from device.records.report.places import lesion_place, map_place, place_words
from device.ui.lesion_words import axes_words, combined_labels, wanted
from device.ui.record_words import category
from device.ui.screen import Screen
from device.ui.screens.exam.lesion_descriptors import LesionDescriptorsScreen
from device.ui.screens.exam.lesion_place import LesionPlaceScreen
from device.ui.status import Level
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import (
    Action,
    Banner,
    Button,
    Card,
    Choice,
    Column,
    Dialog,
    Kind,
    Label,
    Page,
    Row,
    ScrollView,
    TextField,
    Toggle,
    Widget,
)

LONGEST_NOTE = 500


class LesionFormScreen(Screen):
    """A lesion of a draft.

    Args:
        exam: The draft.
        lesion: One of its lesions as it is now, or a new one.
        on_save: Called with the lesion as it is described.
        on_remove: Discards it; ``None`` for a new one.
        judge: What the model says of its views together, as they are chosen now.
    """

    name = "breast_lesion"

    def __init__(
        self,
        exam: Exam,
        lesion: BreastLesion,
        on_save: Callable[[BreastLesion], None],
        on_remove: Action | None = None,
        judge: Callable[[BreastLesion], Combined | None] = lambda lesion: lesion.combined,
    ) -> None:
        super().__init__()
        self._exam = exam
        self._lesion = lesion
        self._before = lesion
        self._on_save = on_save
        self._on_remove = on_remove
        self._judge = judge
        self._combined: Combined | None = None

    @property
    def unsaved(self) -> str:
        """What was described here."""
        return "common.discard_entered" if self._lesion != self._before else ""

    @property
    def _number(self) -> int:
        uids = [kept.uid for kept in self._exam.lesions]
        return uids.index(self._lesion.uid) + 1 if self._lesion.uid in uids else len(uids) + 1

    # --- what happens -------------------------------------------------------------------------------------------------

    def _take(self, lesion: BreastLesion) -> None:
        self._lesion = lesion

    def _set(self, **values: object) -> None:
        self._lesion = replace(self._lesion, **values)  # type: ignore[arg-type]  # the callers name fields
        self.rebuild()

    def _show_view(self, uid: str, shown: bool) -> None:
        """Say whether a view shows the lesion; its first view also says where it lies, if nothing else has."""
        lesion = self._lesion
        if not shown:
            self._lesion = lesion.without_view(uid)
        else:
            view = next(view for view in self._exam.views if view.uid == uid)
            lesion = lesion.with_view(LesionView(uid))
            if lesion.laterality is None:
                lesion = replace(lesion, laterality=view.laterality, clock_position=view.clock_position)
            self._lesion = lesion
        self.rebuild()

    def _change_view(self, uid: str, **values: object) -> None:
        view = next(view for view in self._lesion.views if view.uid == uid)
        self._lesion = self._lesion.with_view(replace(view, **values))  # type: ignore[arg-type]
        self.rebuild()

    def _choose_plane(self, view: LesionView, value: str) -> None:
        plane = Plane(value)
        self._change_view(view.uid, plane=None if view.plane is plane else plane)

    def _open_place(self) -> None:
        places = [map_place(kept) for kept in self._exam.lesions]
        places[self._number - 1 : self._number] = [map_place(self._lesion)]
        self.app.push(LesionPlaceScreen(self._lesion, places, self._number, self._take))

    def _open_descriptors(self) -> None:
        self.app.push(LesionDescriptorsScreen(self._lesion, self._offer(), self._take))

    def _offer(self) -> Offer | None:
        return offer(self._lesion, self._exam.views_of(self._lesion))

    def _choose_category(self, value: str) -> None:
        chosen = BiRads(value)
        self._set(category=None if chosen is self._lesion.category else chosen)

    def _advise(self, word: Management, on: bool) -> None:
        chosen = {*self._lesion.advice, word} if on else {*self._lesion.advice} - {word}
        self._set(advice=tuple(one for one in Management if one in chosen))

    def _write_note(self) -> None:
        title = self.ui.t("tools.note")
        self.ask_text(title, self._lesion.note, lambda text: self._set(note=text), longest=LONGEST_NOTE)

    def _ask_remove(self) -> None:
        if self._on_remove is not None:
            t = self.ui.t
            title, text, yes = t("lesions.remove_title"), t("lesions.remove_text"), t("lesions.remove")
            self.app.open(Dialog.confirm(self.ui, title, text, yes, self._on_remove, danger=True))

    def update(self, dt: float) -> None:
        """Follow the model, which may still be loading."""
        if self._judge(self._lesion) != self._combined:
            self.rebuild_when_free()
        super().update(dt)

    # --- what it looks like -------------------------------------------------------------------------------------------

    def build(self) -> Widget:
        """Views, what the model says of them, place, size, look, category, advice, note."""
        ui, t = self.ui, self.ui.t
        self._combined = self._judge(self._lesion)
        parts: list[Widget | None] = [
            *self._views(),
            *combined_labels(ui, replace(self._lesion, combined=self._combined)),
            self._row("place", lesion_place(self._lesion, t), self._open_place),
            *self._size(),
            self._row("descriptors", self._described(), self._open_descriptors),
            *self._judgement(),
        ]
        remove = Button(ui, "", self._ask_remove, icon="trash", label=t("lesions.remove"), key="remove")
        actions = [remove] if self._on_remove is not None else []
        save = Button(ui, t("common.save"), lambda: self._on_save(self._lesion), kind=Kind.PRIMARY, icon="check")
        save.key = "save"
        title = t("lesions.title", number=self._number)
        form = ScrollView(ui, Column(ui, parts, gap=ui.sizes.pad))
        return Page(ui, title, [form], on_back=self.back, actions=[*actions, save])

    def _row(self, name: str, value: str, action: Action) -> TextField:
        return TextField(
            self.ui, self.ui.t(f"lesions.{name}"), value, action, hint=self.ui.t("report.not_given"), key=name
        )

    def _views(self) -> list[Widget | None]:
        ui, t = self.ui, self.ui.t
        shown = {view.uid: view for view in self._lesion.views}
        parts: list[Widget | None] = [Label(ui, t("lesions.views"), Style.SMALL, Ink.MUTED)]
        for number, view in enumerate(self._exam.views, 1):
            words = t("report.view", number=number, place=place_words(view, t))
            parts.append(self._view_toggle(view.uid, words, view.uid in shown, number))
            if view.uid in shown:
                parts.append(self._taken(shown[view.uid], number))
        ask = wanted(t, self._lesion)
        parts.append(Banner(ui, ask, Level.INFO, style=Style.SMALL, key="wanted") if ask else None)
        return parts

    def _view_toggle(self, uid: str, words: str, on: bool, number: int) -> Toggle:
        def switch(shown: bool) -> None:
            self._show_view(uid, shown)

        return Toggle(self.ui, words, on, switch, key=f"shows.{number}")

    def _taken(self, view: LesionView, number: int) -> Widget:
        """How a view was taken: its plane, and whether the scanner's callipers are in it."""
        ui, t = self.ui, self.ui.t
        planes = [(plane.value, t(f"lesions.plane_{plane.value}")) for plane in Plane]
        columns = 2 if ui.sizes.portrait else 4

        def choose(value: str) -> None:
            self._choose_plane(view, value)

        def callipers(on: bool) -> None:
            self._change_view(view.uid, callipers_in_picture=on)

        drawn = bool(view.callipers_in_picture)
        return Card(
            ui,
            [
                Choice(ui, "", planes, view.plane, choose, columns=columns, key=f"plane.{number}"),
                Toggle(ui, t("lesions.callipers"), drawn, callipers, key=f"callipers.{number}"),
            ],
        )

    def _size(self) -> list[Widget | None]:
        """The size, and what can be taken for it: by the outline, by the clinician's own callipers."""
        ui, t = self.ui, self.ui.t
        axes, found = self._lesion.axes, self._offer()
        said = t("lesions.axes", axes=t("report.not_given") if axes is None else axes_words(t, axes))
        measured = measured_axes(self._lesion, self._exam.views_of(self._lesion))
        ways = (("offer_axes", None if found is None else found.axes), ("offer_callipers", measured))
        offers = [self._offer_size(name, size) for name, size in ways if size is not None and size != axes]
        return [Label(ui, said, Style.STRONG, key="axes"), *offers]

    def _offer_size(self, name: str, size: Axes) -> Button:
        words = self.ui.t(f"lesions.{name}", axes=axes_words(self.ui.t, size))
        return Button(self.ui, words, lambda: self._set(axes=size), icon="ruler", key=name)

    def _described(self) -> str:
        t, look = self.ui.t, self._lesion.descriptors
        words: list[tuple[str, StrEnum | None]] = [
            ("shape", look.shape),
            ("orientation", look.orientation),
            ("margin", look.margin),
            ("echo_pattern", look.echo_pattern),
            ("posterior", look.posterior),
        ]
        return ", ".join(t(f"lesions.{name}_{word.value}") for name, word in words if word is not None)

    def _judgement(self) -> list[Widget | None]:
        ui, t, lesion = self.ui, self.ui.t, self._lesion
        options = [(one.value, one.value) for one in BiRads]
        now = None if lesion.category is None else lesion.category.value
        editions = [(one.value, t(f"lesions.edition_{one.name.lower()}")) for one in BiRadsEdition]
        parts: list[Widget | None] = [
            Choice(ui, t("summary.category"), options, now, self._choose_category, columns=5, key="birads"),
            Label(ui, category(t, lesion.category), Style.SMALL, key="category"),
            Choice(ui, t("lesions.edition"), editions, lesion.edition, self._choose_edition, columns=2, key="edition"),
            Label(ui, t("lesions.advice"), Style.SMALL, Ink.MUTED),
        ]
        toggles = [self._advice(word) for word in Management]
        if ui.sizes.portrait:
            parts += toggles
        else:
            parts += [Row(ui, _even(toggles[i : i + 2])) for i in range(0, len(toggles), 2)]
        note = TextField(ui, t("tools.note"), lesion.note, self._write_note, hint=t("tools.note_hint"), key="note")
        return [*parts, note]

    def _choose_edition(self, value: str) -> None:
        self._set(edition=BiRadsEdition(value))

    def _advice(self, word: Management) -> Toggle:
        def switch(on: bool) -> None:
            self._advise(word, on)

        on = word in self._lesion.advice
        return Toggle(self.ui, self.ui.t(f"lesions.advice_{word.value}"), on, switch, key=f"advice.{word.value}")


def _even(widgets: list[Toggle]) -> list[Toggle]:
    for widget in widgets:
        widget.grow = 1
    return widgets
