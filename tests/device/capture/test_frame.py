# SPDX-License-Identifier: Apache-2.0
"""What makes a phantom of a frame: its source or its file's own attribute, and never a file's name."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from device.capture.files.reduce import reduced
from device.capture.frame import PHANTOM_ORIGIN, Box, Frame, PixelSpacing, Region, file_origin
from device.capture.phantom.frames import phantom_frame
from device.capture.sandbox.reader import SandboxedReader
from device.capture.sandbox.wire import describe_frame, rebuild_frame
from device.dicom.objects import build_instances
from tests.device.upload import exams


@pytest.mark.parametrize("name", ["phantom", "phantom.png", "scan.png"])
def test_a_file_is_no_phantom_because_of_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(cv2.imencode(".png", phantom_frame(1).pixels)[1].tobytes())
    with SandboxedReader() as reader, reader.open_frames(path) as file:
        assert not file.read_at(0).phantom


def test_the_origin_of_a_file_is_text_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9 \xe0\xae\xae.png")
    assert file_origin(path) == "caf\\xe9 \u0bae.png"
    assert file_origin(path).encode()


def test_a_reduced_frame_keeps_its_origin_and_every_picture_in_it_its_place_and_scale() -> None:
    scale = PixelSpacing(0.1, 0.2)
    regions = (Region(Box(0, 0, 400, 400), scale), Region(Box(400, 0, 400, 400), None, True))
    frame = Frame(np.zeros((400, 800), np.uint8), PHANTOM_ORIGIN, spacing=scale, region=regions[0].box, regions=regions)
    small = reduced(frame, 80_000)
    assert small.phantom
    assert (small.width, small.height, small.region) == (400, 200, Box(0, 0, 200, 200))
    assert small.regions == (
        Region(Box(0, 0, 200, 200), PixelSpacing(0.2, 0.4)),
        Region(Box(200, 0, 200, 200), None, True),
    )


def test_everything_of_a_frame_comes_over_the_wire() -> None:
    regions = (Region(Box(0, 0, 3, 4), PixelSpacing(0.1, 0.2)), Region(Box(3, 0, 3, 4), None, True))
    frame = Frame(
        np.zeros((4, 6), np.uint8),
        PHANTOM_ORIGIN,
        3,
        exams.MOMENT,
        PixelSpacing(0.1, 0.2),
        regions[0].box,
        regions,
        True,
    )
    head = json.loads(json.dumps(describe_frame(frame)))
    made = rebuild_frame(head, bytearray(frame.pixels.tobytes()), "scan.dcm", 100)
    for field in dataclasses.fields(frame):
        if field.name not in ("pixels", "captured_at"):
            assert getattr(made, field.name) == getattr(frame, field.name)


@pytest.mark.parametrize("origin", [PHANTOM_ORIGIN, "scanner.png"])
def test_an_exported_phantom_is_still_one_when_it_comes_back(tmp_path: Path, origin: str) -> None:
    view = exams.view(exams.exam_uid("one"), 1)
    frame = exams.changed_view(view, frame=type(view.frame)(view.frame.pixels, origin, captured_at=exams.MOMENT))
    image = next(iter(build_instances(exams.exam("one", frame), exams.DEVICE)))
    path = tmp_path / "view-1.dcm"
    path.write_bytes(image.content)
    with SandboxedReader() as reader, reader.open_frames(path) as file:
        assert file.read_at(0).phantom == (origin == PHANTOM_ORIGIN)
