# SPDX-License-Identifier: Apache-2.0
"""Files whose transfer syntax names another encoding than they have: what is there decides."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

from device.capture.files.reader import read_frames
from device.errors import DamagedFileError
from tests.device.capture.odd_dicom import Kind, truth

FIRST = b"\x08\0\x16\0"


def written(folder: Path, syntax: str = ExplicitVRLittleEndian) -> bytes:
    path = Kind("", truth().tobytes(), "").write(folder / "made.dcm")
    data = dcmread(path)
    data.file_meta.TransferSyntaxUID = syntax
    data.save_as(path, enforce_file_format=True)
    return path.read_bytes()


def called(whole: bytes, syntax: str) -> bytes:
    """The same object under another transfer syntax in its file meta information."""
    at = whole.index(b"\x02\0\x10\0UI")
    (length,) = struct.unpack_from("<H", whole, at + 6)
    name = syntax.encode() + b"\0" * (len(syntax) % 2)
    group = whole.index(b"\2\0\0\0UL\4\0") + 8
    (size,) = struct.unpack_from("<L", whole, group)
    whole = whole[: at + 6] + struct.pack("<H", len(name)) + name + whole[at + 8 + length :]
    return whole[:group] + struct.pack("<L", size + len(name) - length) + whole[group + 4 :]


def shown(folder: Path, data: bytes) -> np.ndarray:
    path = folder / "file.dcm"
    path.write_bytes(data)
    (frame,) = read_frames(path)
    return frame.pixels


LABELS = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, JPEGBaseline8Bit, JPEG2000, RLELossless]


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("real", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_value_representations_are_seen(real: str, label: str, tmp_path: Path) -> None:
    assert np.array_equal(shown(tmp_path, called(written(tmp_path, real), label)), truth())


@pytest.mark.parametrize("letters", [b"OB", b"OW", b"UN", b"OF", b"??", b"\0\0"])
def test_any_representation_of_the_pixels(letters: bytes, tmp_path: Path) -> None:
    whole = written(tmp_path)
    at = whole.index(b"\xe0\x7f\x10\0OB") + 4
    assert np.array_equal(shown(tmp_path, whole[:at] + letters + whole[at + 2 :]), truth())


@pytest.mark.parametrize("method", ["none", "bare", "zlib", "gzip", "bare and padded"])
def test_deflated_in_every_form(method: str, tmp_path: Path) -> None:
    whole = called(written(tmp_path), DeflatedExplicitVRLittleEndian)
    head, body = whole[: whole.index(FIRST)], whole[whole.index(FIRST) :]
    bare = zlib.compress(body, wbits=-15)
    packed = {
        "none": body, "bare": bare, "zlib": zlib.compress(body), "gzip": gzip.compress(body),
        "bare and padded": bare + b"\0",
    }[method]  # fmt: skip
    assert np.array_equal(shown(tmp_path, head + packed), truth())
    with pytest.raises(DamagedFileError):
        shown(tmp_path, head + packed[: len(packed) * 2 // 3])


def test_pixels_of_unknown_length_without_fragments(tmp_path: Path) -> None:
    whole = written(tmp_path)
    at = whole.index(b"\xe0\x7f\x10\0OB") + 8
    endless = whole[:at] + b"\xff" * 4 + whole[at + 4 :]
    assert np.array_equal(shown(tmp_path, endless), truth())
    assert np.array_equal(shown(tmp_path, endless + b"\xfe\xff\xdd\xe0\0\0\0\0"), truth())
    with pytest.raises(DamagedFileError):
        shown(tmp_path, endless[:-100])
