# SPDX-License-Identifier: Apache-2.0
"""Looks at the machine every few seconds, in the background, and says in the status bar what is wrong with it.

No network, a card that is nearly full, a clock that cannot be believed, a weak supply, heat, a camera that is gone:
each has a state that is visible on every screen, and a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from device.capture.sources.discover import discover
from device.capture.sources.usb_stick import Roots
from device.records.store.space import Space, SpaceLevel, SpaceLimits, SpaceStatus
from device.system.check import ROOT
from device.system.clock import read_clock
from device.system.network import routed_interfaces
from device.system.power import HOT_C, TOO_HOT_C, PowerSupply, read_supply, read_temperature_c
from device.system.storage import existing_part
from device.ui.app import App
from device.ui.record_words import size
from device.ui.status import Level, Status, Topic
from device.ui.tasks import Progress
from device.words import Translator

EVERY_S = 5.0
CAMERA_KINDS = ("picamera:", "v4l2:")


@dataclass(frozen=True, slots=True)
class MachineState:
    """The machine at one moment.

    Attributes:
        connected: Whether there is a way to the outside.
        space: Room on the card.
        clock_trusted: Whether exams may carry this time without a mark.
        supply: What is known about the supply; ``None`` where it is not watched.
        degrees: Of the hottest sensor; ``None`` where there is none.
        camera_missing: Whether the camera or grabber that was used last is not there.
    """

    connected: bool
    space: SpaceStatus
    clock_trusted: bool
    supply: PowerSupply | None
    degrees: float | None
    camera_missing: bool


class MachineWatch:
    """Keeps the status bar true.

    Args:
        app: The program.
        root: Where ``/proc`` and ``/sys`` lie; another place for tests.
    """

    def __init__(self, app: App, root: Path = ROOT) -> None:
        self._app = app
        self._root = root
        self._looking = False
        self._was_connected: bool | None = None

    def start(self) -> None:
        """Look now and every few seconds."""
        self._app.every(EVERY_S, self.look)
        self.look()

    def look(self) -> None:
        """Look once, unless the last look is still under way."""
        if self._looking:
            return
        self._looking = True
        services, settings = self._app.services, self._app.settings
        last = settings.sources.last_by_site.get(settings.site.name, "")

        def work(_: Progress) -> MachineState:
            space = Space(existing_part(services.records_dir), SpaceLimits()).status()
            missing = last.startswith(CAMERA_KINDS) and last not in _present(services.roots)
            return read_machine(self._root, space, missing)

        self._app.tasks.start("machine", work, self._seen, lambda _: self._rest())

    def _rest(self) -> None:
        self._looking = False

    def _seen(self, state: MachineState) -> None:
        self._looking = False
        for status in statuses(self._app.ui.t, state):
            self._app.status.set(status)
        if not state.camera_missing:
            self._app.status.clear(Topic.CAMERA)
        uploader = self._app.services.uploader
        if state.connected and self._was_connected is False and uploader is not None:
            uploader.wake(network_is_back=True)
        self._was_connected = state.connected


def _present(roots: Roots) -> set[str]:
    return {info.id for info in discover(roots, phantom=False) if info.available}


def read_machine(root: Path, space: SpaceStatus, camera_missing: bool) -> MachineState:
    """Ask the kernel; takes milliseconds, or a process where the firmware has to be asked."""
    return MachineState(
        connected=bool(routed_interfaces(root)),
        space=space,
        clock_trusted=read_clock(root).trusted,
        supply=read_supply(root),
        degrees=read_temperature_c(root),
        camera_missing=camera_missing,
    )


def statuses(t: Translator, state: MachineState) -> list[Status]:
    """What the status bar says of a state."""
    network = Status(Topic.NETWORK, Level.OK, "status.network_ok")
    if not state.connected:
        network = Status(Topic.NETWORK, Level.INFO, "status.network_none", icon="network_off")
    clock = Status(Topic.CLOCK, Level.OK, "status.clock_ok")
    if not state.clock_trusted:
        clock = Status(Topic.CLOCK, Level.INFO, "status.clock_unverified", quiet=True)
    found = [network, clock, _disk(t, state.space)]
    if state.supply is not None:
        low = state.supply.under_voltage_now
        found.append(
            Status(Topic.POWER, *((Level.ERROR, "status.power_low") if low else (Level.OK, "status.power_ok")))
        )
    if state.degrees is not None:
        found.append(_temperature(state.degrees))
    if state.camera_missing:
        found.append(Status(Topic.CAMERA, Level.WARNING, "status.camera_missing"))
    return found


def _disk(t: Translator, space: SpaceStatus) -> Status:
    levels = {
        SpaceLevel.ENOUGH: (Level.OK, "status.disk_ok"),
        SpaceLevel.LOW: (Level.WARNING, "status.disk_low"),
        SpaceLevel.FULL: (Level.ERROR, "status.disk_low"),
    }
    level, key = levels[space.level]
    return Status(Topic.DISK, level, key, {"free": size(t, space.free_bytes)})


def _temperature(degrees: float) -> Status:
    level = Level.ERROR if degrees >= TOO_HOT_C else Level.WARNING if degrees >= HOT_C else Level.OK
    key = "status.temperature_ok" if level is Level.OK else "status.hot"
    return Status(Topic.TEMPERATURE, level, key, {"degrees": round(degrees)})
