# SPDX-License-Identifier: Apache-2.0
"""What every stored file of frames looks like from outside, whether it is a picture, a DICOM object or a cine loop."""

from __future__ import annotations

import struct
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from device.capture.frame import Frame
from device.errors import DamagedFileError, SecondVideoError

DECODER_FAULTS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What the decoding libraries let through on damaged input, found by feeding them truncated and altered files."""


SECOND_VIDEO: Final = "one of several videos"
"""What is ``missing`` from a file that holds a further video which is meant to be seen."""


class FrameFile(ABC):
    """A file opened for reading frames by number; used as a context manager.

    Attributes:
        frame_count: Frames in the file, at least 1; damaged ones count.
        fps: Frames a second of a cine loop where the file says so, else ``None``.
        missing: What the file lacks behind the last frame, for instance because it was cut off; empty when it is whole.
        over: Nothing more can be read, because what decoded it has ended.
    """

    frame_count: int
    fps: float | None = None
    missing: str = ""
    over: bool = False
    _path: Path

    @abstractmethod
    def read_at(self, index: int) -> Frame:
        """Decode frame ``index`` (0 is the first).

        Raises:
            IndexError: There is no such frame.
            FrameError: It cannot be decoded.
        """

    def read_all(self) -> Iterator[Frame]:
        """Decode all frames in order; those behind a damaged one are given too, and the damage is told at the end.

        Raises:
            DamagedFileError: Frames are damaged, or the file ends too early, after the others were given.
        SecondVideoError: All frames were given, and another video was not.
            FrameError: The file cannot be read any further.
        """
        first: DamagedFileError | None = None
        index = damaged = 0
        while index < self.frame_count:
            try:
                yield self.read_at(index)
            except IndexError:
                break  # it promised a frame or two more than it has
            except DamagedFileError as error:
                first, damaged = first or error, damaged + 1
                if self.over:
                    raise
            index += 1
        if first is not None:
            more = f" ({damaged} frames of {index} are damaged)" if damaged > 1 else ""
            raise DamagedFileError(self._path, f"{first.detail}{more}") from first
        if self.missing:
            raise self.shortage()

    def shortage(self) -> DamagedFileError:
        """The error for what is ``missing``, for where the frames that are there are shown all the same."""
        kind = SecondVideoError if self.missing == SECOND_VIDEO else DamagedFileError
        return kind(self._path, self.missing)

    @abstractmethod
    def close(self) -> None:
        """Release the file; may be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
