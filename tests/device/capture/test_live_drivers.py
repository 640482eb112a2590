# SPDX-License-Identifier: Apache-2.0
"""The drivers of cameras and grabbers: with a module of picamera2's interface, and V4L2's error paths.

No real camera or grabber was there when these were written; what only hardware can show is not shown here.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from device.capture.sources import picamera, v4l2
from device.capture.sources.process_source import ProcessSource
from device.errors import SourceLostError
from tests.patience import PATIENT_S

PICAMERA2 = """
import os, pathlib, time
import numpy as np

HERE = pathlib.Path(__file__).parent

class Picamera2:
    def __init__(self, camera_num=0):
        if (HERE / "none").exists():
            raise IndexError("list index out of range")
        self.number, self.count = camera_num, 0

    def create_video_configuration(self, main=None, controls=None, buffer_count=None):
        assert main["format"] == "BGR888" and controls["FrameRate"] == 30.0
        return {"main": main}

    def configure(self, configuration):
        self.size = configuration["main"]["size"]

    def start(self):
        if (HERE / "busy").exists():
            raise RuntimeError("Failed to acquire camera: Device or resource busy")

    def capture_array(self, name):
        time.sleep(0.01)
        if (HERE / "unplugged").exists():
            time.sleep(3600)
        self.count += 1
        width, height = self.size
        padded = np.zeros((height, width + 16, 3), np.uint8)
        padded[..., 0], padded[..., 2] = 200, self.count % 250
        return padded

    def stop(self):
        time.sleep(3600)

    close = stop
"""


@pytest.fixture
def camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module that looks like picamera2 from outside, found by child processes."""
    (tmp_path / "picamera2.py").write_text(textwrap.dedent(PICAMERA2))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def pi(width: int = 320, height: int = 240) -> ProcessSource:
    return ProcessSource("Camera imx708", picamera.DRIVER, {"camera": 0, "width": width, "height": height})


def drain(source: ProcessSource) -> None:
    """Read on until nothing comes any more; frames from before the trouble may still come."""
    while True:
        source.read(timeout_s=0.5)


def test_camera_frames_are_red_first_and_without_padding(camera: Path) -> None:
    source = pi()
    source.open()
    frame = source.read(PATIENT_S)
    source.close()
    assert frame is not None
    assert frame.pixels.shape == (240, 320, 3)
    assert frame.pixels[10, 10, 0] == 200
    assert frame.pixels[10, 10, 1] == 0


def test_an_unplugged_camera_is_lost_and_its_endless_stop_is_never_called(camera: Path) -> None:
    source = pi()
    source.open()
    assert source.read(PATIENT_S) is not None
    (camera / "unplugged").touch()
    with pytest.raises(SourceLostError, match="Camera imx708"):
        drain(source)
    (camera / "unplugged").unlink()
    source.open()
    assert source.read(PATIENT_S) is not None
    source.close()


@pytest.mark.parametrize(("trouble", "said"), [("none", "out of range"), ("busy", "busy")])
def test_a_camera_that_is_not_there_or_in_use(trouble: str, said: str, camera: Path) -> None:
    (camera / trouble).touch()
    with pytest.raises(SourceLostError, match=said):
        pi().open()


def test_without_picamera2_it_says_so() -> None:
    with pytest.raises(SourceLostError, match="picamera2 is not installed"):
        pi().open()


@pytest.mark.parametrize("device", ["/dev/v4l/by-id/usb-none-video-index0", "/dev/null", "/dev"])
def test_no_grabber_is_a_lost_source(device: str) -> None:
    source = ProcessSource("grabber", v4l2.DRIVER, {"device": device})
    with pytest.raises(SourceLostError, match="grabber"):
        source.open()


def test_a_file_is_no_grabber(tmp_path: Path) -> None:
    path = tmp_path / "video0"
    path.write_bytes(b"x")
    with pytest.raises(SourceLostError, match="not a capture device"):
        v4l2.V4l2Source(str(path)).open()


class Played(v4l2.V4l2Source):
    """The V4L2 driver over a film, because there is no device: frames, and then a device that gives none."""

    def _start(self) -> Any:
        return cv2.VideoCapture(str(self._device), cv2.CAP_FFMPEG)

    def _require_device(self) -> None:
        if not self._device.exists():
            raise SourceLostError(self.name, "No such device")


def test_grabbed_frames_are_rgb_and_the_end_is_a_loss(tmp_path: Path) -> None:
    path = tmp_path / "red.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for _ in range(3):
        writer.write(np.full((48, 64, 3), (10, 20, 230), np.uint8))
    writer.release()
    source = Played(str(path), name="grabber")
    source.open()
    frames = [source.read() for _ in range(3)]
    assert [frame.index for frame in frames if frame] == [0, 1, 2]
    assert frames[0] is not None
    assert frames[0].pixels[20, 30, 0] > 200
    with pytest.raises(SourceLostError, match="gives no picture"):
        source.read()
    path.unlink()
    with pytest.raises(SourceLostError, match="No such device"):
        source.read()
    source.close()
    assert source.read() is None
