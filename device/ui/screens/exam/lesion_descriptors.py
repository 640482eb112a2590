# SPDX-License-Identifier: Apache-2.0
"""What a lesion looks like, in the words of the lexicon; every word may stay unsaid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from device.records.lesion import BreastLesion
from device.records.lesion_offer import Offer
from device.records.lexicon import (
    AssociatedFeature,
    Boundary,
    Calcifications,
    EchoPattern,
    Elasticity,
    Margin,
    Orientation,
    PosteriorFeatures,
    Shape,
    Vascularity,
)
from device.ui.screen import Screen
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets import Button, Choice, Column, Kind, Label, Page, ScrollView, Toggle, Widget

ONE_OF: dict[str, type[StrEnum]] = {
    "shape": Shape,
    "orientation": Orientation,
    "margin": Margin,
    "boundary": Boundary,
    "echo_pattern": EchoPattern,
    "posterior": PosteriorFeatures,
    "vascularity": Vascularity,
    "elasticity": Elasticity,
}
ANY_OF: dict[str, type[StrEnum]] = {"calcifications": Calcifications, "associated": AssociatedFeature}


class LesionDescriptorsScreen(Screen):
    """The lexicon.

    Args:
        lesion: As it is now.
        offer: What its outlines say, ``None`` where there is none.
        on_done: Called with the lesion as it is described.
    """

    name = "lesion_descriptors"

    def __init__(self, lesion: BreastLesion, offer: Offer | None, on_done: Callable[[BreastLesion], None]) -> None:
        super().__init__()
        self._lesion = self._before = lesion
        self._offer = offer
        self._on_done = on_done

    @property
    def unsaved(self) -> str:
        """Words that were chosen here."""
        return "common.discard_entered" if self._lesion != self._before else ""

    def _set(self, name: str, value: object) -> None:
        changed = replace(self._lesion.descriptors, **{name: value})  # type: ignore[arg-type]  # the callers name fields
        self._lesion = replace(self._lesion, descriptors=changed)
        self.rebuild()

    def _choose(self, name: str, value: str) -> None:
        word = ONE_OF[name](value)
        self._set(name, None if getattr(self._lesion.descriptors, name) is word else word)

    def _switch(self, name: str, word: StrEnum, on: bool) -> None:
        kept: tuple[StrEnum, ...] = getattr(self._lesion.descriptors, name)
        chosen = {*kept, word} if on else {*kept} - {word}
        self._set(name, tuple(one for one in ANY_OF[name] if one in chosen))

    def _done(self) -> None:
        self._on_done(self._lesion)
        self.app.pop()

    def _one_of(self, name: str) -> Widget:
        ui, t = self.ui, self.ui.t
        options = [(word.value, t(f"lesions.{name}_{word.value}")) for word in ONE_OF[name]]
        now = getattr(self._lesion.descriptors, name)
        columns = 2 if ui.sizes.portrait else 3
        title = t(f"lesions.{name}")
        return Choice(ui, title, options, now, lambda value: self._choose(name, value), columns=columns, key=name)

    def _any_of(self, name: str) -> list[Widget]:
        ui, t = self.ui, self.ui.t
        kept = getattr(self._lesion.descriptors, name)

        def toggle(word: StrEnum) -> Toggle:
            def switch(on: bool) -> None:
                self._switch(name, word, on)

            return Toggle(ui, t(f"lesions.{name}_{word.value}"), word in kept, switch, key=f"{name}.{word.value}")

        return [Label(ui, t(f"lesions.{name}"), Style.SMALL, Ink.MUTED), *(toggle(word) for word in ANY_OF[name])]

    def _offered(self) -> Widget | None:
        """How it lies, by its outline; a tap takes it."""
        offer, ui, t = self._offer, self.ui, self.ui.t
        if offer is None or self._lesion.descriptors.orientation is offer.orientation:
            return None
        word = t(f"lesions.orientation_{offer.orientation.value}")
        said = t("lesions.offer_orientation", word=word, ratio=t.number(offer.taller_than_wide, 2))

        def take() -> None:
            self._set("orientation", offer.orientation)

        return Button(ui, said, take, icon="model", key="offer_orientation")

    def build(self) -> Widget:
        """All words."""
        ui, t = self.ui, self.ui.t
        parts: list[Widget | None] = []
        for name in ONE_OF:
            parts.append(self._one_of(name))
            if name == "orientation":
                parts.append(self._offered())
        for name in ANY_OF:
            parts += self._any_of(name)
        form = ScrollView(ui, Column(ui, parts, gap=ui.sizes.pad))
        done = Button(ui, t("common.done"), self._done, kind=Kind.PRIMARY, key="done")
        return Page(ui, t("lesions.descriptors"), [form], on_back=self.back, actions=[done])
