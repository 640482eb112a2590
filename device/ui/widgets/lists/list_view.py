# SPDX-License-Identifier: Apache-2.0
"""A list of large rows that scrolls; ten thousand rows cost as much as ten, because only visible ones are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import pygame

from device.ui.context import Ui
from device.ui.pointer import Phase, Pointer
from device.ui.status import Level
from device.ui.theme.palette import Ink
from device.ui.theme.text import Align, Style
from device.ui.widgets.base import Widget
from device.ui.widgets.icons import icon
from device.ui.widgets.levels import INKS
from device.ui.widgets.lists.scroller import BAR_WIDTH, Scroller

ROW_HEIGHT = 88
"""In pixels at 800x480: holds a title and ``DETAIL_LINES`` below it."""

DETAIL_LINES = 2

MORE_LINES = 3
"""For lists with long details, on an upright panel: of what the title and the badge leave there, two are too few."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListRow:
    """What one row shows.

    Attributes:
        title: Name or code; shortened with an ellipsis where it does not fit.
        detail: Below it, smaller, on as many lines as the list gives; shortened as well.
        badge: A word at the right end, for instance the state of an exam; never shortened.
        level: Ground of the badge.
        icon: Name of an icon at the left end.
        picture: A small picture at the left end instead of the icon.
        detail_first: Where there is not room for both, the title makes do with one line, so that the detail is read.
    """

    title: str
    detail: str = ""
    badge: str = ""
    level: Level = Level.INFO
    icon: str = ""
    picture: pygame.Surface | None = None
    detail_first: bool = False


class ListView(Widget, Generic[T]):
    """A row for each of some things. It keeps them: what is tapped is what is shown, whatever the screen has by then.

    Args:
        items: What is listed; not to be changed afterwards.
        row: What the row of one says; called for visible rows at every draw, so it has to be quick.
        on_tap: Called with the one whose row was tapped.
        empty: Shown when there is none.
        selected: Whether the row of one is ticked (several files for one import), ``None`` where it cannot be; unset:
            no row has a box to tick.
        long_details: Whether rows are higher on an upright panel, because what they say is long.
    """

    touchable = True

    def __init__(
        self,
        ui: Ui,
        items: Sequence[T],
        row: Callable[[T], ListRow],
        on_tap: Callable[[T], None],
        *,
        empty: str = "",
        selected: Callable[[T], bool | None] | None = None,
        long_details: bool = False,
        key: str = "list",
        grow: int = 1,
    ) -> None:
        super().__init__(ui, key=key, grow=grow)
        self.items = items
        self._row = row
        self._on_tap = on_tap
        self._empty = empty
        self._selected = selected
        self._lines = MORE_LINES if long_details and ui.sizes.portrait else DETAIL_LINES
        self._pressed: int | None = None
        self._finger: int | None = None
        self.scroller = Scroller(ui)

    @property
    def row_height(self) -> int:
        """Height of one row in pixels."""
        more = self.ui.text.line_height(Style.SMALL) + self.ui.sizes.gap
        return self.ui.px(ROW_HEIGHT) + (self._lines - DETAIL_LINES) * more

    def preferred(self, width: int) -> tuple[int, int]:
        """The whole width and two rows; a list is meant to grow."""
        return width, 2 * self.row_height

    def place(self, rect: pygame.Rect) -> None:
        """Take the rectangle and stay within the content."""
        super().place(rect)
        self.scroller.fit(len(self.items) * self.row_height, rect.height)

    def row_rect(self, index: int) -> pygame.Rect:
        """Where row ``index`` is now; may lie outside of the list's rectangle."""
        y = self.rect.y + index * self.row_height - round(self.scroller.offset)
        return pygame.Rect(self.rect.x, y, self.rect.width - self.ui.px(BAR_WIDTH) - self.ui.px(4), self.row_height)

    def visible_rows(self) -> range:
        """Numbers of the rows that can be seen, at least in part."""
        first = int(self.scroller.offset) // self.row_height
        last = (int(self.scroller.offset) + self.rect.height) // self.row_height
        return range(first, min(len(self.items), last + 1))

    def in_sight(self) -> Sequence[T]:
        """What can be seen, at least in part."""
        seen = self.visible_rows()
        return self.items[seen.start : seen.stop]

    def handle(self, pointer: Pointer) -> bool:
        """Scroll, or tap the row under the finger."""
        if pointer.phase is Phase.DOWN and self._finger is None:
            self._finger = pointer.id
            self._pressed = self._row_at(pointer.pos)
            self.ui.invalidate()
        self.scroller.follow(pointer)
        if pointer.id != self._finger:
            return True
        if self.scroller.dragging:
            self._pressed = None
        if pointer.phase in (Phase.UP, Phase.CANCEL):
            pressed, self._pressed, self._finger = self._pressed, None, None
            self.ui.invalidate()
            if pointer.phase is Phase.UP and pressed is not None and pressed == self._row_at(pointer.pos):
                self._on_tap(self.items[pressed])
        return True

    def _row_at(self, pos: tuple[int, int]) -> int | None:
        if not self.rect.collidepoint(pos):
            return None
        index = int(pos[1] - self.rect.y + self.scroller.offset) // self.row_height
        return index if index < len(self.items) else None

    def release(self) -> None:
        """Forget all fingers."""
        self._pressed = self._finger = None
        self.scroller.release()

    def update(self, dt: float) -> None:
        """Glide on."""
        self.scroller.glide(dt)

    def adopt(self, old: Widget) -> None:
        """Stay where the user has scrolled to."""
        if isinstance(old, ListView):
            self.scroller.offset = old.scroller.offset
            self.scroller.fit(len(self.items) * self.row_height, self.rect.height)

    def draw(self, surface: pygame.Surface) -> None:
        """Draw the visible rows."""
        if not self.items and self._empty:
            lines = self.ui.text.wrap(self._empty, Style.BODY, self.rect.width)
            self.ui.text.draw(surface, lines, self.rect, Style.BODY, Ink.MUTED, Align.CENTRE)
        before = surface.get_clip()
        surface.set_clip(self.rect.clip(before))
        for index in self.visible_rows():
            self._draw_row(surface, index)
        surface.set_clip(before)
        self.scroller.draw_bar(surface, self.rect)

    def _draw_row(self, surface: pygame.Surface, index: int) -> None:
        ui, item = self.ui, self.items[index]
        row, chosen = self._row(item), None if self._selected is None else self._selected(item)
        pressed = index == self._pressed
        box = self.row_rect(index).inflate(0, -ui.px(4))
        border = ui.palette.focus if chosen else ui.palette.border
        ui.box(surface, box, Ink.BUTTON_PRESSED if pressed else Ink.CARD, border=border, thickness=3 if chosen else 1)
        inner = box.inflate(-2 * ui.sizes.pad, 0)
        left = inner.x + self._draw_left(surface, row, inner, chosen)
        self._draw_words(surface, row, pygame.Rect(left, inner.y, inner.right - left, inner.height), pressed)

    def _draw_left(self, surface: pygame.Surface, row: ListRow, inner: pygame.Rect, chosen: bool | None) -> int:
        """At the left end a box to tick, or an icon, or a picture with or without the box; returns the room it took."""
        taken, pad = 0, self.ui.sizes.pad
        if chosen is not None:
            taken = self._draw_box(surface, inner, chosen) + pad
        if row.picture is not None:
            size = self.ui.px(56)
            fitted = pygame.Rect(row.picture.get_rect()).fit(pygame.Rect(0, 0, size, size))
            picture = pygame.transform.smoothscale(row.picture, fitted.size)
            surface.blit(picture, picture.get_rect(center=(inner.x + taken + size // 2, inner.centery)))
            return taken + size + pad
        if row.icon and chosen is None:
            size = self.ui.px(28)
            surface.blit(icon(row.icon, size, self.ui.palette.text), (inner.x, inner.centery - size // 2))
            return size + pad
        return taken

    def _draw_box(self, surface: pygame.Surface, inner: pygame.Rect, chosen: bool) -> int:
        """A square, empty or with a tick; returns its side."""
        ui, side = self.ui, self.ui.px(28)
        square = pygame.Rect(inner.x, inner.centery - side // 2, side, side)
        ink = Ink.PRIMARY if chosen else Ink.FIELD
        ui.box(surface, square, ink, border=ui.palette.focus if chosen else ui.palette.muted, radius=5)
        if chosen:
            size = ui.px(22)
            tick = icon("check", size, ui.palette.pair(ink)[0])
            surface.blit(tick, tick.get_rect(center=square.center))
        return side

    def _draw_words(self, surface: pygame.Surface, row: ListRow, room: pygame.Rect, pressed: bool) -> None:
        """Title, detail and badge, each as wide as it needs to be read; the badge is what makes room."""
        text, ink = self.ui.text, Ink.BUTTON_PRESSED if pressed else Ink.CARD
        badge = self._badge_lines(row, room.width)
        size = self._badge_size(badge) if badge else (0, 0)
        beside = room.width - size[0] - self.ui.sizes.gap if badge else room.width
        # A title, or a detail, that is cut beside the badge has the whole width.
        whole = text.width(row.title, Style.STRONG) > beside
        wide = bool(badge) and len(text.wrap(row.detail, Style.SMALL, beside, break_words=True)) > self._lines
        title = text.shortened(row.title, Style.STRONG, room.width if whole else beside, self._lines - 1)
        lines = self._lines - (len(title) - 1) - (whole and wide)
        length = room.width if wide else beside
        if row.detail_first and len(text.wrap(row.detail, Style.SMALL, length, break_words=True)) > lines:
            whole, lines = False, self._lines
            title = text.shortened(row.title, Style.STRONG, beside, 1)
        details = text.shortened(row.detail, Style.SMALL, length, lines) if row.detail else []

        above, below = text.line_height(Style.STRONG) * len(title), text.line_height(Style.SMALL) * len(details)
        foot = size[1] if whole and wide else 0
        if whole and not wide:
            below = max(below, size[1])
        head = pygame.Rect(room.x, room.centery - (above + below + foot) // 2, room.width if whole else beside, above)
        body = pygame.Rect(room.x, head.bottom, room.width if wide else beside, below)
        text.draw(surface, title, head, Style.STRONG, ink)
        if details:
            text.draw(surface, details, body, Style.SMALL, Ink.BUTTON_PRESSED if pressed else Ink.CARD_MUTED)
        if not badge:
            return
        if foot:
            middle = body.bottom + foot // 2
        elif whole:
            middle = body.centery
        else:
            middle = head.centery if wide else room.centery
        self._draw_badge(surface, badge, row.level, (room.right, middle))

    def _badge_lines(self, row: ListRow, width: int) -> list[str]:
        return self.ui.text.wrap(row.badge, Style.SMALL, width * 2 // 5) if row.badge else []

    def _badge_size(self, lines: list[str]) -> tuple[int, int]:
        width = max(self.ui.text.width(line, Style.SMALL) for line in lines)
        height = self.ui.text.line_height(Style.SMALL) * len(lines)
        return width + 2 * self.ui.sizes.gap, height + self.ui.px(4)

    def _draw_badge(self, surface: pygame.Surface, lines: list[str], level: Level, end: tuple[int, int]) -> None:
        """A badge whose right end is in the middle at ``end``."""
        box = pygame.Rect((0, 0), self._badge_size(lines))
        box.midright = end
        self.ui.box(surface, box, INKS[level], radius=6)
        self.ui.text.draw(surface, lines, box.inflate(-self.ui.px(4), 0), Style.SMALL, INKS[level], Align.CENTRE)
