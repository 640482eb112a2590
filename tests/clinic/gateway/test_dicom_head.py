# SPDX-License-Identifier: Apache-2.0
"""The name of an instance is read in one way only, or not at all."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread

from clinic.gateway.dicom_head import UID, HeadError, read_name
from device.dicom.objects import build_instances
from tests.device.upload import exams

KINDS = [instance.content for instance in build_instances(exams.exam("head"), exams.DEVICE)]
IMAGE = KINDS[0]
STUDY = exams.exam_uid("head").encode()
PLACE = IMAGE.index(b"\x20\x00\x0d\x00UI")


@pytest.mark.parametrize("file", KINDS)
def test_it_agrees_with_a_library(file: bytes) -> None:
    name, dataset = read_name(file), dcmread(io.BytesIO(file))
    assert name.study == dataset.StudyInstanceUID
    assert name.series == dataset.SeriesInstanceUID
    assert name.sop == dataset.SOPInstanceUID


@pytest.mark.parametrize(
    "file",
    [
        b"",
        IMAGE[:131],
        IMAGE[:PLACE],
        IMAGE[: PLACE + 9],
        IMAGE[:PLACE] + IMAGE[PLACE:].replace(b"UI", b"XX", 1),
        IMAGE[:PLACE] + b"\x20\x00\x10\x00SH\x00\x00" + IMAGE[PLACE:],
        IMAGE[:PLACE] + b"\x20\x00\x0d\x00UI\x04\x002.25" + IMAGE[PLACE:],
        IMAGE[:PLACE] + b"\x10\x00\xff\x00SQ\x00\x00\xff\xff\xff\xff" + IMAGE[PLACE:],
        IMAGE.replace(STUDY, b"2.25/../" + STUDY[8:]),
        IMAGE.replace(STUDY, STUDY[:5] + b"\\" + STUDY[6:]),
        IMAGE.replace(STUDY, STUDY[:5] + b"*" + STUDY[6:]),
    ],
)
def test_what_is_odd_is_refused(file: bytes) -> None:
    with pytest.raises(HeadError):
        read_name(file)


@settings(max_examples=2000, deadline=None)
@given(st.lists(st.tuples(st.integers(0, PLACE + 200), st.integers(0, 255)), max_size=8), st.integers(0, len(IMAGE)))
def test_no_change_of_bytes_gives_anything_but_a_name_or_a_refusal(changes: list[tuple[int, int]], end: int) -> None:
    file = bytearray(IMAGE)
    for place, value in changes:
        file[place] = value
    try:
        name = read_name(bytes(file[:end]))
    except HeadError:
        return
    assert all(UID.fullmatch(uid) for uid in (name.study, name.series, name.sop))
