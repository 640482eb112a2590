# SPDX-License-Identifier: Apache-2.0
"""A loop that is written frame by frame is the file that pydicom would have written in one piece."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from pydicom import dcmread, dcmwrite
from pydicom.encaps import encapsulate, generate_frames

from device.capture.frame import Frame
from device.dicom import loop as module
from device.dicom.loop import ultrasound_loop
from device.records.exam import View
from device.records.outbox.rows import Instance
from tests.device.upload import exams


def loop_of(frames: list[Frame], *, compress: bool = True) -> Instance:
    uid = exams.exam_uid("loop")
    view: View = replace(exams.view(uid, 1), frame=frames[0])
    made = ultrasound_loop(exams.exam("loop", view), view, 1, exams.DEVICE, lambda: frames, "cine", compress)
    assert made is not None
    return made


def grey(count: int, width: int = 160) -> list[Frame]:
    return [replace(frame, pixels=frame.pixels[:, :width].copy()) for frame in map(exams.frame, range(count))]


def mixed() -> list[Frame]:
    """Doppler is switched on in the middle, so frames that looked grey have to be stored in colour."""
    return [exams.frame(1), exams.frame(2), exams.frame(3, colour=True), exams.frame(4)]


def odd() -> list[Frame]:
    """Frames of an odd number of bytes, and an odd number of them."""
    frames = [exams.frame(n) for n in range(3)]
    return [replace(frame, pixels=frame.pixels[:51, :43].copy()) for frame in frames]


@pytest.mark.parametrize("compress", [True, False], ids=["jpeg-ls", "plain"])
@pytest.mark.parametrize("frames", [lambda: grey(9), mixed, odd], ids=["grey", "mixed", "odd"])
def test_a_loop_is_the_file_that_pydicom_writes(frames: Callable[[], list[Frame]], compress: bool) -> None:
    given = frames()
    made = loop_of(given, compress=compress)
    content = made.content
    assert made.pieces.size == len(content)
    dataset = dcmread(io.BytesIO(content))
    pictures = [frame.pixels for frame in given]
    if any(picture.ndim == 3 for picture in pictures):
        pictures = [p if p.ndim == 3 else np.repeat(p[..., None], 3, axis=2) for p in pictures]
    assert np.array_equal(dataset.pixel_array, np.stack(pictures))
    if compress:
        parts = list(generate_frames(dataset.PixelData, number_of_frames=len(given)))
        dataset.PixelData = encapsulate(parts)
    else:
        plain = b"".join(picture.tobytes() for picture in pictures)
        dataset.PixelData = plain + b"\0" * (len(plain) % 2)
    again = io.BytesIO()
    dcmwrite(again, dataset, enforce_file_format=True)
    assert again.getvalue() == content


def test_a_loop_can_be_read_again_and_is_the_same() -> None:
    made = loop_of(grey(3))
    assert made.pieces.whole() == made.pieces.whole() == loop_of(grey(3)).content


def test_no_more_than_one_frame_is_held() -> None:
    alive: list[int] = []
    most = 0

    class Counted(np.ndarray):
        def __del__(self) -> None:
            if self.base is None:
                alive.pop()

    def frames() -> Iterator[Frame]:
        nonlocal most
        for number in range(12):
            pixels = np.full((40, 60), number, np.uint8).view(Counted).copy()
            alive.append(number)
            most = max(most, len(alive))
            yield Frame(pixels, "scanner.avi", number, exams.MOMENT)

    uid = exams.exam_uid("held")
    view = replace(exams.view(uid, 1), frame=Frame(np.zeros((40, 60), np.uint8), "scanner.avi"))
    made = ultrasound_loop(exams.exam("held", view), view, 1, exams.DEVICE, frames, "cine")
    assert made is not None
    for _ in made.pieces:
        pass
    assert most <= 3


def test_where_frames_lie_is_left_out_where_it_cannot_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 1000)
    given = grey(5)
    dataset = dcmread(io.BytesIO(loop_of(given).content))
    assert dataset.PixelData[4:8] == bytes(4)  # the length of the table
    assert np.array_equal(dataset.pixel_array, np.stack([frame.pixels for frame in given]))
    with pytest.raises(ValueError, match="more than one DICOM object holds"):
        loop_of(given, compress=False)
