# SPDX-License-Identifier: Apache-2.0
"""Enhanced objects say in groups what others say in the header: for all frames, or for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from device.capture.dicom.scale import stated_places
from device.capture.dicom.scale_sources import Scale
from device.capture.frame import PixelSpacing
from tests.device.capture.odd_dicom import Kind, truth
from tests.device.capture.test_odd_dicom import check

ONE = truth()
NEGATIVE = np.asarray(255 - ONE, np.uint8)
HALF = (ONE.astype("<u2") << 3).astype("<u2")
BITS_12 = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}
SHARED, BY_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"


def item(**values: Any) -> Dataset:
    made = Dataset()
    for name, value in values.items():
        setattr(made, name, value)
    return made


def groups(name: str, *each: dict[str, Any]) -> Sequence:
    return Sequence([item(**{name: Sequence([item(**values)])}) for values in each])


TURNED = {"RescaleSlope": -1, "RescaleIntercept": 255}
STRAIGHT = {"RescaleSlope": 1, "RescaleIntercept": 0}
WINDOW = {"WindowCenter": 1024, "WindowWidth": 2048}
TWO = np.stack([NEGATIVE, NEGATIVE]).tobytes()
KINDS = [
    Kind("turned, for all", TWO, (ONE, ONE), values={
        "NumberOfFrames": 2, SHARED: groups("PixelValueTransformationSequence", TURNED)}),
    Kind("turned, for each", TWO, (ONE, ONE), values={
        "NumberOfFrames": 2, BY_FRAME: groups("PixelValueTransformationSequence", TURNED, TURNED)}),
    Kind("turned, for the second one", np.stack([ONE, NEGATIVE]).tobytes(), (ONE, ONE), values={
        "NumberOfFrames": 2, BY_FRAME: groups("PixelValueTransformationSequence", STRAIGHT, TURNED)}),
    Kind("a window for all", HALF.tobytes(), (ONE,), values=BITS_12 | {
        SHARED: groups("FrameVOILUTSequence", WINDOW)}, tolerance=1),
    Kind("windows for each", np.stack([HALF, HALF * 2]).tobytes(), (ONE, ONE), values=BITS_12 | {
        "NumberOfFrames": 2,
        BY_FRAME: groups("FrameVOILUTSequence", WINDOW, {"WindowCenter": 2048, "WindowWidth": 4096})}, tolerance=1),
    Kind("the header's own counts", ONE.tobytes(), (ONE,), values=STRAIGHT | {
        SHARED: groups("PixelValueTransformationSequence", TURNED)}),
    Kind("fewer groups than frames", np.stack([NEGATIVE, ONE]).tobytes(), (ONE, ONE), values={
        "NumberOfFrames": 2, BY_FRAME: groups("PixelValueTransformationSequence", TURNED)}),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_groups_tell_how_values_are_shown(kind: Kind, tmp_path: Path) -> None:
    check(kind, tmp_path)


@pytest.mark.parametrize(
    ("spacings", "wanted"),
    [
        ({SHARED: [0.2]}, 0.2),
        ({BY_FRAME: [0.2, 0.2]}, 0.2),
        ({BY_FRAME: [0.2, 0.3]}, None),
        ({SHARED: [0.2], BY_FRAME: [0.3, 0.3]}, None),
        ({SHARED: [0.2], "header": [0.3]}, None),
        ({BY_FRAME: [0.3, 0.3], "header": [0.2]}, None),
    ],
)
def test_the_scales_of_all_groups_have_to_agree(spacings: dict[str, list[float]], wanted: float | None) -> None:
    data = item(Modality="US")
    for name, sides in spacings.items():
        if name == "header":
            data.PixelSpacing = sides * 2
        else:
            setattr(data, name, groups("PixelMeasuresSequence", *({"PixelSpacing": [side] * 2} for side in sides)))
    found = stated_places(data, 256, 192).scale
    assert found == (Scale(None, True) if wanted is None else Scale(PixelSpacing(wanted, wanted), False))
