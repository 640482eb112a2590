# SPDX-License-Identifier: Apache-2.0
"""A window onto something higher than the screen, for instance a long form."""

from __future__ import annotations

import pygame

from device.ui.context import Ui
from device.ui.pointer import Phase, Pointer
from device.ui.widgets.base import Widget
from device.ui.widgets.lists.scroller import BAR_WIDTH, Scroller


class ScrollView(Widget):
    """Shows one child at its preferred height and scrolls it by dragging, also when the drag begins on a button.

    Args:
        ui: Look, words and time.
        child: What is scrolled.
        key: Name for tests and rebuilds.
        grow: Share of the room left over.
        whole: Asks for the child's whole height; for a place that gives what it has and no more.
        seen: The upper end of the child, which has to be seen without scrolling.
    """

    def __init__(
        self,
        ui: Ui,
        child: Widget,
        *,
        key: str = "scroll",
        grow: int = 1,
        whole: bool = False,
        seen: Widget | None = None,
    ) -> None:
        super().__init__(ui, key=key, grow=grow)
        self._whole = whole
        self._seen = seen
        self.children = [child]
        self.scroller = Scroller(ui)

    def preferred(self, width: int) -> tuple[int, int]:
        """As wide as the child; a few targets high, because the rest can be scrolled to."""
        wanted = self.children[0].preferred(width - self._margin())
        return wanted[0] + self._margin(), wanted[1] if self._whole else self._window(wanted[1])

    def least(self, width: int) -> int:
        """A few targets high, or as high as what has to be seen."""
        inner = width - self._margin()
        seen = self._seen.preferred(inner)[1] if self._seen is not None else 0
        return max(seen, self._window(self.children[0].preferred(inner)[1]))

    def _window(self, height: int) -> int:
        return min(height, 2 * self.ui.sizes.target)

    def _margin(self) -> int:
        return self.ui.px(BAR_WIDTH) + self.ui.sizes.gap

    def place(self, rect: pygame.Rect) -> None:
        """Give the child its preferred height, or the window's if that is more."""
        super().place(rect)
        self._place_child()

    def _place_child(self) -> None:
        width = self.rect.width - self._margin()
        height = max(self.rect.height, self.children[0].preferred(width)[1])
        self.scroller.fit(height, self.rect.height)
        self.children[0].place(pygame.Rect(self.rect.x, self.rect.y - round(self.scroller.offset), width, height))

    def handle(self, pointer: Pointer) -> bool:
        """Give touches to the child until they become a drag."""
        was_dragging = self.scroller.dragging and pointer.phase is not Phase.DOWN
        moved = self.scroller.follow(pointer)
        if self.scroller.dragging and not was_dragging and pointer.phase is not Phase.DOWN:
            super().handle(pointer.cancelled())
        elif not was_dragging:
            super().handle(pointer)
        if moved:
            self._place_child()
        return True

    def release(self) -> None:
        """Forget all fingers."""
        super().release()
        self.scroller.release()

    def update(self, dt: float) -> None:
        """Glide on."""
        super().update(dt)
        if self.scroller.glide(dt):
            self._place_child()

    def draw(self, surface: pygame.Surface) -> None:
        """Draw what the window shows of the child."""
        before = surface.get_clip()
        surface.set_clip(self.rect.clip(before))
        super().draw(surface)
        surface.set_clip(before)
        self.scroller.draw_bar(surface, self.rect)

    def adopt(self, old: Widget) -> None:
        """Stay where the user has scrolled to."""
        if isinstance(old, ScrollView):
            self.scroller.offset = old.scroller.offset
            self._place_child()
