# SPDX-License-Identifier: Apache-2.0
"""What is so and cannot be changed here: a name and a value, one below the other."""

from __future__ import annotations

from collections.abc import Sequence

from device.ui.context import Ui
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style
from device.ui.widgets.label import Label
from device.ui.widgets.layout import Column


class Facts(Column):
    """Names and values.

    Args:
        facts: Name and value of each; a value may hold file names and wraps anywhere.
    """

    def __init__(self, ui: Ui, facts: Sequence[tuple[str, str]], *, key: str = "") -> None:
        pairs = [
            Column(
                ui,
                [Label(ui, name, Style.SMALL, Ink.MUTED), Label(ui, value, break_words=True)],
                gap=0,
            )
            for name, value in facts
        ]
        super().__init__(ui, pairs, gap=ui.sizes.gap, key=key)
