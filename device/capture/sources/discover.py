# SPDX-License-Identifier: Apache-2.0
"""Which picture sources there are now, and how each is made; the source screen lists them, the site remembers one.

Looking does not open anything: a camera that is in use stays in use, and no driver is loaded.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from device.capture.phantom.frames import PhantomSource
from device.capture.sources import picamera, v4l2
from device.capture.sources.folder import FolderSource
from device.capture.sources.process_source import ProcessSource
from device.capture.sources.source import FrameSource
from device.capture.sources.usb_stick import SYSTEM, Roots, find_sticks, is_mounted

Kind = Literal["picamera", "v4l2", "stick", "folder", "phantom"]

_SENSOR: Final = re.compile(r"^(\w+) \d+-[0-9a-f]{4}$")  # an image sensor on I2C, "imx708_wide 10-001a"
_CAPTURE_LINK: Final = re.compile(r"^(?:usb|pci)-(.*)-video-index0$")


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """A source that can be chosen.

    Attributes:
        id: Stays the same over plugging and restarts; a site remembers it.
        kind: What it is.
        name: What a person would call it.
        available: Whether it is there now.
        place: Device, mount point or folder; empty for the phantom.
    """

    id: str
    kind: Kind
    name: str
    available: bool = True
    place: str = ""


PHANTOM: Final = SourceInfo("phantom", "phantom", "Phantom (practice)")


def discover(
    roots: Roots = SYSTEM,
    folders: Sequence[Path] = (),
    phantom: bool = True,
    remembered: Sequence[SourceInfo] = (),
) -> list[SourceInfo]:
    """The sources in the order in which they are offered: cameras, grabbers, sticks, folders, the phantom.

    Args:
        roots: Where the system is looked at.
        folders: Folders that the site offers.
        phantom: Offer the made-up breast as well.
        remembered: Sources that were used before; those that are not there now are listed as not available.
    """
    found = [*_cameras(roots), *_grabbers(roots)]
    found += [SourceInfo(f"stick:{s.name}", "stick", s.name, True, str(s.mount)) for s in find_sticks(roots)]
    found += [SourceInfo(f"folder:{f}", "folder", f.name or str(f), f.is_dir(), str(f)) for f in folders]
    known = {info.id for info in found} | {PHANTOM.id}
    found += [
        SourceInfo(info.id, info.kind, info.name, False, info.place) for info in remembered if info.id not in known
    ]
    return [*found, PHANTOM] if phantom else found


def make_source(info: SourceInfo, roots: Roots = SYSTEM) -> FrameSource:
    """The source that ``info`` describes, not opened yet; a ``SupervisedSource`` opens it and watches over it."""
    if info.kind == "picamera":
        number = int(info.id.rpartition(":")[2])
        return ProcessSource(info.name, picamera.DRIVER, {"camera": number, "name": info.name})
    if info.kind == "v4l2":
        return ProcessSource(info.name, v4l2.DRIVER, {"device": info.place, "name": info.name})
    if info.kind == "phantom":
        return PhantomSource()
    place = Path(info.place)
    if info.kind == "stick":
        return FolderSource(place, info.name, deep=True, present=lambda: is_mounted(place, roots))
    return FolderSource(place, info.name)


def _cameras(roots: Roots) -> list[SourceInfo]:
    """Image sensors that the kernel knows, if picamera2 is installed; it is looked for without being imported."""
    if importlib.util.find_spec("picamera2") is None:
        return []
    names = []
    for entry in sorted((roots.sys / "class" / "video4linux").glob("v4l-subdev*/name"), key=str):
        try:
            found = _SENSOR.match(entry.read_text().strip())
        except OSError:
            continue
        if found and not found[1].startswith(("dw9807", "ak73", "ad5398")):  # motors of lenses answer on I2C as well
            names.append(found[1])
    return [SourceInfo(f"picamera:{n}", "picamera", f"Camera {name}", True, str(n)) for n, name in enumerate(names)]


def _grabbers(roots: Roots) -> list[SourceInfo]:
    """Devices of Video4Linux that came by USB; ``index0`` is the one with the pictures."""
    found = []
    for link in sorted((roots.dev / "v4l" / "by-id").glob("*-video-index0")):
        match = _CAPTURE_LINK.match(link.name)
        name = (match[1] if match else link.name).replace("_", " ").strip()
        found.append(SourceInfo(f"v4l2:{link.name}", "v4l2", name, link.exists(), str(link)))
    return found
