# SPDX-License-Identifier: Apache-2.0
"""What enhanced objects state in groups for all frames, or for each: as if it stood in the header (PS3.3 C.7.6.16).

Used by ``file.py`` and ``scale.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pydicom.dataset import Dataset

from device.capture.dicom.form import items_of

SHARED, BY_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"
GROUP_TAGS: Final = [SHARED, BY_FRAME]
"""Elements that must have been read from the file."""

_OF_SHADES: Final = ("PixelValueTransformationSequence", "FrameVOILUTSequence")


def with_groups(header: Dataset, names: Sequence[str], index: int) -> Dataset:
    """The header, with those elements of the groups of one frame that it lacks itself.

    Args:
        header: With ``GROUP_TAGS``.
        names: Elements that are wanted.
        index: Number of the frame.
    """
    by_frame = items_of(header, BY_FRAME)
    groups = [*by_frame[index : index + 1], *items_of(header, SHARED)]
    found = [item for group in groups for name in _OF_SHADES for item in items_of(group, name)]
    if not found:
        return header
    made = Dataset()
    made.update(header)
    for item in found:
        for name in names:
            if name not in made and name in item:
                setattr(made, name, item.get(name))
    return made


def all_measures(header: Dataset) -> Iterator[Dataset]:
    """Everything that groups say of the size of a pixel, of all frames (PS3.3 C.7.6.16.2.1)."""
    for name in GROUP_TAGS:
        for group in items_of(header, name):
            yield from items_of(group, "PixelMeasuresSequence")
