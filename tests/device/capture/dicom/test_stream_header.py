# SPDX-License-Identifier: Apache-2.0
"""The markers of compressed pictures: read rightly, and never more than an error when they are hostile."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.capture.dicom.stream_header import J2K_START, JP2_START, JPEG_START, Codec, read_stream_header
from tests.device.capture.odd_dicom import j2k, jls, jpeg, rgb, truth, with_adobe, without_jfif


@pytest.mark.parametrize(
    ("stream", "codec", "ybr"),
    [
        (jpeg(rgb(truth())), Codec.JPEG, True),
        (without_jfif(jpeg(rgb(truth()))), Codec.JPEG, None),
        (with_adobe(without_jfif(jpeg(rgb(truth()))), 0), Codec.JPEG, False),
        (with_adobe(without_jfif(jpeg(rgb(truth()))), 1), Codec.JPEG, True),
        (jls(rgb(truth())), Codec.JPEG_LS, None),
        (j2k(rgb(truth())), Codec.JPEG_2000, None),
        (j2k(rgb(truth()), True), Codec.JPEG_2000, False),
    ],
)
def test_size_components_and_colours(stream: bytes, codec: Codec, ybr: bool | None) -> None:
    header = read_stream_header(stream)
    assert header is not None
    assert (header.codec, header.rows, header.columns, header.components) == (codec, 192, 256, 3)
    assert (header.precision, header.is_ybr) == (8, ybr)


def test_what_is_no_stream_has_no_header() -> None:
    assert read_stream_header(b"") is None
    assert read_stream_header(bytes(100)) is None


@settings(max_examples=3000, deadline=None)
@given(st.sampled_from([JPEG_START, J2K_START, JP2_START]), st.binary(max_size=400))
def test_hostile_markers_cost_no_more_than_an_error(start: bytes, rest: bytes) -> None:
    try:
        read_stream_header(start + rest)
    except ValueError:
        return


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from([jpeg(truth()), jls(truth()), j2k(truth())]), st.data())
def test_damaged_markers_cost_no_more_than_an_error(stream: bytes, data: st.DataObject) -> None:
    altered = np.frombuffer(stream[:600], np.uint8).copy()
    for place in data.draw(st.lists(st.integers(2, 599), min_size=1, max_size=6)):
        altered[place] = data.draw(st.integers(0, 255))
    try:
        read_stream_header(altered.tobytes())
    except ValueError:
        return
