# SPDX-License-Identifier: Apache-2.0
"""Whether what the archive has is what was sent, when its bytes differ.

Archives may rewrite a file: another file header, other sequence lengths, pixels in another lossless transfer syntax,
attributes of their own. That is the same content. Anything that was sent and is missing or different is not.

Imports pydicom and decodes pixels, so it runs in a worker only (``comparison_worker``), in the rare case that the bytes
differ.
"""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from pydicom import DataElement, Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.pixels import iter_pixels

_PIXEL_DATA = 0x7FE0_0010
_FAULTS = (
    AttributeError,
    IndexError,
    KeyError,
    OSError,
    OverflowError,
    struct.error,
    TypeError,
    ValueError,
    zlib.error,
)
_FOLLOW_THE_ENCODING = {0x0028_0004, 0x0028_0006}
"""Photometric Interpretation and Planar Configuration: they may change with the transfer syntax, the pixels may not."""


def differences(sent: bytes, stored: bytes) -> list[str]:
    """Keywords or tags of what was sent and is not there unchanged; empty when the content is the same.

    Args:
        sent: The DICOM file that was sent.
        stored: What the archive gave back.
    """
    try:
        theirs = dcmread(io.BytesIO(stored), force=False)
    except (InvalidDicomError, EOFError, *_FAULTS) as error:
        return [f"unreadable ({type(error).__name__})"]
    ours = dcmread(io.BytesIO(sent))
    encoded_anew = ours.file_meta.TransferSyntaxUID != theirs.file_meta.get("TransferSyntaxUID")
    found = []
    for element in ours:
        if element.tag == _PIXEL_DATA:
            same = _same_pixels(ours, theirs) if encoded_anew else _same_value(element, theirs)
        elif encoded_anew and element.tag in _FOLLOW_THE_ENCODING:
            continue
        else:
            same = _same_value(element, theirs)
        if not same:
            found.append(element.keyword or str(element.tag))
    return found


def _same_pixels(ours: Dataset, theirs: Dataset) -> bool:
    try:
        # Frame by frame: two loops unpacked are more than a small board has.
        return all(np.array_equal(a, b) for a, b in zip(iter_pixels(ours), iter_pixels(theirs), strict=True))
    except (*_FAULTS, RuntimeError, NotImplementedError):
        return False


def _same_value(element: DataElement, theirs: Dataset) -> bool:
    try:
        return element.tag in theirs and bool(theirs[element.tag].value == element.value)
    except _FAULTS:  # values are converted when they are asked for, and may be anything
        return False
