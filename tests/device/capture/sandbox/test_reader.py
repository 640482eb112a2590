# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from device.capture.files.limits import Limits
from device.capture.files.reader import list_images, read_frames
from device.capture.sandbox.reader import SandboxedReader
from device.errors import (
    DamagedFileError,
    DecodeTimeoutError,
    EmptyFileError,
    FileMissingError,
    FrameError,
    FrameTooLargeError,
    NotAnImageError,
    UnsupportedDicomError,
)
from tests.device.capture.conftest import MakeDicom, draw_loop, encoded, movie, png_bomb
from tests.patience import PATIENT_S
from tests.processes import ends

FAULTY = """
import ctypes, os, signal, sys, time
from device.capture.files import image_file
from device.capture.sandbox import worker as sandbox_worker

honest = image_file.ImageFile.read_at

def read_at(self, index):
    name = self._path.name
    if name.startswith("hang"):
        time.sleep(600)
    if name.startswith("spin"):
        while True:
            pass
    if name.startswith("segfault"):
        ctypes.string_at(0)
    if name.startswith("abort"):
        os.abort()
    if name.startswith("killed"):
        signal.raise_signal(signal.SIGKILL)
    if name.startswith("eat"):
        return [bytearray(64 << 20) for _ in range(100)]
    if name.startswith("print"):
        print("x" * 100000); os.write(1, b"y" * 100000)
    if name.startswith("exit"):
        sys.exit(3)
    if name.startswith("write"):
        os.write(os.open(str(self._path) + ".out", os.O_WRONLY | os.O_CREAT), b"1")
    return honest(self, index)

image_file.ImageFile.read_at = read_at
sys.exit(sandbox_worker.main())
"""


@pytest.fixture
def good(tmp_path: Path, grey: np.ndarray) -> Path:
    path = tmp_path / "good.png"
    path.write_bytes(encoded(Image.fromarray(grey), "PNG"))
    return path


PATIENT = Limits(timeout_s=PATIENT_S)
"""For whatever must succeed, or must fail of something else than of time, however busy the machine is."""

HASTY = Limits(timeout_s=1.0)
"""For what never ends."""


def faulty() -> SandboxedReader:
    """A reader whose decoder misbehaves by the name of the file."""
    return SandboxedReader(PATIENT, worker=(sys.executable, "-c", FAULTY))


def test_frames_are_the_same_as_without_it(make_dicom: MakeDicom, good: Path, tmp_path: Path, rgb: np.ndarray) -> None:
    deep = make_dicom(pixels=rgb.tobytes(), Rows=48, Columns=64, NumberOfFrames=3, PixelSpacing=[0.2, 0.1])
    loop = movie(tmp_path / "loop.avi", "MJPG", count=5)
    with SandboxedReader() as reader:
        for path in (good, deep, loop):
            wanted, got = list(read_frames(path)), list(reader.read_frames(path))
            assert len(wanted) == len(got)
            for a, b in zip(wanted, got, strict=True):
                assert np.array_equal(a.pixels, b.pixels)
                assert (a.origin, a.index, a.spacing, a.region) == (b.origin, b.index, b.spacing, b.region)
                assert not b.pixels.flags.writeable


def test_one_worker_serves_file_after_file(good: Path) -> None:
    with SandboxedReader() as reader:
        list(reader.read_frames(good))
        worker = reader._idle
        for _ in range(5):
            list(reader.read_frames(good))
        assert reader._idle is worker


def test_a_decoder_is_the_first_to_go_when_memory_runs_out(tmp_path: Path) -> None:
    mine = int(Path("/proc/self/oom_score_adj").read_text())
    others = set(children_of(os.getpid()))
    with SandboxedReader() as reader, reader.open_frames(movie(tmp_path / "loop.mkv", "mp4v")) as file:
        assert file.read_at(0).index == 0
        (worker,) = set(children_of(os.getpid())) - others
        (decoder,) = children_of(worker)
        for process in (worker, decoder):
            assert int(Path(f"/proc/{process}/oom_score_adj").read_text()) >= max(mine, 900)


def children_of(process: int) -> list[int]:
    """Processes that this one has started and that are still there."""
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def test_a_cine_loop_is_scrubbed_while_other_files_are_read(tmp_path: Path, good: Path) -> None:
    loop = movie(tmp_path / "loop.mkv", "mp4v")
    with SandboxedReader() as reader, reader.open_frames(loop) as file:
        assert (file.frame_count, round(file.fps or 0)) == (30, 20)
        for index in (20, 3, 29):
            assert file.read_at(index).index == index
            assert next(reader.read_frames(good)).width == 64
        with pytest.raises(IndexError):
            file.read_at(30)
        assert file.read_at(0).index == 0  # an index that is not there does no harm


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("segfault", DamagedFileError),
        ("abort", DamagedFileError),
        ("killed", FrameTooLargeError),
        ("eat", FrameTooLargeError),
        ("exit", DamagedFileError),
    ],
)
def test_a_decoder_that_misbehaves_costs_the_file_only(name: str, wanted: type[FrameError], good: Path) -> None:
    bad = good.with_name(f"{name}.png")
    bad.write_bytes(good.read_bytes())
    with faulty() as reader:
        assert next(reader.read_frames(good)).width == 64
        with pytest.raises(wanted, match=name):
            next(reader.read_frames(bad))
        assert next(reader.read_frames(good)).width == 64


@pytest.mark.parametrize("name", ["hang", "spin"])
def test_a_decoder_that_never_ends_costs_the_file_only(name: str, good: Path) -> None:
    bad = good.with_name(f"{name}.png")
    bad.write_bytes(good.read_bytes())
    with faulty() as reader:
        assert next(reader.read_frames(good)).width == 64
        reader._limits = HASTY  # for this file alone: an honest one must not run out of time on a busy machine
        with pytest.raises(DecodeTimeoutError, match=name):
            next(reader.read_frames(bad))
        reader._limits = PATIENT
        assert next(reader.read_frames(good)).width == 64


def test_a_decoder_that_prints_does_not_disturb_the_answers(good: Path) -> None:
    loud = good.with_name("print.png")
    loud.write_bytes(good.read_bytes())
    with faulty() as reader:
        assert np.array_equal(next(reader.read_frames(loud)).pixels, next(read_frames(good)).pixels)


def test_the_worker_cannot_write_files(good: Path) -> None:
    bad = good.with_name("write.png")
    bad.write_bytes(good.read_bytes())
    with faulty() as reader, pytest.raises(FrameError, match="not permitted"):
        next(reader.read_frames(bad))
    assert not good.with_name("write.png.out").exists()


def test_a_worker_that_died_at_rest_is_replaced(good: Path) -> None:
    with SandboxedReader() as reader:
        list(reader.read_frames(good))
        assert reader._idle is not None
        os.killpg(reader._idle._process.pid, signal.SIGKILL)
        assert next(reader.read_frames(good)).width == 64


def test_a_worker_that_was_stopped_at_rest_is_replaced(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.capture.sandbox.reader._READY_S", 1.0)
    with SandboxedReader() as reader:
        list(reader.read_frames(good))
        assert reader._idle is not None
        stopped = reader._idle._process
        os.kill(stopped.pid, signal.SIGSTOP)
        assert next(reader.read_frames(good)).width == 64
        assert stopped.wait(PATIENT_S) == -signal.SIGKILL


def test_what_a_file_leaves_in_memory_meets_no_other_file(good: Path, tmp_path: Path, grey: np.ndarray) -> None:
    """Each file has a process of its own, which ends with it: the decoder of the next one never saw its pixels."""
    leaky = FAULTY.replace(
        "    return honest(self, index)",
        "    image_file.left = getattr(image_file, 'left', None) or honest(self, index)\n    return image_file.left",
    )
    other = tmp_path / "other.png"
    other.write_bytes(encoded(Image.fromarray(255 - grey), "PNG"))
    with SandboxedReader(PATIENT, worker=(sys.executable, "-c", leaky)) as reader:
        assert np.array_equal(next(reader.read_frames(good)).pixels, grey)
        assert np.array_equal(next(reader.read_frames(other)).pixels, 255 - grey)


def test_an_interlaced_or_broken_loop_shows_nothing_of_the_loop_before(tmp_path: Path) -> None:
    """The picture of the first file is bright; nothing of the second may be."""
    bright = movie(tmp_path / "bright.avi", "MJPG", count=6)
    dark = draw_loop(tmp_path / "dark.mp4", [np.full((96, 128, 3), 16, np.uint8)] * 12, interlaced=True)
    whole = dark.read_bytes()
    broken = tmp_path / "broken.mp4"
    at = whole.index(b"mdat") + 60
    broken.write_bytes(whole[:at] + bytes(200) + whole[at + 200 :])
    with SandboxedReader() as reader:
        for path in (dark, broken):
            assert next(reader.read_frames(bright)).pixels.max() > 100
            with contextlib.suppress(DamagedFileError):
                for frame in reader.read_frames(path):
                    assert frame.pixels.max() < 40


def test_nothing_is_left_running(good: Path) -> None:
    reader = SandboxedReader()
    list(reader.read_frames(good))
    assert reader._idle is not None
    process = reader._idle._process
    file = reader.open_frames(good)
    reader.close()
    file.close()
    assert process.wait(PATIENT_S) is not None
    assert reader._idle is None


def test_the_worker_ends_when_its_owner_is_gone(good: Path, tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from device.capture.files.limits import Limits\n"
        "from device.capture.sandbox.reader import SandboxedReader\n"
        f"reader = SandboxedReader(Limits(timeout_s={PATIENT_S})); file = reader.open_frames(Path(sys.argv[1]))\n"
        "print(file._worker._process.pid, flush=True); os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(good)], capture_output=True, text=True, check=True)
    assert ends(int(done.stdout)), "the worker outlived its owner"


def test_many_threads_share_one_reader(tmp_path: Path) -> None:
    paths = []
    for number in range(6):
        path = tmp_path / f"{number}.png"
        path.write_bytes(encoded(Image.fromarray(np.full((50, 50), 40 * number, np.uint8)), "PNG"))
        paths.append(path)
    seen: list[tuple[int, int]] = []

    def read(number: int) -> None:
        for _ in range(5):
            seen.append((number, int(next(reader.read_frames(paths[number])).pixels[0, 0])))

    with SandboxedReader() as reader:
        threads = [threading.Thread(target=read, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(seen) == [(number, 40 * number) for number in range(6) for _ in range(5)]


def test_hostile_files_each_get_their_own_sentence(tmp_path: Path, make_dicom: MakeDicom, good: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(png_bomb(30_000, 2_000))
    tiff = encoded(Image.new("L", (30_000, 1_000)), "TIFF", compression="tiff_deflate")
    (tmp_path / "bomb.tif").write_bytes(tiff)
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    with zipfile.ZipFile(tmp_path / "zip.jpg", "w") as archive:
        archive.writestr("a", "b")
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:-20])
    make_dicom("absurd.dcm", pixels=bytes(100), Rows=65535, Columns=65535)
    make_dicom("frames.dcm", pixels=bytes(100), Rows=10, Columns=10, NumberOfFrames=2**31 - 1)
    make_dicom("hsv.dcm", pixels=bytes(100), Rows=10, Columns=10, PhotometricInterpretation="HSV")
    wanted = {
        "bomb.png": FrameTooLargeError,
        "bomb.tif": FrameTooLargeError,
        "empty.png": EmptyFileError,
        "folder.png": NotAnImageError,
        "pipe.png": NotAnImageError,
        "zero.png": NotAnImageError,
        "zip.jpg": NotAnImageError,
        "cut.png": DamagedFileError,
        "absurd.dcm": FrameTooLargeError,
        "frames.dcm": FrameTooLargeError,
        "hsv.dcm": UnsupportedDicomError,
        "none.png": FileMissingError,
    }
    with SandboxedReader() as reader:
        for name, kind in wanted.items():
            with pytest.raises(kind) as caught:
                next(reader.read_frames(tmp_path / name))
            assert str(caught.value).startswith(str(tmp_path / name) + ": ")
            assert "\n" not in str(caught.value)
            assert type(caught.value) is kind
        assert next(reader.read_frames(good)).width == 64


def test_memory_is_bounded_when_the_header_lies_small(tmp_path: Path) -> None:
    """Pages within the limit on pixels, but not within that on memory."""
    path = tmp_path / "page.tif"
    path.write_bytes(encoded(Image.new("RGB", (4000, 4000)), "TIFF", compression="tiff_deflate"))
    with SandboxedReader(replace(PATIENT, memory_bytes=40 << 20)) as reader, pytest.raises(FrameTooLargeError):
        next(reader.read_frames(path))
    with SandboxedReader() as reader:
        frame = next(reader.read_frames(path))
    assert frame.width == frame.height
    assert 4_000_000 < frame.width * frame.height <= Limits().given_pixels


@pytest.mark.real_data
def test_public_files_are_the_same_as_without_it(shared: Path) -> None:
    def outcome(reader: SandboxedReader | None, path: Path) -> object:
        try:
            frames = list(reader.read_frames(path) if reader else read_frames(path))
        except FrameError as error:
            return str(error)
        return [(f.pixels.shape, int(f.pixels.sum()), f.spacing, f.region) for f in frames]

    with SandboxedReader() as reader:
        for path in list_images(shared / "data" / "dicom") + list_images(shared / "data" / "frames"):
            assert outcome(reader, path) == outcome(None, path)
