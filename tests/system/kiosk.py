# SPDX-License-Identifier: Apache-2.0
"""A virtual handheld and its twin together: what tests of the kiosk do to it, in a user's words."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from tests.device.ui.record_world import PIN, World
from tests.system.kiosk_machine import Machine
from tests.system.kiosk_twin import Twin

PROGRAM = "env MAMMASCOPE_DATA=/var/lib/mammascope MAMMASCOPE_CONFIG=/var/lib/mammascope/settings.toml"
PROGRAM += " /opt/mammascope/current/venv/bin/python -P -m device"
"""The installed program's command line, with the settings and exams of the device."""


@dataclass
class Kiosk:
    """The handheld and what its twin has.

    Attributes:
        machine: The handheld.
        world: The twin's records and sticks.
        stick: A FAT stick with the same pictures as the twin's.
        twin: The program on both panels; a new one after every restart of the app.
        site: Its name, when it is enrolled.
        clinic: Address of its clinic, when it is enrolled.
        rng: What a power cut leaves; always the same chance.
    """

    machine: Machine
    world: World
    stick: Path
    site: str = ""
    clinic: str = ""
    rng: random.Random = field(default_factory=lambda: random.Random(20240229))
    twin: Twin = field(init=False)

    def shell(self, script: str) -> str:
        """What a piece of shell, run by root, prints."""
        return self.machine.agent.shell(script)

    def show(self, name: str) -> str:
        """A property of the app's unit."""
        return self.shell(f"systemctl show mammascope.service --property={name} --value")

    def await_app(self) -> Twin:
        """Wait until the app is ready; its twin then shows the first screen, and so does the panel."""
        self.machine.until(lambda: self.show("ActiveState") == "active", "the app is ready")
        self.close()
        self.twin = Twin(self.machine, self.world.services())
        enrolled = self.twin.app.settings.with_values("site", name=self.site, clinic_url=self.clinic)
        self.twin.app.settings = enrolled.with_values("paths", data_dir=str(self.world.folder / "device"))
        self.twin.same()
        return self.twin

    def close(self) -> None:
        """End the program on this machine."""
        if hasattr(self, "twin"):
            self.twin.close()

    def enter_pin(self) -> None:
        """On the pad that both show."""
        for digit in PIN:
            self.twin.tap(f"pin.{digit}")
        self.twin.tap("pin.done")

    def unlock(self) -> None:
        """After a start, to the main menu."""
        self.enter_pin()
        self.twin.until_screen("home")
        self.twin.same()

    def exam_shown(self) -> None:
        """Wait until the exam is on the screen."""
        self.twin.until(lambda: self.twin.screen.exam is not None)
        self.twin.same()

    def mounts(self) -> list[str]:
        """Options of what is mounted below the place of sticks."""
        lines = self.shell("findmnt --noheadings --raw --output TARGET,OPTIONS")
        return [line.split()[1] for line in lines.splitlines() if line.startswith("/media/mammascope/")]


def say(line: str) -> None:
    """Tell how far it is; ``-s`` shows it."""
    print(f"\n    {line}", flush=True)
