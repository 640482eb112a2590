# SPDX-License-Identifier: Apache-2.0
"""Rows, columns, grids and cards: how a screen says where things go, once for all sizes and both orientations.

Children ask for a size (``preferred``), the container deals out what there is: first the preferred sizes, then what is
left over to those that ``grow``. A container that has less than its children need says so as an overflow, which the
tests of every screen in every language look for.
"""

from __future__ import annotations

from collections.abc import Sequence

import pygame

from device.ui.context import Ui
from device.ui.theme.palette import Ink
from device.ui.theme.text import Overflow
from device.ui.widgets.base import Widget


class Container(Widget):
    """Children beside or below each other.

    Args:
        children: From left to right, or from top to bottom. ``None`` entries are left out.
        gap: Pixels between two children; unset: the usual gap.
        pad: Pixels around all of them.
    """

    def __init__(
        self,
        ui: Ui,
        children: Sequence[Widget | None],
        *,
        gap: int | None = None,
        pad: int = 0,
        key: str = "",
        grow: int = 0,
    ) -> None:
        super().__init__(ui, key=key, grow=grow)
        self.children = [child for child in children if child is not None]
        self.gap = ui.sizes.gap if gap is None else gap
        self.pad = pad
        self._lack: Overflow | None = None

    @property
    def _shown(self) -> list[Widget]:
        return [child for child in self.children if child.visible]

    def _gaps(self) -> int:
        return self.gap * max(0, len(self._shown) - 1)

    def _check(self, what: str, needed: tuple[int, int], given: tuple[int, int]) -> None:
        short = needed[0] > given[0] or needed[1] > given[1]
        self._lack = Overflow(f"{what} {self.key}".strip(), needed, given) if short else None

    def _agree(self) -> None:
        """All children take the letters of the one that needs the smallest: two sizes side by side look wrong."""
        for child in self._shown:
            child.largest = None
        styles = [style for child in self._shown if (style := child.letters()) is not None]
        smallest = min(styles, key=lambda style: style.value[0], default=None)
        for child in self._shown:
            child.largest = smallest

    def draw(self, surface: pygame.Surface) -> None:
        """Draw the children; report when they had too little room."""
        if self._lack is not None:
            self.ui.text.overflows.append(self._lack)
        super().draw(surface)


class Column(Container):
    """Children from top to bottom, each as wide as the column."""

    def preferred(self, width: int) -> tuple[int, int]:
        """The widest child, and all heights together."""
        inner = width - 2 * self.pad
        sizes = [child.preferred(inner) for child in self._shown]
        widest = max((size[0] for size in sizes), default=0)
        return widest + 2 * self.pad, sum(size[1] for size in sizes) + self._gaps() + 2 * self.pad

    def least(self, width: int) -> int:
        """As high as its children make do with."""
        inner = width - 2 * self.pad
        return sum(child.least(inner) for child in self._shown) + self._gaps() + 2 * self.pad

    def place(self, rect: pygame.Rect) -> None:
        """Deal out the height."""
        super().place(rect)
        inner = rect.inflate(-2 * self.pad, -2 * self.pad)
        shown = self._shown
        heights = [child.preferred(inner.width)[1] for child in shown]
        least = sum(child.least(inner.width) for child in shown)
        self._check("column", (0, least + self._gaps()), inner.size)
        heights = _dealt(heights, [child.grow for child in shown], inner.height - self._gaps())
        y = inner.y
        for child, height in zip(shown, heights, strict=True):
            child.place(pygame.Rect(inner.x, y, inner.width, height))
            y += height + self.gap


class Row(Container):
    """Children from left to right, each as high as the row, or (``stretch = False``) as it prefers, in the middle."""

    stretch = True

    def preferred(self, width: int) -> tuple[int, int]:
        """All widths together, and the highest child at the width that it gets."""
        inner = width - 2 * self.pad
        widths = self._widths(inner)
        heights = [child.preferred(w)[1] for child, w in zip(self._shown, widths, strict=True)]
        return sum(widths) + self._gaps() + 2 * self.pad, max(heights, default=0) + 2 * self.pad

    def _widths(self, inner: int) -> list[int]:
        shown = self._shown
        room = inner - self._gaps()
        fixed = [0 if child.grow else child.preferred(room)[0] for child in shown]
        return _dealt(fixed, [child.grow for child in shown], room)

    def place(self, rect: pygame.Rect) -> None:
        """Deal out the width."""
        super().place(rect)
        inner = rect.inflate(-2 * self.pad, -2 * self.pad)
        widths = self._widths(inner.width)
        self._check("row", (sum(widths) + self._gaps(), 0), inner.size)
        x = inner.x
        for child, width in zip(self._shown, widths, strict=True):
            height = inner.height if self.stretch else min(inner.height, child.preferred(width)[1])
            child.place(pygame.Rect(x, inner.centery - height // 2, width, height))
            x += width + self.gap
        self._agree()


class Grid(Container):
    """Cells of one size, row after row, that fill the rectangle.

    Args:
        children: Row after row.
        columns: Cells in a row.
        gap: Pixels between two cells; unset: the usual gap.
    """

    def __init__(
        self,
        ui: Ui,
        children: Sequence[Widget | None],
        columns: int,
        *,
        gap: int | None = None,
        key: str = "",
        grow: int = 0,
    ) -> None:
        super().__init__(ui, children, gap=gap, key=key, grow=grow)
        self.columns = columns

    @property
    def _rows(self) -> int:
        return -(-len(self._shown) // self.columns)

    def preferred(self, width: int) -> tuple[int, int]:
        """The whole width, and rows as high as the highest cell."""
        cell = self._cell_width(width - 2 * self.pad)
        highest = max((child.preferred(cell)[1] for child in self._shown), default=0)
        return width, highest * self._rows + self.gap * max(0, self._rows - 1) + 2 * self.pad

    def _cell_width(self, inner: int) -> int:
        return (inner - self.gap * (self.columns - 1)) // self.columns

    def place(self, rect: pygame.Rect) -> None:
        """Deal out cells."""
        super().place(rect)
        inner = rect.inflate(-2 * self.pad, -2 * self.pad)
        rows = max(1, self._rows)
        width = self._cell_width(inner.width)
        height = (inner.height - self.gap * (rows - 1)) // rows
        highest = max((child.preferred(width)[1] for child in self._shown), default=0)
        self._check("grid", (0, highest), (width, height))
        for index, child in enumerate(self._shown):
            row, column = divmod(index, self.columns)
            left, right = self._edges(column, self.columns, inner.width)
            top, bottom = self._edges(row, rows, inner.height)
            child.place(pygame.Rect(inner.x + left, inner.y + top, right - left, bottom - top))
        self._agree()

    def _edges(self, index: int, count: int, length: int) -> tuple[int, int]:
        """Where one of ``count`` cells begins and ends; what a division leaves over is dealt out between them."""
        room, before = length - self.gap * (count - 1), self.gap * index
        return room * index // count + before, room * (index + 1) // count + before


class Card(Column):
    """A column on a rounded background with a border, to hold together what belongs together."""

    def __init__(self, ui: Ui, children: Sequence[Widget | None], *, key: str = "", grow: int = 0) -> None:
        super().__init__(ui, children, pad=ui.sizes.pad, key=key, grow=grow)

    def draw(self, surface: pygame.Surface) -> None:
        """Background, then the children."""
        self.ui.box(surface, self.rect, Ink.CARD, border=self.ui.palette.border, thickness=1)
        super().draw(surface)


class Spacer(Widget):
    """Empty room of a fixed size, or growing."""

    def __init__(self, ui: Ui, length: int = 0, *, grow: int = 0) -> None:
        super().__init__(ui, grow=grow)
        self.length = length

    def preferred(self, width: int) -> tuple[int, int]:
        """``length`` in both directions."""
        return min(self.length, width), self.length


def _dealt(wanted: list[int], shares: list[int], room: int) -> list[int]:
    """Lengths that fill ``room``: what is wanted, the rest by shares; what lacks is taken from those that grow."""
    total = sum(shares)
    rest = room - sum(wanted)
    if total == 0:
        return wanted
    given = list(wanted)
    last = max(index for index, share in enumerate(shares) if share)
    for index, share in enumerate(shares):
        part = rest * share // total if index != last else rest - sum(given) + sum(wanted)
        given[index] = max(0, wanted[index] + (part if share else 0))
    return given
