# SPDX-License-Identifier: Apache-2.0
"""USB frame grabbers and webcams by Video4Linux; runs inside ``worker.py``, made by ``discover.py``.

Devices are named by ``/dev/v4l/by-id``, because ``/dev/video0`` is another device after the next plugging.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, Final

from device.capture.files.depth import to_uint8
from device.capture.frame import Frame
from device.errors import SourceLostError

DRIVER: Final = "device.capture.sources.v4l2:V4l2Source"
"""How ``ProcessSource`` finds the driver."""

_SELECT_S: Final = "1"  # OpenCV itself would wait ten seconds for a frame


class V4l2Source:
    """A Video4Linux capture device, read by OpenCV. Its calls can hang: use it through ``ProcessSource``.

    Attributes:
        name: What a person would call it.
        live: ``True``.
    """

    live = True

    def __init__(self, device: str, name: str = "", width: int = 1280, height: int = 720, fps: float = 30.0) -> None:
        """Describe it.

        Args:
            device: A path, best below ``/dev/v4l/by-id``.
            name: What to call it.
            width: Wanted pixels across; the driver takes the nearest that it has.
            height: Wanted pixels down.
            fps: Wanted frames a second.
        """
        self.name = name or Path(device).name
        self._device, self._wanted = Path(device), (width, height, fps)
        self._capture: Any = None
        self._index = 0

    def open(self) -> None:
        """Open the device.

        Raises:
            SourceLostError: It is not there, no capture device, or in use.
        """
        self._require_device()
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", _SELECT_S)
        self._capture = self._start()
        if not self._capture.isOpened():
            self.close()
            raise SourceLostError(self.name, "the device does not open; is it in use?")
        self._index = 0

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        """The next frame as RGB; the time-out is that of the process around it.

        Raises:
            SourceLostError: The device gave nothing, or is gone.
        """
        import cv2

        if self._capture is None:
            return None
        found, picture = self._capture.read()
        if not found or picture is None:
            self._require_device()
            raise SourceLostError(self.name, "the device gives no picture")
        rgb = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB if picture.ndim == 2 else cv2.COLOR_BGR2RGB)
        self._index += 1
        return Frame(to_uint8(rgb), self.name, self._index - 1)

    def close(self) -> None:
        """Release the device."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def _start(self) -> Any:
        import cv2

        # The kernel's name, as OpenCV takes a number out of any other path for the number of the device.
        capture = cv2.VideoCapture(os.path.realpath(self._device), cv2.CAP_V4L2)
        width, height, fps = self._wanted
        for setting, value in (
            (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),  # uncompressed 720p does not fit into USB 2
            (cv2.CAP_PROP_FRAME_WIDTH, width),
            (cv2.CAP_PROP_FRAME_HEIGHT, height),
            (cv2.CAP_PROP_FPS, fps),
            (cv2.CAP_PROP_BUFFERSIZE, 2),
        ):
            capture.set(setting, value)
        return capture

    def _require_device(self) -> None:
        try:
            status = self._device.stat()
        except OSError as error:
            raise SourceLostError(self.name, error.strerror or "") from error
        if not stat.S_ISCHR(status.st_mode):
            raise SourceLostError(self.name, "not a capture device")
