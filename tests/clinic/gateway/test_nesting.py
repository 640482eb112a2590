# SPDX-License-Identifier: Apache-2.0
"""What nests too deep for the archive behind the gate is broken off, whatever its lengths say and however it is cut."""

from __future__ import annotations

import io
import random
import struct

import pytest
from pydicom import dcmread
from pydicom.uid import JPEGLSLossless

from clinic.gateway.nesting import DEEPEST, Nesting, NestingError
from device.dicom.objects import build_instances
from tests.clinic.doors import Door, handheld
from tests.device.upload import exams
from tests.device.upload.real_archive import RealArchive

HEAD = bytes(128) + b"DICM"
UNDEFINED = 0xFFFF_FFFF


def element(tag: int, kind: bytes, content: bytes, length: int | None = None) -> bytes:
    said = len(content) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + kind
    if kind in (b"SQ", b"UN", b"OB", b"UT"):
        return head + bytes(2) + struct.pack("<I", said) + content
    return head + struct.pack("<H", said) + content


def delimited(tag: int, content: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(content) if length is None else length) + content


def nest(depth: int, *, definite: bool) -> bytes:
    """Sequences inside each other."""
    inner = element(0x0040A160, b"UT", b"deep")
    for _ in range(depth):
        if definite:
            inner = element(0x0040A730, b"SQ", delimited(0xFFFEE000, inner))
        else:
            item = delimited(0xFFFEE000, inner + delimited(0xFFFEE00D), UNDEFINED)
            inner = element(0x0040A730, b"SQ", item + delimited(0xFFFEE0DD), UNDEFINED)
    return inner


def follow(file: bytes, cuts: list[int]) -> None:
    nesting, before = Nesting(), 0
    for cut in (*cuts, len(file)):
        nesting.feed(file[before:cut])
        before = cut
    nesting.end()


@pytest.mark.parametrize("definite", [True, False])
def test_only_what_goes_deeper_than_the_limit_is_refused(definite: bool) -> None:
    follow(HEAD + nest(DEEPEST, definite=definite), [])
    with pytest.raises(NestingError, match="deep"):
        follow(HEAD + nest(DEEPEST + 1, definite=definite), [])


def test_what_handhelds_send_passes_however_it_is_cut() -> None:
    chance = random.Random(3)
    exam = exams.exam("nesting", exams.view(exams.exam_uid("nesting"), 1, loop=6, colour=True))
    made = [*build_instances(exam, exams.DEVICE), *build_instances(exam, exams.DEVICE, compress=False)]
    assert JPEGLSLossless in {dcmread(io.BytesIO(one.content)).file_meta.TransferSyntaxUID for one in made}
    for instance in made:
        follow(instance.content, sorted(chance.sample(range(len(instance.content)), 40)))
    small = HEAD + nest(3, definite=True) + nest(3, definite=False)
    follow(small, list(range(1, len(small))))


@pytest.mark.parametrize(
    "body",
    [
        element(0x00091010, b"UN", b"", UNDEFINED),
        element(0x00091010, b"UN", delimited(0xFFFEE000, b"", UNDEFINED), UNDEFINED),
        element(0x0040A730, b"SQ", element(0x0040A160, b"UT", b"x")),
        element(0x0040A730, b"SQ", delimited(0xFFFEE000, element(0x0040A160, b"UT", b"x", 400))),
        element(0x0040A730, b"SQ", delimited(0xFFFEE000, b"", 400)),
        element(0x00080060, b"??", b"US"),
        element(0x00080060, b"CS", b"US", 400),
        element(0x7FE00010, b"OB", delimited(0xFFFEE000, b"", UNDEFINED), UNDEFINED),
        element(0x7FE00010, b"OB", delimited(0xFFFEE000, b"xx"), UNDEFINED),
        delimited(0xFFFEE000),
        delimited(0xFFFEE0DD),
        element(0x0040A730, b"SQ", delimited(0xFFFEE00D), UNDEFINED),
        b"\x08\x00",
    ],
)
def test_what_cannot_be_followed_is_refused(body: bytes) -> None:
    with pytest.raises(NestingError):
        follow(HEAD + body, [])


def test_the_archive_outlives_a_file_that_would_kill_it(running_clinic: RealArchive) -> None:
    """Debian's Orthanc 1.10.1 ends when it is given this one."""
    door: Door = handheld(running_clinic, "hostile")
    *_, report = build_instances(exams.exam("nesting deep"), exams.DEVICE)
    assert door.store(report.content + nest(60, definite=True)) == 400
    assert running_clinic.stored(exams.exam_uid("nesting deep")) == []
    assert door.store(report.content) == 200
    assert running_clinic.stored(exams.exam_uid("nesting deep")) == [report.sop_uid]
