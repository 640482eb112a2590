# SPDX-License-Identifier: Apache-2.0
"""Colours of 16 bits of which a scanner used 8 to 12: Pillow keeps the upper byte alone, and the picture is dark.

The upper bytes tell whether there is more to be had; then the page is decoded once more with its bytes swapped, which
gives the lower ones. Used by ``image_file.py``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from device.capture.files.depth import Span, bits_of, scale_to_8_bit, united
from device.capture.frame import Pixels

_RAW_MODE: Final = re.compile(r"(RGB[AX]?|LA);16([BLN])")
_SWAPPED: Final = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_MOST: Final = 12
"""Bits of scanners that are stored in 16; above, the upper byte is all that a frame of 8 bits holds."""


def is_deep(page: Image.Image) -> bool:
    """Whether a page has colours, or grey with transparency, of 16 bits; asked before it is decoded."""
    tiles: list[Any] = page.tile  # type: ignore[attr-defined]
    return bool(tiles) and all(_RAW_MODE.fullmatch(_raw_mode(tile)) for tile in tiles)


def colour_span(page: Image.Image) -> Span:
    """The span of the colours of a deep page, by their upper bytes."""
    return Span(0, float(_upper(page)[..., :3].max()) * 256 + 255, True)


def is_dark(page: Image.Image) -> bool:
    """Whether the upper bytes of a deep page are not the whole picture."""
    return bits_of(colour_span(page)) <= _MOST


def deep_colours(page: Image.Image, again: Callable[[], Image.Image], span: Span | None) -> Image.Image | None:
    """A deep page in 8 bits by the depth that its file uses, without transparency that says nothing.

    Args:
        page: Deep, decoded or not.
        again: Opens the same page once more, undecoded.
        span: Of the other pages, ``None`` for a single one.

    Returns:
        ``None`` where the upper bytes, which ``page`` holds, are the whole picture.
    """
    own = colour_span(page)
    whole = own if span is None else united((own, span)) or own
    if bits_of(whole) > _MOST:
        return None
    values = _upper(page).astype(np.uint16) << 8 | _lower(again())
    colours = scale_to_8_bit(values[..., :3], whole)
    if values.shape[-1] < 4 or page.mode != "RGBA":
        return Image.fromarray(colours)
    return Image.fromarray(np.dstack([colours, _opacity(values[..., 3], whole)]))


def _opacity(values: NDArray[Any], span: Span) -> Pixels:
    """By 16 bits, or by those of the colours where it uses no more."""
    return scale_to_8_bit(values, span if int(values.max()) < 1 << bits_of(span) else Span(0, 65535, True))


def _upper(page: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(page)


def _lower(page: Image.Image) -> NDArray[np.uint8]:
    """The lower bytes of all samples, as Pillow would arrange the upper ones."""
    tiles: list[Any] = page.tile  # type: ignore[attr-defined]
    if _raw_mode(tiles[0]).startswith("LA"):  # four bytes a pixel like any other, and no mode of swapped ones
        page.tile = [tile._replace(args="RGBA") for tile in tiles]  # type: ignore[attr-defined]
        return np.asarray(page)[..., [1, 1, 1, 3]]
    page.tile = [_swapped(tile) for tile in tiles]  # type: ignore[attr-defined]
    return np.asarray(page)


def _raw_mode(tile: Any) -> str:
    return str(tile.args if isinstance(tile.args, str) else tile.args[0])


def _swapped(tile: Any) -> Any:
    name = _raw_mode(tile)
    swapped = name[:-1] + _SWAPPED[name[-1]]
    return tile._replace(args=swapped if isinstance(tile.args, str) else (swapped, *tile.args[1:]))
