"""What every stored file of frames looks like from outside, whether it is a picture, a DICOM object or a cine loop."""

from __future__ import annotations

import struct
import zlib
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Final, Self

from device.capture.frame import Frame

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


class FrameFile(ABC):
    """A file opened for reading frames by number; used as a context manager.

    Attributes:
        frame_count: Frames in the file, at least 1; for video as the container states it.
        fps: Frames a second of a cine loop where the file says so, else ``None``.
    """

    frame_count: int
    fps: float | None = None

    @abstractmethod
    def read_at(self, index: int) -> Frame:
        """Decode frame ``index`` (0 is the first).

        Raises:
            IndexError: There is no such frame.
            FrameError: It cannot be decoded.
        """

    @abstractmethod
    def close(self) -> None:
        """Release the file; may be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
