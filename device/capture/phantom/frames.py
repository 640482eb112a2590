# SPDX-License-Identifier: Apache-2.0
"""Frames of a made-up breast: for the demonstration, for training in the use of the device, and for tests.

They look like B-mode ultrasound, so that every step from the frame to the screen can be shown without a real picture.
What a model says of them means nothing. Seeded: the same arguments give the same pixels.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.capture.frame import PHANTOM_ORIGIN, Box, Frame, Pixels, PixelSpacing
from device.capture.phantom.screen import make_screen
from device.capture.phantom.speckle import b_mode
from device.capture.phantom.tissue import Lesion, make_tissue

DEPTH_MM: Final = 38.0
_SWEEP_S: Final = 14.0  # there and back again
_NOISE_TILES: Final = 8


IN_DISTRIBUTION_SEED: Final = 2
"""A breast for demonstrations: the shipped model takes it for one and calls its lesions what they are. Some other seeds
get the caution of an unfamiliar scanner."""


LIVE_SEED: Final = 24
"""The breast of the live phantom: the shipped model calls its benign lesion benign wherever the probe is on its way,
outlines it, and has no caution but that of a phantom."""


@dataclass(frozen=True, slots=True, eq=False)
class PhantomScene:
    """A frame together with what is known about it.

    Attributes:
        frame: As a source would deliver it.
        sonogram: Where in the frame the B-mode picture lies.
        lesion: bool (h, w) of the frame, where the lesion is; all ``False`` without one.
    """

    frame: Frame
    sonogram: Box
    lesion: NDArray[np.bool_]


def phantom_frame(
    seed: int,
    lesion: Lesion | None = None,
    size: tuple[int, int] = (640, 480),
    shadow: bool | None = None,
    screen: bool = False,
) -> Frame:
    """One made-up frame; see ``phantom_scene``."""
    return phantom_scene(seed, lesion, size, shadow, screen).frame


def phantom_scene(
    seed: int,
    lesion: Lesion | None = None,
    size: tuple[int, int] = (640, 480),
    shadow: bool | None = None,
    screen: bool = False,
) -> PhantomScene:
    """One made-up frame and the truth about it.

    Args:
        seed: Chooses the breast.
        lesion: ``benign``: smooth, hypoechoic, oval. ``malignant``: irregular, spiculated. ``None``: healthy.
        size: Width and height of the frame in pixels.
        shadow: Shadow (``True``) or enhancement (``False``) behind the lesion; ``None``: enhancement behind a benign,
            shadow behind a malignant one.
        screen: Put a scanner's screen around it, RGB; otherwise the frame is the grey sonogram alone.

    Returns:
        The scene. ``frame.spacing`` is known without a screen only: a screen's ruler has to be found by looking.
    """
    width, height = size
    rng = np.random.default_rng(seed)
    if not screen:
        pixels, mask = _slice(rng, width, height, lesion, shadow)
        mm = DEPTH_MM / height
        return PhantomScene(Frame(pixels, PHANTOM_ORIGIN, spacing=PixelSpacing(mm, mm)), Box(0, 0, width, height), mask)
    around, box = make_screen(rng, width, height, DEPTH_MM)
    pixels, inner = _slice(rng, box.w, box.h, lesion, shadow)
    mask = np.zeros((height, width), bool)
    mask[box.y : box.y + box.h, box.x : box.x + box.w] = inner
    return PhantomScene(Frame(_framed(around, box, pixels), PHANTOM_ORIGIN), box, mask)


class PhantomSource:
    """A live phantom: the probe glides slowly over a breast that is wider than the picture, and back.

    The breast is computed when the source is opened; a frame is then a cut-out with fresh electronic noise. Pixels
    depend on the arguments and the frame's number alone, not on the clock.

    Attributes:
        name: What a person would call it.
        live: ``True``.
    """

    name = "Phantom"
    live = True

    def __init__(
        self,
        lesion: Lesion | None = "benign",
        seed: int = LIVE_SEED,
        size: tuple[int, int] = (640, 480),
        fps: float = 25.0,
        paced: bool = True,
    ) -> None:
        """Describe it; nothing is computed yet.

        Args:
            lesion: As ``phantom_scene``; it comes into view and leaves it again.
            seed: Chooses the breast.
            size: Width and height of a frame.
            fps: Frames a second.
            paced: Wait for each frame's time as a scanner does; ``False`` gives them as fast as they are asked for.
        """
        self._lesion, self._seed, self._size, self._fps = lesion, seed, (size[0], size[1]), fps
        self._paced = paced
        self._field: _Field | None = None
        self._index, self._due = 0, 0.0
        self._closed = threading.Event()

    def open(self) -> None:
        """Compute the breast (some tenths of a second; shared between sources with the same arguments)."""
        self._field = _field(self._seed, self._lesion, self._size)
        self._closed.clear()
        self._index, self._due = 0, time.monotonic()

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        """The next frame, when it is time for it; ``None`` before ``open`` and after ``close``."""
        field = self._field
        if field is None:
            return None
        if self._paced:
            period = 1.0 / self._fps
            self._due = max(self._due + period, time.monotonic() - period)  # a late reader gets no burst of old frames
            if self._closed.wait(min(max(self._due - time.monotonic(), 0.0), timeout_s)):
                return None
        index = self._index
        self._index += 1
        return Frame(field.at(index, index / self._fps / _SWEEP_S), PHANTOM_ORIGIN, index, spacing=field.spacing)

    def close(self) -> None:
        """Stop; a waiting ``read`` returns at once."""
        self._closed.set()
        self._field = None


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    """A wide sonogram to cut frames from."""

    wide: Pixels
    noise: NDArray[np.int8]
    width: int
    spacing: PixelSpacing

    def at(self, index: int, turns: float) -> Pixels:
        """Frame ``index``, with the probe at ``turns`` of its way there and back."""
        travel = self.wide.shape[1] - self.width
        x = round(travel * 0.5 * (1.0 - np.cos(2.0 * np.pi * turns)))
        cut = self.wide[:, x : x + self.width].astype(np.int16)
        cut += self.noise[index % len(self.noise)]
        return np.clip(cut, 0, 255).astype(np.uint8)


@lru_cache(maxsize=2)
def _field(seed: int, lesion: Lesion | None, size: tuple[int, int]) -> _Field:
    width, height = size
    rng = np.random.default_rng(seed)
    wide, _ = _slice(rng, width * 2, height, lesion, None, (0.5, 0.42))
    noise = np.rint(rng.normal(0.0, 2.0, (_NOISE_TILES, height, width))).astype(np.int8)
    mm = DEPTH_MM / height
    return _Field(wide, noise, width, PixelSpacing(mm, mm))


def _slice(
    rng: np.random.Generator,
    width: int,
    height: int,
    lesion: Lesion | None,
    shadow: bool | None,
    centre: tuple[float, float] | None = None,
) -> tuple[Pixels, NDArray[np.bool_]]:
    mm = DEPTH_MM / height
    tissue = make_tissue(rng, height, width, mm, lesion, shadow, centre)
    return b_mode(rng, tissue, mm), tissue.lesion


def _framed(screen: Pixels, box: Box, sonogram: Pixels) -> Pixels:
    whole = screen.copy()
    whole[box.y : box.y + box.h, box.x : box.x + box.w] = sonogram[..., None]
    return whole
