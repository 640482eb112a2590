# SPDX-License-Identifier: Apache-2.0
"""The JSON of ``classify --json`` is a contract: keys, types, and one line for each picture of a frame."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from device.__main__ import main
from device.capture.phantom.frames import IN_DISTRIBUTION_SEED, phantom_frame
from tests.device.capture.odd_dicom import Kind, frames, truth

KEYS = [
    "file", "frame", "region", "evaluable", "reason", "caution", "cautions", "probabilities", "result", "assessment",
    "lesion", "sonogram", "latency_ms", "model", "spread",
]  # fmt: skip
RESULTS = {"normal", "benign", "malignant", "uncertain", "not_evaluable"}
CAUTIONS = {None, "unfamiliar_source", "single_view", "scale_contradicted", "phantom"}


def classified(path: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert main(["classify", "--json", str(path)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def region(x: int, width: int, height: int, delta: float = 0.0198) -> Dataset:
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, 1, 0
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX = item.PhysicalDeltaY = delta
    item.RegionLocationMinX0, item.RegionLocationMinY0 = x, 0
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = x + width, height
    return item


def check(line: dict[str, Any]) -> None:
    assert list(line) == KEYS
    assert line["result"] == line["assessment"]
    assert line["result"] in RESULTS
    assert line["caution"] in CAUTIONS
    assert line["caution"] == next(iter(line["cautions"]), None)
    assert line["evaluable"] is (line["reason"] is None)
    assert (line["result"] == "not_evaluable") is not line["evaluable"]
    assert sum(line["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
    assert list(line["probabilities"]) == ["normal", "benign", "malignant"]
    assert len(line["sonogram"]) == 4
    assert all(isinstance(value, int) for value in (*line["sonogram"], line["frame"], line["region"]))
    assert isinstance(line["latency_ms"], float)
    name, _, version = line["model"].partition("@")
    assert name
    assert version
    if line["lesion"] is not None:
        assert list(line["lesion"]) == ["box", "contour", "long_axis_px", "long_axis_mm"]
        assert len(line["lesion"]["contour"]) >= 3
        assert line["lesion"]["long_axis_px"] > 0


def test_every_key_has_its_type(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "phantom.png"
    Image.fromarray(phantom_frame(IN_DISTRIBUTION_SEED, "benign").pixels).save(path)
    (line,) = classified(path, capsys)
    check(line)
    assert (line["file"], line["frame"], line["region"], line["caution"]) == (str(path), 0, 0, None)
    assert line["lesion"]["long_axis_mm"] is None  # a PNG knows no scale


def test_frames_count_and_regions_stay_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Kind("", np.stack(frames(3)).tobytes(), "", values={"NumberOfFrames": 3}).write(tmp_path / "loop.dcm")
    lines = classified(path, capsys)
    assert [(line["frame"], line["region"]) for line in lines] == [(0, 0), (1, 0), (2, 0)]


def test_each_picture_of_a_frame_gets_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    malignant = phantom_frame(IN_DISTRIBUTION_SEED, "malignant", size=(256, 192)).pixels
    both = np.hstack([np.asarray(malignant if malignant.ndim == 2 else malignant[..., 0]), truth()])
    values = {"Columns": 512, "SequenceOfUltrasoundRegions": Sequence([region(256, 256, 192), region(0, 256, 192)])}
    path = Kind("", both.tobytes(), "", values=values).write(tmp_path / "dual.dcm")
    lines = classified(path, capsys)
    assert [(line["frame"], line["region"], line["sonogram"][0]) for line in lines] == [(0, 0, 0), (0, 1, 256)]
    for line in lines:
        check(line)


def test_a_scale_that_is_not_believed_is_said_and_gives_pixels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for delta, caution in ((0.0198, None), (0.198, "scale_contradicted")):
        values = {"SequenceOfUltrasoundRegions": Sequence([region(0, 256, 192, delta)])}
        path = Kind("", truth().tobytes(), "", values=values).write(tmp_path / "scale.dcm")
        (line,) = classified(path, capsys)
        check(line)
        assert line["caution"] == caution
        if line["lesion"] is not None:
            assert (line["lesion"]["long_axis_mm"] is None) is (caution is not None)


def test_the_sentence_names_the_picture_and_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = {"Columns": 512, "SequenceOfUltrasoundRegions": Sequence([region(256, 256, 192), region(0, 256, 192)])}
    path = Kind("", np.hstack([truth(), truth()]).tobytes(), "", values=values).write(tmp_path / "dual.dcm")
    assert main(["classify", str(path)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{path} picture 1: ")
    assert second.startswith(f"{path} picture 2: ")
