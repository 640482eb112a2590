# SPDX-License-Identifier: Apache-2.0
"""Files as they come on sticks, made by the tests themselves."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

MakeDicom = Callable[..., Path]


@pytest.fixture(autouse=True)
def _children_find_the_tests(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drivers made for the tests run in child processes, which look for modules nowhere else."""
    monkeypatch.setenv("PYTHONPATH", str(checkout))


@pytest.fixture
def grey() -> np.ndarray:
    """A picture without symmetry, so that turned, mirrored or swapped ones are noticed."""
    down, across = np.mgrid[0:48, 0:64]
    return np.asarray((down * 3 + across * 2) % 256, np.uint8)


@pytest.fixture
def rgb(grey: np.ndarray) -> np.ndarray:
    return np.stack([grey, 255 - grey, np.roll(grey, 20, axis=1)], axis=-1)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_bomb(width: int, height: int) -> bytes:
    """A real PNG of black rows: thousands of times larger once decoded."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = b"\0" * (width + 1)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def movie(path: Path, code: str, count: int = 30, size: tuple[int, int] = (160, 120), fps: float = 20.0) -> Path:
    """A cine loop whose frames tell their number by their brightness: 5, 13, 21, ..."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), fps, size)
    assert writer.isOpened()
    for index in range(count):
        frame = np.full((size[1], size[0], 3), 5 + 8 * index, np.uint8)
        frame[: size[1] // 4] = 128  # something that stays
        writer.write(frame)
    writer.release()
    return path


def draw_loop(
    path: Path,
    pictures: Sequence[np.ndarray],
    codec: str = "libx264",
    form: str = "yuv420p",
    *,
    interlaced: bool = False,
    aspect: Fraction = Fraction(1),
    times: Sequence[int] | None = None,
    group: int = 8,
    options: dict[str, str] | None = None,
) -> Path:
    """A cine loop of RGB pictures at 20 a second, as other programs write them.

    Args:
        path: Where to; its suffix is the container.
        pictures: (h, w, 3) each.
        codec: FFmpeg's encoder.
        form: FFmpeg's pixel format.
        interlaced: Coded in two fields, the upper first.
        aspect: Width of a pixel by its height.
        times: When each is shown, in twentieths of a second.
        group: Frames from one key frame to the next.
        options: Of the encoder.
    """
    options = {"crf": "12", **(options or {})} if codec == "libx264" else dict(options or {})
    if interlaced:
        options |= {"flags": "+ilme+ildct", "x264-params": "tff=1"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=20, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.gop_size = form, group
        stream.codec_context.sample_aspect_ratio = aspect
        stream.codec_context.time_base = Fraction(1, 20)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = (times or range(len(pictures)))[number], Fraction(1, 20)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def make_dicom(tmp_path: Path) -> MakeDicom:
    """Write an ultrasound object; attributes by keyword, ``pixels`` as bytes."""

    def make(
        name: str = "us.dcm", pixels: bytes | None = b"", syntax: str = ExplicitVRLittleEndian, **values: object
    ) -> Path:
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = syntax
        data.SOPClassUID = values.pop("SOPClassUID", UltrasoundImageStorage)
        data.SOPInstanceUID = generate_uid()
        data.Modality = "US"
        data.PatientName = "Nobody^Real"
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 8
        data.HighBit, data.PixelRepresentation = 7, 0
        for key, value in values.items():
            setattr(data, key, value)
        if pixels is not None:
            data.PixelData = pixels
        path = tmp_path / name
        data.save_as(path, enforce_file_format=True)
        return path

    return make
