# SPDX-License-Identifier: Apache-2.0
"""A decoded picture of a cine loop made into what a person sees: whole, in colours, square, upright.

Used by ``file.py``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.filter import Graph
from av.filter.context import FilterContext
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from device.capture.files.depth import to_uint8
from device.capture.files.grey import is_misread
from device.capture.frame import Pixels

Decoded = tuple[int, VideoFrame | str]
"""A place in the loop, and its picture or what is wrong with it."""

_SCALING: Final = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_WHOLE_CHROMA: Final = ("yuv444p", "yuvj444p")  # Motion JPEG of red, green and blue without a marker is called so
_LIMITED: Final = 1  # AVCOL_RANGE_MPEG
_ROUNDED: Final = 0.02  # of a side of the matrix: a degree, what computing from an angle leaves
_MOST_ASPECT: Final = 8  # beyond, a pixel's stated proportions are damage


def to_rgb(picture: VideoFrame, aspect: Fraction | None, most_pixels: int) -> Pixels:
    """RGB in true proportions, turned as the file asks.

    Args:
        picture: As decoded.
        aspect: Width of a pixel by its height, ``None`` or 0 where it is not stated.
        most_pixels: Pixels of the result; a stretched picture can be larger than the stored one.

    Raises:
        ValueError: No breast is seen through pixels of such proportions.
    """
    width, height = picture.width, picture.height
    if aspect:
        if not 1 / _MOST_ASPECT <= aspect <= _MOST_ASPECT:
            raise ValueError(f"pixels of proportions {aspect}")
        width, height = (round(width * aspect), height) if aspect >= 1 else (width, round(height / aspect))
        if width * height > most_pixels:
            raise ValueError(f"{width} x {height} pixels")
    stored = picture
    if picture.format.name in _WHOLE_CHROMA and is_misread(_planes(picture), ybr=True):
        stored = VideoFrame.from_ndarray(_planes(picture), "rgb24")
    square = stored.reformat(width, height, "rgb24", interpolation=_SCALING, threads=1)
    pixels = to_uint8(square.to_ndarray())
    if picture.color_range == _LIMITED and picture.format.name.startswith("gray"):
        # The scaler takes every grey picture for one of the full range (ITU-R BT.601: 16 is black, 235 white).
        pixels = to_uint8((pixels.astype(np.float32) - 16.0) * (255.0 / 219.0))
    return np.ascontiguousarray(_upright(pixels, picture))


def _planes(picture: VideoFrame) -> Pixels:
    """Three planes of one size as (h, w, 3)."""
    return np.ascontiguousarray(np.moveaxis(to_uint8(picture.to_ndarray()), 0, -1))


def _upright(pixels: Pixels, picture: VideoFrame) -> Pixels:
    """Turned and mirrored by the display matrix; one that does neither by right angles is left alone."""
    matrix = picture.side_data.get("DISPLAYMATRIX")
    if not isinstance(matrix, SideData):
        return pixels
    across_x, across_y, _, down_x, down_y = (int(v) for v in np.frombuffer(bytes(matrix), np.int32)[:5])
    straight, turned = min(abs(across_x), abs(down_y)), min(abs(across_y), abs(down_x))
    off_straight, off_turned = max(abs(across_y), abs(down_x)), max(abs(across_x), abs(down_y))
    if off_straight < _ROUNDED * straight:
        mirrored_x, mirrored_y = across_x < 0, down_y < 0
    elif off_turned < _ROUNDED * turned:
        pixels = pixels.transpose(1, 0, 2)
        mirrored_x, mirrored_y = down_x < 0, across_y < 0
    else:
        return pixels
    return pixels[:: -1 if mirrored_y else 1, :: -1 if mirrored_x else 1]


def deinterlaced(pictures: Iterator[Decoded], from_start: bool) -> Iterator[Decoded]:
    """Pictures in order with the lines of both fields brought together; those that are whole pass as they are.

    Each is given when the one after it has come, because both neighbours tell what moved. The first is left out unless
    the loop begins with it: its neighbour was not decoded.
    """
    weaver: _Weaver | None = None
    known = from_start
    for place, picture in pictures:
        if weaver is not None and (isinstance(picture, str) or not weaver.fits(picture)):
            yield from weaver.end()
            weaver = None
        if isinstance(picture, str):
            known = True
            yield place, picture
            continue
        if weaver is None:
            weaver = _Weaver(picture)
            weaver.prime(picture, place if known else -1)
        else:
            yield from weaver.add(place, picture)
        known = True
    if weaver is not None:
        yield from weaver.end()


class _Weaver:
    """FFmpeg's filter for pictures of one size and form; gives as many as it gets, one late."""

    def __init__(self, like: VideoFrame) -> None:
        self._graph = Graph()
        self._graph.threads = 1
        self._form = (like.width, like.height, like.format.name)
        source = self._graph.add_buffer(
            width=like.width, height=like.height, format=like.format, time_base=Fraction(1, 1)
        )
        method: FilterContext = self._graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
        self._graph.link_nodes(source, method, self._graph.add("buffersink")).configure()
        self._places: deque[int] = deque()
        self._count = 0

    def fits(self, picture: VideoFrame) -> bool:
        return self._form == (picture.width, picture.height, picture.format.name)

    def prime(self, picture: VideoFrame, place: int) -> None:
        """Begin with a picture twice: the filter halves the lines of one that has nothing before it."""
        for _ in self.add(-1, picture):
            pass
        for _ in self.add(place, picture):
            pass

    def add(self, place: int, picture: VideoFrame) -> list[Decoded]:
        """Give it a picture, get those that are ready; a place of -1 is never passed on."""
        self._places.append(place)
        self._count += 1
        picture.pts, picture.time_base = self._count, Fraction(1, 1)
        self._graph.vpush(picture)
        return self._ready()

    def end(self) -> list[Decoded]:
        """What is still inside."""
        self._graph.vpush(None)
        return self._ready()

    def _ready(self) -> list[Decoded]:
        ready: list[Decoded] = []
        while self._places:
            try:
                picture = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                break
            place = self._places.popleft()
            if place >= 0:
                ready.append((place, picture))
        return ready
