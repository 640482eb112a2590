# SPDX-License-Identifier: Apache-2.0
"""The Raspberry Pi's own camera by picamera2, pointed at a scanner's screen; runs inside ``worker.py``.

picamera2 comes with the system (libcamera's binary interface), is imported only in that process, and is never asked to
stop: ``stop()`` can block for ever (raspberrypi/picamera2 issue 1065), so the process is killed instead.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

import numpy as np

from device.capture.frame import Frame
from device.errors import SourceLostError

DRIVER: Final = "device.capture.sources.picamera:PicameraSource"
"""How ``ProcessSource`` finds the driver."""

_FAULTS: Final = (RuntimeError, OSError, IndexError, ValueError, TypeError, AttributeError, KeyError)


class PicameraSource:
    """A camera of libcamera. Its calls can hang: use it through ``ProcessSource``.

    Attributes:
        name: What a person would call it.
        live: ``True``.
    """

    live = True

    def __init__(
        self, camera: int = 0, name: str = "", width: int = 1280, height: int = 720, fps: float = 30.0
    ) -> None:
        """Describe it.

        Args:
            camera: Number of the camera as libcamera counts.
            name: What to call it.
            width: Pixels across.
            height: Pixels down.
            fps: Frames a second.
        """
        self.name = name or f"Camera {camera}"
        self._camera_number, self._size, self._fps = camera, (width, height), fps
        self._camera: Any = None
        self._index = 0

    def open(self) -> None:
        """Configure and start the camera.

        Raises:
            SourceLostError: No picamera2, no camera, or one that does not start.
        """
        try:
            kind = importlib.import_module("picamera2").Picamera2
            camera = kind(self._camera_number)
            # libcamera names formats by their order in a little-endian word: its BGR888 is R, G, B in memory.
            main = {"size": self._size, "format": "BGR888"}
            controls = {"FrameRate": self._fps}
            camera.configure(camera.create_video_configuration(main=main, controls=controls, buffer_count=3))
            camera.start()
        except ImportError as error:
            raise SourceLostError(self.name, f"picamera2 is not installed: {error}") from error
        except _FAULTS as error:
            raise SourceLostError(self.name, str(error)) from error
        self._camera, self._index = camera, 0

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        """The next frame as RGB; the time-out is that of the process around it.

        Raises:
            SourceLostError: The camera is gone.
        """
        if self._camera is None:
            return None
        try:
            # A copy, because the buffer goes back to the camera; rows can be padded to the sensor's stride.
            pixels = np.array(self._camera.capture_array("main")[:, : self._size[0], :3], dtype=np.uint8)
            frame = Frame(pixels, self.name, self._index)
        except _FAULTS as error:
            raise SourceLostError(self.name, str(error)) from error
        self._index += 1
        return frame

    def close(self) -> None:
        """Let go of the camera without stopping it; the end of the process does that."""
        self._camera = None
