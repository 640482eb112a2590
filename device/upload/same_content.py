"""Whether what the archive has is what was sent, when its bytes differ.

Archives may write a file anew: another file header, other sequence lengths, pixels in another lossless transfer syntax,
attributes of their own. That is the same content. Anything that was sent and is missing or different is not.

Imports pydicom, and is imported only in the rare case that the bytes differ.
"""

from __future__ import annotations

import io

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

_PIXEL_DATA = 0x7FE0_0010
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
    except (InvalidDicomError, EOFError, ValueError, KeyError) as error:
        return [f"unreadable ({type(error).__name__})"]
    ours = dcmread(io.BytesIO(sent))
    encoded_anew = ours.file_meta.TransferSyntaxUID != theirs.file_meta.get("TransferSyntaxUID")
    found = []
    for element in ours:
        if element.tag == _PIXEL_DATA:
            same = _same_pixels(ours, theirs) if encoded_anew else ours.PixelData == theirs.get("PixelData")
        elif encoded_anew and element.tag in _FOLLOW_THE_ENCODING:
            continue
        else:
            same = element.tag in theirs and theirs[element.tag].value == element.value
        if not same:
            found.append(element.keyword or str(element.tag))
    return found


def _same_pixels(ours: Dataset, theirs: Dataset) -> bool:
    try:
        return bool(np.array_equal(ours.pixel_array, theirs.pixel_array))
    except (AttributeError, ValueError, RuntimeError, NotImplementedError):
        return False
