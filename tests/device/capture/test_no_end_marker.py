# SPDX-License-Identifier: Apache-2.0
"""JPEG whose end marker a writer left out is whole; one that lacks anything before it is not, wherever it is stored."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

from device.capture.files.reader import open_frames
from device.errors import DamagedFileError
from tests.device.capture.odd_dicom import Kind, frames, jpeg, rgb

COUNT = 3
Store = Callable[[Path, list[bytes]], None]


def still(path: Path, streams: list[bytes]) -> None:
    path.write_bytes(streams[0])


def dicom(path: Path, streams: list[bytes]) -> None:
    Kind("", encapsulate(streams), "", JPEGBaseline8Bit, {"NumberOfFrames": COUNT, "SamplesPerPixel": 3}).write(path)


def loop(path: Path, streams: list[bytes]) -> None:
    with av.open(str(path), "w", format="avi") as container:
        stream = container.add_stream("mjpeg", rate=20)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = frames(1)[0].shape
        stream.pix_fmt, stream.codec_context.time_base = "yuvj420p", Fraction(1, 20)
        for number, data in enumerate(streams):
            packet = av.Packet(data)
            packet.pts = packet.dts = number
            packet.time_base, packet.stream, packet.is_keyframe = Fraction(1, 20), stream, True
            container.mux(packet)


@pytest.mark.parametrize("store", [still, dicom, loop], ids=["still", "dicom", "loop"])
@pytest.mark.parametrize("progressive", [False, True])
def test_nothing_but_the_marker_may_be_missing(store: Store, progressive: bool, tmp_path: Path) -> None:
    path = tmp_path / "made"
    whole = [jpeg(rgb(one), progressive=progressive) for one in frames(COUNT)]
    store(path, [data[:-2] for data in whole])
    with open_frames(path) as file:
        for index, one in enumerate(frames(1 if store is still else COUNT)):
            assert np.abs(file.read_at(index).pixels[..., 1].astype(int) - one).mean() < 3
        assert file.frame_count == index + 1
    store(path, [data[:-3] for data in whole])
    with pytest.raises(DamagedFileError), open_frames(path) as file:
        file.read_at(0)
