# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
import segno

from device.capture.codes import LONGEST_CODE, find_codes
from device.capture.frame import Pixels
from device.capture.phantom.frames import phantom_frame

_L = ["0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011"]
_G = ["0100111", "0110011", "0011011", "0100001", "0011101", "0111001", "0000101", "0010001", "0001001", "0010111"]
_PARITY = ["LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL"]


def _qr(text: str, scale: int = 6) -> Pixels:
    stream = io.BytesIO()
    segno.make_qr(text).save(stream, kind="png", scale=scale)
    code = cv2.imdecode(np.frombuffer(stream.getvalue(), np.uint8), cv2.IMREAD_GRAYSCALE)
    return _on_paper(np.asarray(code, dtype=np.uint8))


def _ean13(digits: str, scale: int) -> Pixels:
    """Bars by GS1's tables (General Specifications, 5.2.1)."""
    left = zip(digits[1:7], _PARITY[int(digits[0])], strict=True)
    bits = "101" + "".join((_L if kind == "L" else _G)[int(digit)] for digit, kind in left) + "01010"
    bits += "".join(_L[int(digit)].translate(str.maketrans("01", "10")) for digit in digits[7:]) + "101"
    bars = np.repeat(np.array([0 if bit == "1" else 255 for bit in bits], np.uint8), scale)
    height = 60 * scale  # GS1's own shape: about two thirds as high as wide
    code = np.full((height + 40, bars.size + 120), 255, np.uint8)
    code[20:-20, 60:-60] = bars
    return _on_paper(code)


def _on_paper(code: Pixels) -> Pixels:
    frame = np.full((720, 1280), 200, np.uint8)
    frame[150 : 150 + code.shape[0], 200 : 200 + code.shape[1]] = code
    return frame


def test_a_qr_code_is_read_in_grey_and_in_colour() -> None:
    grey = _qr("KB-0042")
    assert find_codes(grey) == ["KB-0042"]
    assert find_codes(np.dstack([grey] * 3)) == ["KB-0042"]


def test_a_qr_code_in_another_script_is_read() -> None:
    assert find_codes(_qr("मरीज़ 7")) == ["मरीज़ 7"]


@pytest.mark.parametrize("scale", [3, 4, 6])
@pytest.mark.parametrize("blur", [0.0, 1.0])
def test_a_bar_code_is_read_near_and_far(scale: int, blur: float) -> None:
    frame = _ean13("4006381333931", scale)
    if blur:
        frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), blur), dtype=np.uint8)
    assert find_codes(frame) == ["4006381333931"]


def test_a_4k_frame_is_read() -> None:
    frame = np.asarray(cv2.resize(_qr("KB-0042"), (3840, 2160), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)
    assert find_codes(frame) == ["KB-0042"]


def test_nothing_is_read_where_there_is_no_code() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640), dtype=np.uint8)
    for frame in (noise, phantom_frame(1).pixels, np.zeros((4, 4), np.uint8)):
        assert find_codes(frame) == []


def test_what_cannot_be_a_code_of_a_patient_is_left_out() -> None:
    assert find_codes(_qr("  \t ")) == []
    assert find_codes(_qr("x" * (LONGEST_CODE + 1), scale=4)) == []
    assert find_codes(_qr("KB\n\x07-1 ")) == ["KB-1"]
