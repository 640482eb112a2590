# SPDX-License-Identifier: Apache-2.0
"""A virtual handheld: qemu with a panel, touch, USB and a hardware watchdog, looked at and touched from outside.

Everything is emulated, so it runs where there is no hardware virtualisation. Its clock counts instructions, one
processor of 500 million a second, which is less than any board has: a busy machine makes it slow as seen from outside,
while inside every limit, start, watchdog or touch, means the same as ever, and none had to be changed for the test.
"""

from __future__ import annotations

import random
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.system.kiosk_card import Card, read_boot_file
from tests.system.kiosk_image import BOOT_AT, Image
from tests.system.kiosk_qmp import PATIENCE_S, Agent, Lines, Monitor, Refused

PANEL = (800, 480)
SHIFT = 1
"""An instruction takes two nanoseconds (two to this power)."""

PAUSE_S = 1.0
"""Between two looks at what is waited for: each costs the guest some programs of its own."""

Picture = NDArray[np.uint8]


def missing() -> str:
    """What this machine lacks for it, or an empty string."""
    try:
        said = subprocess.run(["qemu-system-x86_64", "-device", "help"], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        return "qemu-system-x86_64 is missing (qemu-system-x86, qemu-utils)"
    return "" if '"virtio-gpu-pci"' in said.stdout else "this qemu has no virtio-gpu"


class Machine:
    """One handheld and its card, from one start to the next.

    Args:
        folder: Where sockets, logs and the card lie.
        image: What is on the card at first.

    Attributes:
        card: The card.
        folder: As given; pictures and logs are left in it.
        monitor: qemu's monitor, while it runs.
        agent: Root inside, while it runs.
        console: What came over the serial line since the last start.
    """

    monitor: Monitor
    agent: Agent

    def __init__(self, folder: Path, image: Image) -> None:
        self.folder, self._image = folder, image
        # A path of a socket may have 107 characters; those of tests are longer.
        self._sockets = tempfile.TemporaryDirectory(prefix="kiosk-")
        self._process: subprocess.Popen[bytes] | None = None
        self._touch: Lines | None = None
        self.console = folder / "console.log"
        self.card = Card(folder, image.disk)

    # --- power --------------------------------------------------------------------------------------------------------

    def switch_on(self, stick: Path | None = None) -> None:
        """Start; returns when commands can be run inside.

        Args:
            stick: In the USB socket from the first moment on.
        """
        line = read_boot_file(self.card.path, BOOT_AT, "cmdline.txt").strip()
        with (self.folder / "qemu.log").open("ab") as log:
            self._process = subprocess.Popen(self._words(line), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.monitor = Monitor(self._socket("monitor"))
        if stick is not None:
            self.plug(stick)
        self.agent = Agent(self._socket("agent"))
        self.agent.await_start()

    def _words(self, line: str) -> list[str]:
        width, height = PANEL
        words = ["qemu-system-x86_64", "-accel", "tcg,thread=single", "-icount", f"shift={SHIFT}"]
        words += ["-cpu", "Nehalem", "-smp", "1", "-m", "2048"]
        words += ["-nodefaults", "-display", "none", "-vga", "none", "-nic", "none"]
        words += ["-kernel", str(self._image.kernel), "-initrd", str(self._image.initrd), "-append", line]
        words += [*self.card.insert(), "-device", "virtio-blk-pci,drive=card"]
        words += ["-device", f"virtio-gpu-pci,id=panel,xres={width},yres={height}", "-device", "virtio-tablet-pci"]
        words += ["-device", "virtio-rng-pci", "-device", "qemu-xhci,id=usb"]
        words += ["-device", "i6300esb", "-watchdog-action", "reset"]
        words += ["-serial", f"file:{self.console}", "-device", "virtio-serial-pci"]
        words += ["-qmp", f"unix:{self._socket('monitor')},server=on,wait=off"]
        for name, port in (("agent", "org.qemu.guest_agent.0"), ("touch", "kiosk.touch")):
            words += ["-chardev", f"socket,id={name},path={self._socket(name)},server=on,wait=off"]
            words += ["-device", f"virtserialport,chardev={name},name={port}"]
        return words

    def _socket(self, name: str) -> Path:
        return Path(self._sockets.name) / name

    @property
    def is_on(self) -> bool:
        """Whether it has power."""
        return self._process is not None

    def switch_off(self) -> None:
        """Press the button: the system ends properly, and everything that it has written is kept."""
        assert self._process is not None
        self.monitor.do("system_powerdown")
        self._process.wait(PATIENCE_S)
        self._hang_up()
        self.card.keep()

    def pull_power(self, rng: random.Random) -> None:
        """Gone at once; what chance leaves of unflushed writes is on the card."""
        self._kill()
        self.card.cut(rng)

    def await_reset(self) -> None:
        """The machine starts again by itself (its hardware does it): returns when commands can be run again."""
        self.monitor.wait_for("RESET")
        self.agent.close()
        self.agent = Agent(self._socket("agent"))
        self.agent.await_start()

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._hang_up()

    def _hang_up(self) -> None:
        self._process = None
        self.monitor.close()
        self.agent.close()
        if self._touch is not None:
            self._touch.close()
            self._touch = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._sockets.cleanup()

    # --- seen from outside --------------------------------------------------------------------------------------------

    def look(self) -> Picture:
        """The panel's picture now, (height, width, 3), uint8, RGB."""
        path = self.folder / "panel.ppm"
        self.monitor.do("screendump", filename=str(path), format="ppm")  # not packed: it is asked for often
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            raise Refused("the panel has no picture")
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)

    def save_picture(self, path: Path) -> None:
        """Keep the panel's picture as PNG."""
        self.monitor.do("screendump", filename=str(path), format="png")

    def until(self, holds: Callable[[], Any], what: str, wait_s: float = PATIENCE_S) -> None:
        """DisplaySettings again and again until something holds.

        Raises:
            Refused: It does not; says what, and leaves the picture in the folder.
        """
        deadline = time.monotonic() + wait_s
        while not holds():
            if self._process is not None and self._process.poll() is not None:
                raise Refused(f"{what}: qemu has ended")
            if time.monotonic() > deadline:
                self.save_picture(self.folder / "panel.png")
                raise Refused(f"{what}: not after {wait_s:.0f} s; the panel is in {self.folder / 'panel.png'}")
            time.sleep(PAUSE_S)

    def rest(self, seconds: float) -> None:
        """Return when so much time has passed inside."""
        began = self._uptime()
        self.until(lambda: self._uptime() - began >= seconds, "time passes")

    def _uptime(self) -> float:
        return float(self.agent.shell("cat /proc/uptime").split()[0])

    # --- touched from outside -----------------------------------------------------------------------------------------

    def touch(self, x: float, y: float, finger: int = 0) -> None:
        """A finger is on the touch panel, in shares of its width and height."""
        self._finger({"finger": finger, "x": x, "y": y})

    def lift(self, finger: int = 0) -> None:
        """A finger has gone."""
        self._finger({"finger": finger})

    def _finger(self, line: dict[str, float]) -> None:
        if self._touch is None:
            self._touch = Lines(self._socket("touch"))
        self._touch.send(line)
        assert self._touch.receive(PATIENCE_S) == line

    def click(self, x: float, y: float) -> None:
        """qemu's own tablet, which the guest takes for a mouse: move there, press and let go."""
        at = [{"type": "abs", "data": {"axis": axis, "value": round(v * 32767)}} for axis, v in (("x", x), ("y", y))]
        self.monitor.do("input-send-event", events=at)
        for down in (True, False):
            button = {"type": "btn", "data": {"button": "left", "down": down}}
            self.monitor.do("input-send-event", events=[button])

    # --- USB ----------------------------------------------------------------------------------------------------------

    def plug(self, stick: Path, name: str = "stick") -> None:
        """Put a stick into the USB socket."""
        self.monitor.do("blockdev-add", driver="file", filename=str(stick), node_name=name)
        self.monitor.do("device_add", driver="usb-storage", id=f"usb-{name}", drive=name, bus="usb.0")

    def pull(self, name: str = "stick") -> None:
        """Pull it without asking."""
        self.monitor.forget()
        self.monitor.do("device_del", id=f"usb-{name}")
        self.monitor.wait_for("DEVICE_DELETED")
        self.monitor.do("blockdev-del", node_name=name)
