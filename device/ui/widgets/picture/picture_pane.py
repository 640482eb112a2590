# SPDX-License-Identifier: Apache-2.0
"""A picture with buttons for what two bare fingers do: closer, farther, all of it. Gloves do not pinch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from device.capture.frame import Pixels, Point
from device.ui.context import Ui
from device.ui.pointer import Phase
from device.ui.widgets.base import Widget
from device.ui.widgets.button import Button
from device.ui.widgets.layout import Column, Row
from device.ui.widgets.picture.image_view import Drawing, ImageView

STEP = 1.5
"""How much closer one tap goes."""


def zoom_buttons(ui: Ui, image: ImageView, *, grow: int = 1) -> list[Widget]:
    """Farther, all of it, closer."""

    def button(name: str, label: str, action: Callable[[], None]) -> Button:
        return Button(ui, "", action, icon=name, label=label, key=f"zoom.{name}", grow=grow)

    return [
        button("minus", ui.t("imaging.farther"), lambda: image.zoom_by(1 / STEP)),
        button("fit", ui.t("imaging.whole"), image.reset_zoom),
        button("plus", ui.t("imaging.closer"), lambda: image.zoom_by(STEP)),
    ]


def zoom_above(ui: Ui, image: ImageView, main: Widget | None) -> list[Widget]:
    """Zoom buttons and below them the main action; beside them where the screen stands, which leaves more picture."""
    if not ui.sizes.portrait or main is None:
        return [Row(ui, zoom_buttons(ui, image)), *([main] if main is not None else [])]
    main.grow = 2
    return [Row(ui, [*zoom_buttons(ui, image), main])]


class PicturePane(Column):
    """A picture above its zoom buttons.

    Args:
        pixels: What to show.
        drawings: Over the picture.
        on_tap: As for ``ImageView``.
        on_drag: As for ``ImageView``.

    Attributes:
        image: The picture itself.
    """

    def __init__(
        self,
        ui: Ui,
        pixels: Pixels | None,
        *,
        drawings: Sequence[Drawing] = (),
        on_tap: Callable[[Point], None] | None = None,
        on_drag: Callable[[Phase, Point], bool] | None = None,
    ) -> None:
        self.image = ImageView(ui, pixels, drawings=drawings, on_tap=on_tap, on_drag=on_drag)
        super().__init__(ui, [self.image, Row(ui, zoom_buttons(ui, self.image))], key="picture_pane", grow=2)
