# SPDX-License-Identifier: Apache-2.0
"""The codes of a site file on one sheet, to be printed or shown to a handheld's camera; used by ``make``."""

from __future__ import annotations

from typing import Final

import numpy as np
import segno

from device.imaging.encoded import png

_MODULE_PX: Final = 6
_QUIET_MODULES: Final = 4
_COLUMNS: Final = 2
_PNG_LEVEL: Final = 6


def code_sheet(texts: list[str]) -> bytes:
    """A picture (PNG, grey) of all codes in two columns, to be printed or shown on a screen."""
    tiles = []
    for text in texts:
        modules = np.array([list(row) for row in segno.make_qr(text, error="m").matrix], np.uint8)
        light = np.pad(1 - modules, _QUIET_MODULES, constant_values=1) * np.uint8(255)
        tiles.append(np.kron(light, np.ones((_MODULE_PX, _MODULE_PX), np.uint8)))
    side = max(tile.shape[0] for tile in tiles)
    rows = -(-len(tiles) // _COLUMNS)
    sheet = np.full((rows * side, min(len(tiles), _COLUMNS) * side), 255, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // _COLUMNS * side, index % _COLUMNS * side
        sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return png(sheet, _PNG_LEVEL)
