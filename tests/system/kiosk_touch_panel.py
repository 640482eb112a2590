# SPDX-License-Identifier: Apache-2.0
"""A touch panel inside the virtual machine: what a finger does outside comes in over a virtual serial port.

qemu's own tablet is a mouse to the guest; a handheld's panel is not. This makes one of the kernel's own making (uinput)
that answers like the official displays: several fingers, each with a slot of its own (multi-touch protocol, type B).
Runs in the guest with nothing but Python. One JSON object a line comes in, ``{"finger": 0, "x": 0.5, "y": 0.5}`` for a
finger that is down and ``{"finger": 0}`` for one that was lifted; the same line goes back when it is done.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
import subprocess
import time
from typing import Final

PORT: Final = "/dev/virtio-ports/kiosk.touch"
RANGE: Final = 4096
FINGERS: Final = 5

# linux/input-event-codes.h and linux/uinput.h
EV_SYN, EV_KEY, EV_ABS = 0, 1, 3
SYN_REPORT, BTN_TOUCH, INPUT_PROP_DIRECT = 0, 0x14A, 1
ABS_X, ABS_Y = 0x00, 0x01
ABS_MT_SLOT, ABS_MT_POSITION_X, ABS_MT_POSITION_Y, ABS_MT_TRACKING_ID = 0x2F, 0x35, 0x36, 0x39
UI_SET_EVBIT, UI_SET_KEYBIT, UI_SET_ABSBIT, UI_SET_PROPBIT = 0x40045564, 0x40045565, 0x40045567, 0x4004556E
UI_DEV_CREATE, UI_DEV_SETUP, UI_ABS_SETUP = 0x5501, 0x405C5503, 0x401C5504
BUS_I2C = 0x18


class TouchPanel:
    """The panel; it is there until the program ends."""

    def __init__(self) -> None:
        self._device = os.open("/dev/uinput", os.O_WRONLY)
        self._down: set[int] = set()
        self._touches = 0
        for kind in (EV_KEY, EV_ABS):
            fcntl.ioctl(self._device, UI_SET_EVBIT, kind)
        fcntl.ioctl(self._device, UI_SET_KEYBIT, BTN_TOUCH)
        fcntl.ioctl(self._device, UI_SET_PROPBIT, INPUT_PROP_DIRECT)
        for axis, highest in (
            (ABS_X, RANGE),
            (ABS_Y, RANGE),
            (ABS_MT_SLOT, FINGERS - 1),
            (ABS_MT_POSITION_X, RANGE),
            (ABS_MT_POSITION_Y, RANGE),
            (ABS_MT_TRACKING_ID, 65535),
        ):
            fcntl.ioctl(self._device, UI_SET_ABSBIT, axis)
            fcntl.ioctl(self._device, UI_ABS_SETUP, struct.pack("Hxx6i", axis, 0, 0, highest, 0, 0, 0))
        fcntl.ioctl(self._device, UI_DEV_SETUP, struct.pack("HHHH80sI", BUS_I2C, 1, 1, 1, b"Kiosk touch panel", 0))
        fcntl.ioctl(self._device, UI_DEV_CREATE)

    def touch(self, finger: int, x: float, y: float) -> None:
        """A finger is here, in shares of the panel from the upper left."""
        self._event(EV_ABS, ABS_MT_SLOT, finger)
        if finger not in self._down:
            self._touches += 1
            self._event(EV_ABS, ABS_MT_TRACKING_ID, self._touches)
            self._down.add(finger)
            self._event(EV_KEY, BTN_TOUCH, 1)
        for axis, share in ((ABS_MT_POSITION_X, x), (ABS_MT_POSITION_Y, y), (ABS_X, x), (ABS_Y, y)):
            self._event(EV_ABS, axis, round(share * RANGE))
        self._event(EV_SYN, SYN_REPORT, 0)

    def lift(self, finger: int) -> None:
        """A finger has gone."""
        self._down.discard(finger)
        self._event(EV_ABS, ABS_MT_SLOT, finger)
        self._event(EV_ABS, ABS_MT_TRACKING_ID, -1)
        if not self._down:
            self._event(EV_KEY, BTN_TOUCH, 0)
        self._event(EV_SYN, SYN_REPORT, 0)

    def _event(self, kind: int, code: int, value: int) -> None:
        now = time.time()
        os.write(self._device, struct.pack("llHHi", int(now), int(now % 1 * 1e6), kind, code, value))


def main() -> None:
    """Serve the port for ever."""
    panel = TouchPanel()
    subprocess.run(["udevadm", "settle"], check=True)
    subprocess.run(["systemd-notify", "--ready"], check=True)
    with open(PORT, "rb+", buffering=0) as port:  # noqa: PTH123 - a device, not a file
        for line in iter(port.readline, None):
            if not line:
                time.sleep(0.1)  # nothing is connected outside
                continue
            told = json.loads(line)
            if "x" in told:
                panel.touch(told["finger"], told["x"], told["y"])
            else:
                panel.lift(told["finger"])
            port.write(line)


if __name__ == "__main__":
    main()
