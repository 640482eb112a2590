# SPDX-License-Identifier: Apache-2.0
"""Whatever an archive answers with, the app is neither crashed nor filled by comparing it."""

from __future__ import annotations

import io
import os
import resource
import struct
import sys
import zlib
from collections.abc import Callable

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.uid import JPEGLSLossless, JPEGLSNearLossless

from device.dicom.objects import build_instances
from device.records.pieces import Pieces
from device.upload import comparison
from tests.device.upload import exams
from tests.patience import PATIENT_S

IMAGE = next(iter(build_instances(exams.exam("comparison"), exams.DEVICE))).content


def differences(sent: bytes, stored: bytes) -> list[str]:
    return comparison.differences(Pieces.of(sent), Pieces.of(stored), 128 << 20)


def written_anew(change: object) -> bytes:
    dataset = dcmread(io.BytesIO(IMAGE))
    if callable(change):
        change(dataset)
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def test_a_file_written_anew_is_the_same_from_there_too() -> None:
    assert differences(IMAGE, written_anew(lambda d: setattr(d, "RetrieveAETitle", "ARCHIVE"))) == []
    assert differences(IMAGE, written_anew(lambda d: setattr(d, "PatientID", "KB-0043"))) == ["PatientID"]
    assert differences(IMAGE, b"<html>") == ["unreadable (InvalidDicomError)"]


def deflated(zeros: int) -> bytes:
    """A file of a few hundred kilobytes whose data set is mostly nothing, deflated."""
    meta = b"\x02\x00\x10\x00UI\x16\x001.2.840.10008.1.2.1.99"
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(b"\x09\x00\x10\x10OB\x00\x00" + struct.pack("<I", zeros))
    block = bytes(1 << 20)
    for _ in range(zeros >> 20):
        body += packer.compress(block)
    return b"\0" * 128 + b"DICM" + meta + body + packer.flush()


def nested(depth: int) -> bytes:
    """Sequences inside each other, each of undefined length."""
    item = b"\x08\x00\x15\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    return b"\0" * 128 + b"DICM" + b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\0" + item * depth


def many_elements(count: int) -> bytes:
    body = b"".join(struct.pack("<HH2sHH", 9 + 2 * (n >> 15), 2 * (n & 0x7FFF), b"US", 2, 1) for n in range(count))
    return b"\0" * 128 + b"DICM" + b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\0" + body


def huge_picture(side: int) -> bytes:
    """Our image, with a JPEG-LS head in its pixels that promises a picture of gigabytes."""

    def change(dataset: object) -> None:
        jls = b"\xff\xd8\xff\xf7\x00\x0b\x08" + struct.pack(">HH", side, side) + b"\x01\x01\x11\x00"
        scan = b"\xff\xda\x00\x08\x01\x01\x00\x03\x00\x00" + bytes(2000) + b"\xff\xd9"
        fragment = jls + scan + b"\0" * (len(jls + scan) % 2)
        items = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0" + struct.pack("<I", len(fragment)) + fragment
        dataset.PixelData = items + b"\xfe\xff\xdd\xe0\0\0\0\0"  # type: ignore[attr-defined]
        dataset.Rows = dataset.Columns = side  # type: ignore[attr-defined]
        dataset.file_meta.TransferSyntaxUID = (  # type: ignore[attr-defined]
            JPEGLSNearLossless if dataset.file_meta.TransferSyntaxUID == JPEGLSLossless else JPEGLSLossless  # type: ignore[attr-defined]
        )

    return written_anew(change)


@pytest.mark.parametrize(
    ("make", "size"),
    [(deflated, 2 << 30), (nested, 20_000), (many_elements, 300_000), (huge_picture, 65_500)],
    ids=["deflated to 2 GiB", "nested", "many elements", "huge picture"],
)
def test_a_bomb_is_different_and_costs_the_app_nothing(make: Callable[[int], bytes], size: int) -> None:
    stored = make(size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert differences(IMAGE, stored) != []
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mib < 8 * len(stored) / (1 << 20) + 100


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGABRT)", "not comparable (SIGABRT)"),
        ("import time; time.sleep(1e6)", "not comparable (too slow)"),
        ("print('[]' * 100000)", "not comparable (no answer)"),
        ("print('[7]')", "not comparable (no answer)"),
        ("print('[\"\\\\u001b[31m\"]')", "not comparable (no answer)"),
        ("", "not comparable (no answer)"),
    ],
)
def test_a_worker_that_a_decoder_has_broken_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, program: str, said: str
) -> None:
    monkeypatch.setattr(comparison, "WORKER", (sys.executable, "-c", f"import sys; sys.stdin.buffer.read(); {program}"))
    monkeypatch.setattr(comparison, "PATIENCE_S", PATIENT_S if "sleep" not in program else 1.0)
    assert differences(b"a", b"b") == [said]


def test_a_decoder_that_is_taken_over_while_comparing_reaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    taken_over = """
import socket, sys, types

def reached(action):
    try:
        action()
    except OSError:
        return False
    return True

def differences(sent, stored):
    wanted = {"files": lambda: open("/etc/hostname"), "network": socket.socket}
    return ["reached " + name for name, action in wanted.items() if reached(action)] or ["reached nothing"]

sys.modules["device.dicom.compare"] = types.SimpleNamespace(differences=differences)
from device.upload.comparison_worker import main
main()
"""
    monkeypatch.setattr(comparison, "WORKER", (sys.executable, "-P", "-c", taken_over))
    assert differences(b"a", b"b") == ["reached nothing"]


def test_what_is_compared_is_nowhere_on_the_card(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", os.fspath(tmp_path))  # type: ignore[call-overload]
    assert differences(IMAGE, written_anew(None)) == []
    assert os.listdir(os.fspath(tmp_path)) == []  # type: ignore[call-overload]  # noqa: PTH208


@pytest.mark.parametrize("place", range(132, 1500, 171))
def test_no_change_of_a_byte_ends_otherwise_than_in_a_list(place: int) -> None:
    stored = bytearray(IMAGE)
    stored[place] ^= 0x5A
    assert isinstance(differences(IMAGE, bytes(stored)), list)
