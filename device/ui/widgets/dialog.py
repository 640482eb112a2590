# SPDX-License-Identifier: Apache-2.0
"""A question or a message that has to be answered before anything else."""

from __future__ import annotations

from collections.abc import Sequence

import pygame

from device.ui.context import Ui
from device.ui.pointer import Phase, Pointer
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets.base import Action, Widget
from device.ui.widgets.button import Button, Kind
from device.ui.widgets.label import Label
from device.ui.widgets.layout import Card, Column, Row
from device.ui.widgets.overlay import Overlay

WIDTH = 620
"""Pixels at 800x480; less where the screen is narrower."""


class Dialog(Overlay):
    """A card in the middle of the screen with a title, a text and buttons.

    Args:
        title: What it is about.
        body: Text or widgets below the title.
        buttons: From left to right; each closes the dialog before it acts. On a narrow screen they stand on each other.
            Without any, the dialog stays until its opener closes it.
    """

    def __init__(
        self,
        ui: Ui,
        title: str,
        body: str | Sequence[Widget],
        buttons: Sequence[tuple[str, Kind, Action | None]],
        *,
        key: str = "dialog",
    ) -> None:
        super().__init__(ui, key=key)
        self._can_close = bool(buttons)
        self._beside = False
        content: list[Widget] = [Label(ui, body, ink=Ink.CARD)] if isinstance(body, str) else list(body)
        made = [self._button(text, kind, action) for text, kind, action in buttons]
        if made:
            content.append(Column(ui, made[::-1]) if ui.sizes.portrait and len(made) > 1 else Row(ui, made))
        self.card = Card(ui, [Label(ui, title, Style.TITLE, Ink.CARD), *content])
        self.card.gap = ui.sizes.pad
        self.children = [self.card]

    def _button(self, text: str, kind: Kind, action: Action | None) -> Button:
        def answer() -> None:
            self.close()
            if action is not None:
                action()

        return Button(self.ui, text, answer, kind=kind, grow=1)

    @classmethod
    def message(cls, ui: Ui, title: str, text: str, *, where: str = "") -> Dialog:
        """Something that only needs to be read; ``where`` names the file or device concerned."""
        body: list[Widget] = [Label(ui, text, ink=Ink.CARD)]
        if where:
            body.append(Label(ui, where, Style.SMALL, Ink.CARD_MUTED, break_words=True))
        return cls(ui, title, body, [(ui.t("common.ok"), Kind.PRIMARY, None)])

    @classmethod
    def confirm(
        cls, ui: Ui, title: str, text: str, yes: str, on_yes: Action, *, danger: bool = False, no: str = ""
    ) -> Dialog:
        """A question; ``yes`` and ``no`` say what will happen, not just yes and no."""
        kind = Kind.DANGER if danger else Kind.PRIMARY
        return cls(ui, title, text, [(no or ui.t("common.cancel"), Kind.NORMAL, None), (yes, kind, on_yes)])

    @property
    def panel(self) -> pygame.Rect:
        """The card."""
        return self.card.rect

    def place(self, rect: pygame.Rect) -> None:
        """Put the card into the middle, as high as its text needs."""
        super().place(rect)
        width = min(self.ui.px(WIDTH), rect.width - 2 * self.ui.sizes.pad)
        height = min(self.card.preferred(width)[1], rect.height - 2 * self.ui.sizes.pad)
        card = pygame.Rect(0, 0, width, height)
        card.center = rect.center
        self.card.place(card)

    def handle(self, pointer: Pointer) -> bool:
        """A tap beside the card closes it without acting, where there is a way to close it at all."""
        beside = not self.card.rect.collidepoint(pointer.pos)
        if pointer.phase is Phase.DOWN:
            self._beside = beside and self._can_close
        elif pointer.phase is Phase.UP and self._beside and beside:
            self.close()
            return True
        return super().handle(pointer)

    def typed(self, event: pygame.event.Event) -> None:
        """Escape closes without acting."""
        if self._can_close and event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE:
            self.close()
