# SPDX-License-Identifier: Apache-2.0
"""What is plugged in, whether this user may use it, and whether the camera's library loads."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from device.system.cameras import CameraCheck, GrabberCheck, video_inputs
from device.system.check import CheckStatus


def plug(root: Path, name: str, *, node: str = "video0") -> Path:
    folder = root / "dev/v4l/by-id"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "dev" / node).touch()
    (folder / name).symlink_to(f"../../{node}")
    return root


def test_a_grabber_is_named_once_and_without_its_metadata_node(tmp_path: Path) -> None:
    plug(tmp_path, "usb-MACROSILICON_USB_Video-video-index0")
    plug(tmp_path, "usb-MACROSILICON_USB_Video-video-index1", node="video1")
    assert [path.name for path in video_inputs(tmp_path)] == ["usb-MACROSILICON_USB_Video-video-index0"]
    result = GrabberCheck(tmp_path).run()
    assert (result.status, result.sentence) == (CheckStatus.OK, "MACROSILICON_USB_Video.")


def test_a_grabber_that_this_user_may_not_use_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(tmp_path, "usb-Grabber-video-index0")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may use everything, whatever the file says
    result = GrabberCheck(tmp_path).run()
    assert (result.status, "group video" in result.advice) == (CheckStatus.FAIL, True)


def test_nothing_plugged_in_is_ordinary(tmp_path: Path) -> None:
    assert GrabberCheck(tmp_path).run().status is CheckStatus.ABSENT


def on_a_pi(root: Path) -> Path:
    (root / "proc/device-tree").mkdir(parents=True)
    (root / "proc/device-tree/model").write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    return root


def test_the_library_is_missed_on_a_raspberry_pi_only(tmp_path: Path) -> None:
    missing = "no_such_camera_library"
    assert CameraCheck(tmp_path, missing).run().status is CheckStatus.ABSENT
    result = CameraCheck(on_a_pi(tmp_path), missing).run()
    assert (result.status, "python3-picamera2" in result.advice) == (CheckStatus.WARN, True)


WITH_CAMERAS = """
class Picamera2:
    @staticmethod
    def global_camera_info():
        return {cameras}
"""


@pytest.mark.parametrize(
    ("code", "status", "word"),
    [
        (WITH_CAMERAS.format(cameras='[{"Model": "imx708", "Num": 0}]'), CheckStatus.OK, "finds imx708"),
        (WITH_CAMERAS.format(cameras="[]"), CheckStatus.ABSENT, "no camera is connected"),
        ("x = 1\n", CheckStatus.FAIL, "Picamera2"),
        ("import libcamera_of_another_abi\n", CheckStatus.FAIL, "libcamera_of_another_abi"),
        ("import os\nos.abort()\n", CheckStatus.FAIL, "SIGABRT"),
    ],
)
def test_the_library_is_really_loaded_and_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, status: CheckStatus, word: str
) -> None:
    (tmp_path / "camera_under_test.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    result = CameraCheck(on_a_pi(tmp_path), "camera_under_test").run()
    assert result.status is status, result
    assert word in result.sentence
