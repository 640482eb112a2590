# SPDX-License-Identifier: Apache-2.0
"""Pictures that are no breast ultrasound: they help to set the out-of-distribution (OOD) limit and to test it.

The folder has a subfolder for each kind (other organs, photographs). Every second file of a kind takes part in the
choice of the limit, the others only in the figures, so that the figures are of pictures that nothing was fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

from device.capture.files.reader import list_images, read_frames
from device.errors import FrameError
from device.imaging.sonogram import Sonogram, find_sonogram


class Half(IntEnum):
    """What an OOD picture is for; the value is the place where counting in twos begins."""

    LIMIT = 0
    FIGURES = 1


def ood_sonograms(folder: Path, half: Half) -> dict[str, list[Sonogram]]:
    """What the device would look at in one half of the pictures, by kind; what cannot be read is left out.

    Args:
        folder: Holds a folder for each kind, or pictures.
        half: Which of them.
    """
    kinds = sorted(path for path in (folder, *folder.iterdir()) if path.is_dir())
    found = {kind.name: _sonograms(list_images(kind)[half::2]) for kind in kinds}
    return {name: sonograms for name, sonograms in found.items() if sonograms}


def _sonograms(files: Sequence[Path]) -> list[Sonogram]:
    sonograms = []
    for path in files:
        try:
            sonograms += [find_sonogram(frame) for frame in read_frames(path)]
        except FrameError:
            continue
    return sonograms
