# SPDX-License-Identifier: Apache-2.0
"""What a worker and its owner say to each other: a JSON head, then raw pixels; never a pickle.

A worker decodes hostile files, so nothing that comes out of it may be able to run code, and every number in it is
checked. Used by the decoding worker here and by the drivers' worker in ``device.capture.sources``.
"""

from __future__ import annotations

import json
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from device.capture.frame import PHANTOM_ORIGIN, Box, Frame, PixelSpacing, Region
from device.errors import DamagedFileError, FrameError

PREFIX: Final = struct.Struct("<II")
"""Length of the head and of the payload, in bytes."""

MAX_HEAD: Final = 1 << 16
_DETAIL: Final = 300
_MOST_REGIONS: Final = 64

Head = dict[str, Any]


class WireError(ValueError):
    """The other side does not keep to the form."""


def _pack(head: Head, payload: int = 0) -> bytes:
    """Prefix and head of a message that ``payload`` bytes follow."""
    text = json.dumps(head).encode("ascii")
    return PREFIX.pack(len(text), payload) + text


def send(answers: BinaryIO, head: Head) -> None:
    """Send a message that is a head alone."""
    answers.write(_pack(head))
    answers.flush()


def send_frame(answers: BinaryIO, frame: Frame) -> None:
    """Send a frame: its description, then its pixels."""
    pixels = frame.pixels.reshape(-1).data
    answers.write(_pack(describe_frame(frame), pixels.nbytes))
    answers.write(pixels)
    answers.flush()


def unpack_head(text: bytes | bytearray) -> Head:
    """The head of a message.

    Raises:
        WireError: Not an object in JSON.
    """
    try:
        head = json.loads(text)
    except ValueError as error:
        raise WireError(str(error)) from error
    if not isinstance(head, dict):
        raise WireError("not an object")
    return head


def describe_frame(frame: Frame) -> Head:
    """Everything of a frame but its pixels."""
    return {
        "shape": frame.pixels.shape,
        "index": frame.index,
        "spacing": frame.spacing,
        "region": frame.region,
        "phantom": frame.phantom,
        "regions": frame.regions,
        "contradicted": frame.scale_contradicted,
    }


def rebuild_frame(head: Head, payload: bytearray, origin: str, most_pixels: int) -> Frame:
    """The frame that a worker described.

    Raises:
        WireError: Pixels and description do not fit each other.
    """
    try:
        shape = tuple(int(side) for side in head["shape"])
        if len(shape) not in (2, 3) or min(shape) < 1 or shape[0] * shape[1] > most_pixels:
            raise WireError(f"a frame of {shape}")
        pixels = np.frombuffer(payload, np.uint8).reshape(shape)
        spacing, region = head["spacing"], head["region"]
        return Frame(
            pixels,
            PHANTOM_ORIGIN if head.get("phantom") is True else origin,
            int(head["index"]),
            datetime.now(UTC),
            _spacing(spacing),
            Box(*(int(side) for side in region)) if region else None,
            tuple(
                Region(Box(*(int(side) for side in box)), _spacing(scale), bool(doubt))
                for box, scale, doubt in head["regions"][:_MOST_REGIONS]
            ),
            bool(head["contradicted"]),
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise WireError(str(error)) from error


def _spacing(pair: Any) -> PixelSpacing | None:
    return PixelSpacing(float(pair[0]), float(pair[1])) if pair else None


def describe_error(error: FrameError) -> Head:
    """The cause of an error and its detail; the place is known to the other side."""
    return {"error": error.code, "detail": error.detail[:_DETAIL]}


def rebuild_error(head: Head, path: Path) -> FrameError:
    """The very error that the worker met; one of unknown cause is a damaged file."""
    kinds: dict[str, type[FrameError]] = {kind.code: kind for kind in FrameError.__subclasses__()}
    kind = kinds.get(str(head.get("error")), DamagedFileError)
    return kind(path, str(head.get("detail", ""))[:_DETAIL])
