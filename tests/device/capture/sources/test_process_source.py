# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from device.capture.frame import Frame
from device.capture.sources.process_source import ProcessSource
from device.capture.sources.source import FrameSource
from device.errors import DamagedFileError, SourceLostError
from tests.patience import PATIENT_S
from tests.processes import ends

DRIVER = "tests.device.capture.drivers:Scripted"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "part.txt"
    path.write_text("live")
    return path


def made(script: Path, **arguments: object) -> ProcessSource:
    return ProcessSource("USB/Video 3", DRIVER, {"script": str(script), **arguments})


def next_frame(source: ProcessSource) -> Frame | None:
    return source.read(PATIENT_S)


def drain(source: ProcessSource, timeout_s: float = PATIENT_S) -> None:
    """Read on until something goes wrong; frames from before the trouble may still come."""
    while True:
        source.read(timeout_s)


def test_frames_come_out_of_the_process_newest_first(script: Path) -> None:
    source = made(script)
    assert isinstance(source, FrameSource)
    source.open()
    frames = [next_frame(source) for _ in range(5)]
    source.close()
    indices = [frame.index for frame in frames if frame is not None]
    assert indices == sorted(set(indices))
    assert frames[0] is not None
    assert frames[0].origin == "USB/Video 3"
    assert frames[0].pixels.shape == (48, 64, 3)
    assert np.ptp(frames[0].pixels) == 0
    assert source.read() is None


def test_a_slow_reader_gets_the_newest_frame_not_the_oldest(script: Path) -> None:
    source = made(script, period_s=0.005)
    source.open()
    early = next_frame(source)
    assert early is not None
    made_meanwhile = early.index
    while made_meanwhile < early.index + 20:  # the driver goes on reading between requests
        time.sleep(0.01)
        made_meanwhile = int(script.with_suffix(".index").read_text())
    late = next_frame(source)
    source.close()
    assert late is not None
    assert late.index >= made_meanwhile - 1  # that one may be on its way


@pytest.mark.parametrize("part", ["hang", "die", "segfault", "gone"])
def test_a_driver_that_fails_is_a_lost_source_and_its_process_is_gone(part: str, script: Path) -> None:
    source = made(script)
    source.open()
    assert next_frame(source) is not None
    pid = int(script.with_suffix(".pid").read_text())
    script.write_text(part)
    with pytest.raises(SourceLostError, match="USB/Video 3"):
        drain(source, 0.5 if part == "hang" else PATIENT_S)  # only silence tells of one that hangs
    assert ends(pid)
    script.write_text("live")
    source.open()  # and it can be had again
    assert next_frame(source) is not None
    source.close()


def test_one_torn_frame_is_its_own_error_only(script: Path) -> None:
    source = made(script)
    source.open()
    assert next_frame(source) is not None
    script.write_text("torn")
    with pytest.raises(DamagedFileError):
        drain(source)
    script.write_text("live")
    while True:
        try:
            frame = next_frame(source)
        except DamagedFileError:
            continue
        break
    assert frame is not None
    source.close()


def test_a_driver_that_hangs_on_opening_or_does_not_exist(script: Path) -> None:
    script.write_text("hang-open")
    with pytest.raises(SourceLostError, match="hangs"):
        ProcessSource("slow", DRIVER, {"script": str(script)}, open_s=1.5).open()
    with pytest.raises(SourceLostError):
        ProcessSource("none", "device.capture.nothing:Here", {}).open()
    script.unlink()
    with pytest.raises(SourceLostError, match="no such device"):
        made(script).open()


def test_the_end_is_none(script: Path) -> None:
    source = made(script)
    source.open()
    script.write_text("end")
    while next_frame(source) is not None:
        pass
    source.close()


def test_closing_does_not_wait_for_a_driver_that_never_stops(script: Path) -> None:
    source = made(script)
    source.open()
    pid = int(script.with_suffix(".pid").read_text())
    source.close()
    source.close()
    assert ends(pid)
