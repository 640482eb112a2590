# SPDX-License-Identifier: Apache-2.0
"""Two passes of one network over a sonogram: the whole of it, then the lesion at its own scale.

The first pass finds the lesion; the second sees it as large as the network can, so that depth and field of view, which
differ from scanner to scanner, matter less. ``convert`` fits calibration on exactly these passes.
"""

from __future__ import annotations

from dataclasses import dataclass

from device.capture.frame import Box
from device.imaging.preprocess import Window, cut_window, whole_window, window_around
from device.imaging.sonogram import Sonogram
from device.inference.manifest import LesionOutline, Preprocessing
from device.inference.outline.contour import Contour, bounding_box, find_contour
from device.inference.runtime import Outputs, Runtime


@dataclass(frozen=True, slots=True, eq=False)
class TwoStageOutputs:
    """What the network said of one sonogram, before calibration.

    Attributes:
        first: Outputs for the whole sonogram.
        second: Outputs for the lesion at its own scale, ``None`` where no lesion was found.
        contour: Lesion outline in sonogram pixels, ``None`` where none was found.
        window: What the first pass saw.
    """

    first: Outputs
    second: Outputs | None
    contour: Contour | None
    window: Window


def run_two_stage(
    runtime: Runtime,
    sonogram: Sonogram,
    how: Preprocessing,
    outline: LesionOutline,
    lesion: Box | None = None,
    zoom: float = 1.0,
) -> TwoStageOutputs:
    """Both passes over a sonogram, uncalibrated.

    Args:
        runtime: The network.
        sonogram: The B-mode region.
        how: How the second window is cut.
        outline: What counts as a lesion in a mask.
        lesion: Where to take the second pass, in sonogram pixels; found by the first pass when not given.
        zoom: Side of the first pass's window as a multiple of the sonogram's longer side.
    """
    height, width = sonogram.pixels.shape
    window = zoomed(whole_window(width, height), zoom)
    first = run_crop(runtime, sonogram, window)
    contour = find_contour(first.mask, window, outline)
    if lesion is None and contour is not None:
        lesion = bounding_box(contour)
    if lesion is None:
        return TwoStageOutputs(first, None, contour, window)
    near = window_around(lesion, how.margin, how.smallest_window)
    second = run_crop(runtime, sonogram, near)
    # The nearer pass outlines more exactly; where it sees nothing the first pass's outline stands.
    closer = find_contour(second.mask, near, outline)
    return TwoStageOutputs(first, second, contour if closer is None else closer, window)


def zoomed(window: Window, zoom: float) -> Window:
    """A window with the same centre and a side ``zoom`` times as long."""
    side = round(window.side * zoom)
    return Window(window.x + (window.side - side) // 2, window.y + (window.side - side) // 2, side)


def run_crop(runtime: Runtime, sonogram: Sonogram, window: Window) -> Outputs:
    """What the network says of one window of a sonogram."""
    return runtime.run(cut_window(sonogram.pixels, window, runtime.input_size))
