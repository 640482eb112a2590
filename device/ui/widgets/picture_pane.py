"""A picture with buttons for what two bare fingers do: closer, farther, all of it. Gloves do not pinch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from device.capture.frame import Pixels, Point
from device.ui.context import Ui
from device.ui.pointer import Phase
from device.ui.widgets.base import Widget
from device.ui.widgets.button import Button
from device.ui.widgets.image_view import Drawing, ImageView
from device.ui.widgets.layout import Column, Row

STEP = 1.5
"""How much closer one tap goes."""


class PicturePane(Column):
    """A picture above its zoom buttons.

    Args:
        ui: Look, words and time.
        pixels: What to show.
        drawings: Over the picture.
        on_tap: As for ``ImageView``.
        on_drag: As for ``ImageView``.
        more: Further widgets in the row of buttons.
        grow: Share of the room left over.

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
        more: Sequence[Widget] = (),
        grow: int = 2,
    ) -> None:
        self.image = ImageView(ui, pixels, drawings=drawings, on_tap=on_tap, on_drag=on_drag)
        buttons = [
            self._button(ui, "minus", ui.t("imaging.farther"), lambda: self.image.zoom_by(1 / STEP)),
            self._button(ui, "fit", ui.t("imaging.whole"), self.image.reset_zoom),
            self._button(ui, "plus", ui.t("imaging.closer"), lambda: self.image.zoom_by(STEP)),
        ]
        super().__init__(ui, [self.image, Row(ui, [*buttons, *more])], key="picture_pane", grow=grow)

    @staticmethod
    def _button(ui: Ui, icon: str, label: str, action: Callable[[], None]) -> Button:
        return Button(ui, "", action, icon=icon, label=label, key=f"zoom.{icon}", grow=1)
