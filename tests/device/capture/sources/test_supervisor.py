# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from device.capture.frame import Frame
from device.capture.phantom.frames import PhantomSource
from device.capture.sources.folder import FolderSource
from device.capture.sources.process_source import _GRACE_S, ProcessSource
from device.capture.sources.recent import RecentFrames, sharpness
from device.capture.sources.state import SourceSnapshot, SourceState
from device.capture.sources.supervisor import _WATCH_S, SILENCE_S, SupervisedSource
from device.errors import DamagedFileError, SourceLostError
from tests.device.capture.conftest import encoded
from tests.patience import PATIENT_S


def reaches(source: SupervisedSource, state: SourceState, error: type[Exception] | None = None) -> SourceSnapshot:
    now = source.wait_for(lambda s: s.state is state and (error is None or isinstance(s.error, error)), PATIENT_S)
    assert now.state is state
    return now


def more_frames(source: SupervisedSource, count: int = 1) -> SourceSnapshot:
    before = source.snapshot().count
    now = source.wait_for(lambda s: s.count >= before + count and s.state is SourceState.LIVE, PATIENT_S)
    assert now.count >= before + count
    return now


def test_the_user_knows_within_two_seconds() -> None:
    assert SILENCE_S + _GRACE_S + _WATCH_S < 2.0


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "part.txt"
    path.write_text("live")
    return path


def grabber(script: Path) -> SupervisedSource:
    driver = "tests.device.capture.drivers:Scripted"
    return SupervisedSource(lambda: ProcessSource("grabber", driver, {"script": str(script)}), "grabber")


@pytest.mark.parametrize("part", ["hang", "die", "gone", "end"])
def test_a_grabber_that_goes_is_lost_and_comes_back_by_itself(part: str, script: Path) -> None:
    source = grabber(script)
    try:
        live = more_frames(source, 5)
        assert live.state is SourceState.LIVE
        assert live.fps > 0
        pulled = datetime.now(UTC)
        if part == "hang":
            source._silence_s = 0.8  # only silence tells; wide again before what has to succeed
        script.write_text(part)
        lost = reaches(source, SourceState.LOST, SourceLostError)
        assert lost.since >= pulled
        assert lost.frame is not None  # the screen may show the last one, greyed
        assert lost.fps == 0
        source._silence_s = PATIENT_S
        script.write_text("live")
        back = more_frames(source, 3)
        assert back.state is SourceState.LIVE
        assert back.error is None
    finally:
        source.close()
    assert source.snapshot().state is SourceState.CLOSED


def test_a_grabber_that_is_not_there_yet_is_found_when_it_comes(script: Path) -> None:
    script.unlink()
    source = grabber(script)
    try:
        first = reaches(source, SourceState.LOST, SourceLostError)
        again = source.wait_for(lambda s: s.state is SourceState.RECOVERING, PATIENT_S)
        assert again.state is SourceState.RECOVERING
        assert again.since == first.since  # one outage
        script.write_text("live")
        assert more_frames(source).state is SourceState.LIVE
    finally:
        source.close()


class Stuck:
    """A driver in this very process that hangs in a call, as one of the kernel can; ``release`` lets it go."""

    live = True
    name = "stuck"

    def __init__(self, where: str) -> None:
        self.where, self.release, self.closing, self.count = where, threading.Event(), threading.Event(), 0

    def open(self) -> None:
        if self.where == "open":
            self.release.wait()

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        self.count += 1
        if self.where == "read" and self.count > 3:
            self.release.wait()
        if self.where == "crash" and self.count > 3:
            raise ZeroDivisionError
        threading.Event().wait(0.005)
        return Frame(np.zeros((8, 8), np.uint8), "stuck", self.count)

    def close(self) -> None:
        self.closing.set()
        if self.where == "close":
            self.release.wait()


@pytest.mark.parametrize("where", ["open", "read", "crash"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_call_that_never_returns_is_left_behind(where: str) -> None:
    made: list[Stuck] = []
    go_on = threading.Event()

    def make() -> Stuck:
        if made:
            go_on.wait()
        made.append(Stuck(where if not made else "nowhere"))
        return made[-1]

    source = SupervisedSource(make, silence_s=0.3, open_s=0.5)
    try:
        reaches(source, SourceState.LOST, SourceLostError)
        source._silence_s = source._open_s = PATIENT_S  # the next one is honest, and may be slow
        go_on.set()
        back = more_frames(source, 2)
        assert back.state is SourceState.LIVE
        assert len(made) == 2
        frames = back.count
        made[0].release.set()  # what comes out of the old one now is not heard
        assert more_frames(source, 3).count >= frames + 3
        assert source.snapshot().state is SourceState.LIVE
    finally:
        source.close()
        go_on.set()
        made[0].release.set()


def test_closing_never_waits() -> None:
    stuck = Stuck("close")
    source = SupervisedSource(lambda: stuck)
    more_frames(source)
    closer = threading.Thread(target=source.close)
    closer.start()
    closer.join(PATIENT_S)
    assert not closer.is_alive()  # although the driver's close still hangs
    assert stuck.closing.wait(PATIENT_S)
    assert not stuck.release.is_set()
    source.close()
    assert source.snapshot().state is SourceState.CLOSED
    stuck.release.set()


def test_snapshots_do_not_wait_for_a_driver() -> None:
    stuck = Stuck("open")
    source = SupervisedSource(lambda: stuck)
    assert source.snapshot().state is SourceState.OPENING
    assert source.snapshot().frame is None
    assert source.sharpest() is None
    source.close()
    stuck.release.set()


def picture(value: int) -> bytes:
    return encoded(Image.fromarray(np.full((20, 30), value, np.uint8)), "PNG")


def test_a_folder_is_stepped_through_and_put_back_it_goes_on_where_it_was(tmp_path: Path) -> None:
    folder, away = tmp_path / "stick", tmp_path / "away"
    folder.mkdir()
    for number in range(4):
        (folder / f"view{number}.png").write_bytes(picture(50 * number) if number != 1 else b"\x89PNG\r\n\x1a\nxx")
    source = SupervisedSource(lambda: FolderSource(folder))
    try:
        first = source.wait_for(lambda s: s.count == 1, PATIENT_S)
        assert first.frame is not None
        assert first.frame.pixels[0, 0] == 0
        source.step()
        bad = source.wait_for(lambda s: s.error is not None, PATIENT_S)
        assert isinstance(bad.error, DamagedFileError)
        assert bad.state is SourceState.LIVE
        shutil.move(folder, away)  # pulled between two reads
        reaches(source, SourceState.LOST, SourceLostError)
        shutil.move(away, folder)
        reaches(source, SourceState.LIVE)
        source.step()
        third = source.wait_for(lambda s: s.count == 2, PATIENT_S)
        assert third.frame is not None
        assert third.frame.pixels[0, 0] == 100
        source.step()
        source.step()
        ended = reaches(source, SourceState.ENDED)
        assert ended.frame is not None
        assert ended.frame.pixels[0, 0] == 150
    finally:
        source.close()


def test_the_phantom_is_live() -> None:
    source = SupervisedSource(lambda: PhantomSource(size=(160, 120), fps=100.0))
    try:
        now = more_frames(source, 20)
        assert now.name == "Phantom"
        assert now.state is SourceState.LIVE
        assert now.frame is not None
        assert source.sharpest() is not None
    finally:
        source.close()


def test_freezing_takes_the_sharpest_of_the_last_few() -> None:
    rng = np.random.default_rng(0)
    sharp = rng.integers(0, 255, (400, 500), dtype=np.uint8)
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 2.0), dtype=np.uint8)
    colour = np.repeat(sharp[..., None], 3, axis=2)
    assert sharpness(Frame(sharp, "x")) > 2 * sharpness(Frame(blurred, "x"))
    assert sharpness(Frame(colour, "x")) == pytest.approx(sharpness(Frame(sharp, "x")))
    recent = RecentFrames()
    assert recent.sharpest(0.5) is None
    frames = [Frame(blurred.copy(), "x", n) if n != 3 else Frame(sharp, "x", n) for n in range(6)]
    for number, frame in enumerate(frames):
        recent.add(number * 0.1, sharpness(frame), frame)
    assert recent.sharpest(0.5) is frames[3]
    assert recent.sharpest(0.15) is not frames[3]  # too old by then
    recent.clear()
    assert recent.sharpest(0.5) is None
