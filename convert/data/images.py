# SPDX-License-Identifier: Apache-2.0
"""One image of a data set as a frame: grey, as training sees all of them, or as the device would take it.

What OpenCV cannot decode is read by the device's own reader, so a hospital's DICOM files need no conversion, and what
is wrong with a file is said in the device's words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.data.datasets.sample import IMAGE_SUFFIXES, DatasetError, few
from device.capture.files.content import HEAD_BYTES, Content, sniff
from device.capture.files.reader import read_frames
from device.capture.frame import Frame
from device.errors import FrameError
from device.imaging.sonogram import to_grey


def grey_frame(path: Path, origin: str) -> Frame:
    """An image as training sees it: grey, with its scale and region where a DICOM file tells them.

    Args:
        path: The image.
        origin: What the frame is called.

    Raises:
        DatasetError: It is not there, or no single picture; the message names it.
    """
    if not path.is_file():
        raise DatasetError(f"{path}: this image is missing")
    content = np.fromfile(path, np.uint8)
    # A DICOM file may begin like a TIFF, so that viewers of either kind open it.
    if content.size and sniff(content[:HEAD_BYTES].tobytes()) is not Content.DICOM:
        pixels = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE)
        if pixels is not None:
            return Frame(np.asarray(pixels, np.uint8), origin)
    frame = delivered_frame(path, origin)
    return replace(frame, pixels=to_grey(frame.pixels))


def delivered_frame(path: Path, origin: str) -> Frame:
    """An image as the device takes it: read by the device, in its colours, which may be those of a doppler picture.

    Args:
        path: The image.
        origin: What the frame is called.

    Raises:
        DatasetError: It is not there, or no single picture; the message names it.
    """
    try:
        frames = list(islice(read_frames(path), 2))
    except FrameError as error:
        raise DatasetError(str(error)) from error
    if len(frames) != 1:
        raise DatasetError(f"{path}: this file holds several frames; store the one that counts as a picture of its own")
    return replace(frames[0], origin=origin)


def read_grey(path: Path) -> NDArray[np.uint8]:
    """Decode a picture as grey, uint8 (h, w).

    Raises:
        DatasetError: It is not there, or no single picture; the message names it.
    """
    return grey_frame(path, path.name).pixels


def image_files(folder: Path) -> Iterator[Path]:
    """The files of a folder that are images by their name, or DICOM by their content, sorted; hidden ones left out.

    Raises:
        OSError: The folder or a file cannot be read.
    """
    return (path for path in sorted(folder.iterdir()) if is_image(path))


def is_image(path: Path) -> bool:
    """Whether a file is an image by its name, or DICOM by its content; hidden ones are not.

    Raises:
        OSError: It cannot be read.
    """
    if path.name.startswith(".") or not path.is_file():  # ._one.png of a Mac
        return False
    if path.suffix.lower() in (*IMAGE_SUFFIXES, ".webp"):
        return True
    with path.open("rb") as file:
        return sniff(file.read(HEAD_BYTES)) is Content.DICOM


def together(faults: list[DatasetError]) -> DatasetError:
    """Several faulty files as one error, so that all of them can be mended at once."""
    return DatasetError(few([str(fault) for fault in faults], between="; "))
