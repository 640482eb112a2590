# SPDX-License-Identifier: Apache-2.0
"""Fields and buttons beside each other: a button stands beside the field's box, not beside its label."""

from __future__ import annotations

import pygame

from device.ui.widgets.layout import Row


class FieldRow(Row):
    """A row whose children stand at its lower edge, each as high as it prefers."""

    def place(self, rect: pygame.Rect) -> None:
        """Deal out the width, then lower what is lower than the row."""
        super().place(rect)
        for child in self.children:
            area = child.rect
            height = min(area.height, child.preferred(area.width)[1])
            child.place(pygame.Rect(area.x, area.bottom - height, area.width, height))
