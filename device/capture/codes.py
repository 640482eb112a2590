# SPDX-License-Identifier: Apache-2.0
"""Bar codes and QR codes in a frame: the patient's code from a wrist band or a card, without any typing.

A pure function of pixels, used by the screen that scans and by ``enrol scan``. OpenCV has both detectors, so nothing
else is installed; its bar codes are EAN and UPC. A reader for others (Code 128) plugs in by USB and types into the
touch keyboard.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import cv2
import numpy as np

from device.capture.frame import Pixels

LONGEST_CODE: Final = 512
"""Characters; what is longer is not the code of a patient."""

_WIDEST: Final = 1280
"""Pixels across beyond which a frame is made smaller first: the time of both detectors grows with the area."""


def find_codes(pixels: Pixels) -> list[str]:
    """The texts of all codes that can be read, without duplicates, QR codes first.

    Args:
        pixels: uint8 (h, w) grey or (h, w, 3) RGB.

    Returns:
        Texts without control characters and outer blanks; codes that are empty or too long are left out.
    """
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.uint8) if pixels.ndim == 3 else pixels
    if min(grey.shape) < _SMALLEST:
        return []
    if grey.shape[1] > _WIDEST:
        height = max(1, round(grey.shape[0] * _WIDEST / grey.shape[1]))
        grey = np.asarray(cv2.resize(grey, (_WIDEST, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    found = [_plain(text) for text in (*_qr_texts(grey), *_bar_texts(grey))]
    return list(dict.fromkeys(text for text in found if 0 < len(text) <= LONGEST_CODE))


_SMALLEST: Final = 20  # pixels; a QR code alone has 21 modules a side
_BAR_SCALES: Final = (1.0, 0.7, 0.35)
"""Sizes at which bars are looked for; measured on bars of 2 to 8 pixels, sharp, blurred and tilted."""


@cache
def _qr() -> cv2.QRCodeDetectorAruco:
    return cv2.QRCodeDetectorAruco()


@cache
def _bar() -> cv2.barcode.BarcodeDetector:
    return cv2.barcode.BarcodeDetector()


def _qr_texts(grey: Pixels) -> list[str]:
    try:
        _, texts, _, _ = _qr().detectAndDecodeMulti(grey)
    except (cv2.error, UnicodeDecodeError):  # damaged codes, and texts that are not UTF-8
        return []
    return list(texts)


def _bar_texts(grey: Pixels) -> list[str]:
    for scale in _BAR_SCALES:
        smaller = grey if scale == 1.0 else cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        try:
            _, texts, _, _ = _bar().detectAndDecodeWithType(smaller)
        except (cv2.error, UnicodeDecodeError):
            continue
        if any(texts):
            return list(texts)
    return []


def _plain(text: str) -> str:
    return "".join(char for char in text if char.isprintable()).strip()
