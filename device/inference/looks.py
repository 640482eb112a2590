"""Two looks at a sonogram with one network: the whole of it, and the lesion at its own scale.

The first look finds the lesion; the second sees it as large as the network can, so that depth and field of view, which
differ from scanner to scanner, matter less. ``convert`` fits calibration on exactly these looks.
"""

from __future__ import annotations

from dataclasses import dataclass

from device.capture.frame import Box
from device.imaging.preprocess import Window, cut_window, whole_window, window_around
from device.imaging.sonogram import Sonogram
from device.inference.lesion import Contour, bounding_box, find_contour
from device.inference.manifest import LesionOutline, Preprocessing
from device.inference.runtime import Outputs, Runtime


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """What the network said of one sonogram, before calibration.

    Attributes:
        first: Outputs for the whole sonogram.
        second: Outputs for the lesion at its own scale, ``None`` where no lesion was found.
        contour: Lesion outline in sonogram pixels, ``None`` where none was found.
        window: What the first look saw.
    """

    first: Outputs
    second: Outputs | None
    contour: Contour | None
    window: Window


def take_looks(
    runtime: Runtime, sonogram: Sonogram, how: Preprocessing, outline: LesionOutline, lesion: Box | None = None
) -> Looks:
    """Both looks at a sonogram, uncalibrated.

    Args:
        runtime: The network.
        sonogram: The B-mode region.
        how: How the second window is cut.
        outline: What counts as a lesion in a mask.
        lesion: Where to take the second look, in sonogram pixels; found by the first look when not given.
    """
    height, width = sonogram.pixels.shape
    window = whole_window(width, height)
    first = look_through(runtime, sonogram, window)
    contour = find_contour(first.mask, window, outline)
    if lesion is None and contour is not None:
        lesion = bounding_box(contour)
    if lesion is None:
        return Looks(first, None, contour, window)
    near = window_around(lesion, how.margin, how.smallest_window)
    second = look_through(runtime, sonogram, near)
    # The nearer look outlines more exactly; where it sees nothing the first look's outline stands.
    closer = find_contour(second.mask, near, outline)
    return Looks(first, second, contour if closer is None else closer, window)


def look_through(runtime: Runtime, sonogram: Sonogram, window: Window) -> Outputs:
    """What the network says of one window of a sonogram."""
    return runtime.run(cut_window(sonogram.pixels, window, runtime.input_size))
