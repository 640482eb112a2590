# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from device.capture.sources.discover import PHANTOM, SourceInfo, discover, make_source
from device.capture.sources.folder import FolderSource
from device.capture.sources.process_source import ProcessSource
from device.capture.sources.source import FrameSource
from device.capture.sources.usb_stick import Roots
from device.errors import SourceLostError


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    """A made-up system with a sensor, the lens motor beside it, two grabbers and a stick."""
    names = {"v4l-subdev0": "dw9807 10-000c", "v4l-subdev1": "imx708_wide 10-001a", "video0": "rp1-cfe-csi2_ch0"}
    for place, name in names.items():
        folder = tmp_path / "sys/class/video4linux" / place
        folder.mkdir(parents=True)
        (folder / "name").write_text(name + "\n")
    by_id = tmp_path / "dev/v4l/by-id"
    by_id.mkdir(parents=True)
    (tmp_path / "dev/video2").touch()
    for link in ("usb-MACROSILICON_USB3.0_Video-video-index0", "usb-MACROSILICON_USB3.0_Video-video-index1"):
        (by_id / link).symlink_to("../../video2")
    (by_id / "usb-Old_Grabber-video-index0").symlink_to("../../video9")
    disk = tmp_path / "sys/devices/usb1/sda"
    (disk / "sda1").mkdir(parents=True)
    (disk / "removable").write_text("1")
    block = tmp_path / "sys/dev/block"
    block.mkdir(parents=True)
    (block / "8:1").symlink_to(disk / "sda1")
    (tmp_path / "media/KINGSTON").mkdir(parents=True)
    (tmp_path / "mountinfo").write_text(f"30 1 8:1 / {tmp_path}/media/KINGSTON ro - vfat /dev/sda1 ro\n")
    return Roots(tmp_path / "mountinfo", tmp_path / "sys", tmp_path / "dev", (tmp_path / "media",))


def test_everything_is_found_and_nothing_is_opened(
    roots: Roots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/picamera2.py").write_text("raise RuntimeError('imported into the app')")
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    old = SourceInfo("v4l2:usb-Gone-video-index0", "v4l2", "Gone", True, "/dev/v4l/by-id/usb-Gone-video-index0")
    found = discover(roots, folders=[tmp_path, tmp_path / "none"], remembered=[old, PHANTOM])
    assert [(info.id, info.name, info.available) for info in found] == [
        ("picamera:0", "Camera imx708_wide", True),
        ("v4l2:usb-MACROSILICON_USB3.0_Video-video-index0", "MACROSILICON USB3.0 Video", True),
        ("v4l2:usb-Old_Grabber-video-index0", "Old Grabber", False),
        ("stick:KINGSTON", "KINGSTON", True),
        (f"folder:{tmp_path}", tmp_path.name, True),
        (f"folder:{tmp_path / 'none'}", "none", False),
        ("v4l2:usb-Gone-video-index0", "Gone", False),
        ("phantom", "Phantom (practice)", True),
    ]
    assert "picamera2" not in sys.modules
    assert [type(make_source(info)) for info in found[:4]] == [
        ProcessSource,
        ProcessSource,
        ProcessSource,
        FolderSource,
    ]
    assert all(isinstance(make_source(info), FrameSource) for info in found)


def test_a_pulled_stick_is_noticed_although_its_folders_still_show(roots: Roots, tmp_path: Path) -> None:
    (tmp_path / "media/KINGSTON/scan.png").write_bytes(b"x")
    (info,) = [info for info in discover(roots) if info.kind == "stick"]
    source = make_source(info, roots)
    assert isinstance(source, FolderSource)
    source.open()
    source.check()
    shutil.rmtree(tmp_path / "sys/devices/usb1")
    with pytest.raises(SourceLostError, match="KINGSTON"):
        source.check()
    with pytest.raises(SourceLostError):
        source.open()
    source.close()


def test_without_picamera2_no_camera_is_offered(roots: Roots) -> None:
    if "picamera2" in sys.modules or any(Path(place, "picamera2").exists() for place in sys.path):
        pytest.skip("picamera2 is installed here")
    assert all(info.kind != "picamera" for info in discover(roots))


def test_the_phantom_can_be_left_out(roots: Roots) -> None:
    assert PHANTOM not in discover(roots, phantom=False)


def test_opening_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceLostError):
        make_source(SourceInfo("folder:x", "folder", "x", True, str(tmp_path / "x"))).open()


def test_the_phantom_is_made_and_opens() -> None:
    source = make_source(PHANTOM)
    source.open()
    assert source.read() is not None
    source.close()
