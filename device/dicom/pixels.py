# SPDX-License-Identifier: Apache-2.0
"""Pixels into DICOM objects: grey where grey is enough, and compressed without loss.

A field site sends over a phone network, so size matters: grabbers deliver three equal channels (a third is enough),
and JPEG-LS brings a B-mode picture to about a third again, without changing one pixel. Archives and viewers have read
JPEG-LS for twenty years; a site whose archive does not can have plain pixels.

A loop may be larger than the memory, so ``loop`` makes such a file frame by frame with what is here.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import get_encoder
from pydicom.uid import JPEGLSLossless

from device.capture.frame import Pixels


def is_grey(pixels: Pixels) -> bool:
    """Whether a picture, (h, w) or (h, w, 3), shows no colour at all."""
    if pixels.ndim == 2:
        return True
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    return bool(np.array_equal(red, green) and np.array_equal(green, blue))


def put_pixels(dataset: Dataset, picture: Pixels, colour: bool, compress: bool) -> None:
    """Set the Image Pixel module and the pixels themselves.

    Args:
        dataset: An object with file meta information, Rows and Columns; its transfer syntax is set here.
        picture: uint8, (h, w) or (h, w, 3) RGB, of the size that Rows and Columns say.
        colour: Store RGB; else one grey channel, which ``picture`` must allow (:func:`is_grey`).
        compress: JPEG-LS lossless rather than plain pixels.
    """
    describe_pixels(dataset, colour, compress)
    stored = stored_pixels(picture, colour, compress)
    dataset.PixelData = encapsulate([stored]) if compress else stored + b"\0" * (len(stored) % 2)
    dataset["PixelData"].VR = "OB"


def describe_pixels(dataset: Dataset, colour: bool, compress: bool) -> None:
    """Set the Image Pixel module without the pixels, and the transfer syntax; as in :func:`put_pixels`."""
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0
    if compress:
        dataset.file_meta.TransferSyntaxUID = JPEGLSLossless


def stored_pixels(frame: Pixels, colour: bool, compress: bool) -> bytes:
    """One frame's bytes, without padding; the same frame gives the same bytes."""
    form = _stored_form(frame, colour)
    return _encode(form, colour) if compress else form.tobytes()


def _stored_form(frame: Pixels, colour: bool) -> Pixels:
    """The same picture with the wanted number of channels, in one piece."""
    if colour:
        return np.ascontiguousarray(frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=2))
    return np.ascontiguousarray(frame if frame.ndim == 2 else frame[..., 0])


@cache
def _encoder() -> Any:
    return get_encoder(JPEGLSLossless)


def _encode(frame: Pixels, colour: bool) -> bytes:
    encoded: bytes = _encoder().encode(
        frame,
        encoding_plugin="pyjpegls",
        rows=frame.shape[0],
        columns=frame.shape[1],
        samples_per_pixel=3 if colour else 1,
        photometric_interpretation="RGB" if colour else "MONOCHROME2",
        planar_configuration=0,
        bits_allocated=8,
        bits_stored=8,
        pixel_representation=0,
        number_of_frames=1,
    )
    return encoded
