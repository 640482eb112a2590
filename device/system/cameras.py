# SPDX-License-Identifier: Apache-2.0
"""What pictures can come from: USB video grabbers and the Raspberry Pi's own camera."""

from __future__ import annotations

import importlib
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from device.errors import MammascopeError
from device.system.check import ROOT, CheckResult, CheckStatus, read_text
from device.system.child import run_in_child

CAMERA_LIBRARY = "picamera2"


def video_inputs(root: Path = ROOT) -> list[Path]:
    """Device files of what is plugged in by USB, by its lasting name; the first node of each is its picture."""
    return sorted((root / "dev/v4l/by-id").glob("*-video-index0"))


def board_model(root: Path = ROOT) -> str | None:
    """What the board calls itself, for instance ``Raspberry Pi 4 Model B Rev 1.4``; ``None`` on other machines."""
    return read_text(root / "proc/device-tree/model")


@dataclass(frozen=True, slots=True)
class GrabberCheck:
    """Plugged-in video devices may be used by this user."""

    root: Path = ROOT
    name: str = "Video input"

    def run(self) -> CheckResult:
        """Name the devices, and those that are refused."""
        found = video_inputs(self.root)
        if not found:
            return CheckResult(self.name, CheckStatus.ABSENT, "No USB video grabber or camera is plugged in.")
        names = ", ".join(path.name.removesuffix("-video-index0").removeprefix("usb-") for path in found)
        refused = [path for path in found if not os.access(path, os.R_OK | os.W_OK)]
        if refused:
            advice = "Add this user to the group video and log in again."
            return CheckResult(self.name, CheckStatus.FAIL, f"{names}: this user may not use it.", advice)
        return CheckResult(self.name, CheckStatus.OK, f"{names}.")


@dataclass(frozen=True, slots=True)
class CameraCheck:
    """The library of the Raspberry Pi's camera can be loaded, and what it finds."""

    root: Path = ROOT
    library: str = CAMERA_LIBRARY
    name: str = "Camera"

    def run(self) -> CheckResult:
        """Load the library where it is installed, in a process of its own, and ask it for cameras."""
        board = board_model(self.root) or ""
        advice = "Install python3-picamera2, remove .venv and run ./setup.sh again."
        if importlib.util.find_spec(self.library) is None:
            if "Raspberry Pi" not in board:
                return CheckResult(self.name, CheckStatus.ABSENT, "This is not a Raspberry Pi; there is no Pi camera.")
            sentence = "The camera's library is not visible here; grabbers and sticks work without it."
            return CheckResult(self.name, CheckStatus.WARN, sentence, advice)
        try:
            found, problem = run_in_child(probe_cameras, self.library)
        except MammascopeError as error:
            found, problem = (), str(error)
        if problem:
            return CheckResult(self.name, CheckStatus.FAIL, f"The camera's library does not load: {problem}.", advice)
        if not found:
            sentence = "The camera's library loads; no camera is connected, or it was connected after the start."
            return CheckResult(self.name, CheckStatus.ABSENT, sentence)
        return CheckResult(self.name, CheckStatus.OK, f"The camera's library loads and finds {', '.join(found)}.")


def probe_cameras(library: str) -> tuple[tuple[str, ...], str]:
    """What the library calls the cameras that it finds, and why it cannot be imported (empty when it can)."""
    try:
        kind = importlib.import_module(library).Picamera2
    except (ImportError, AttributeError) as error:
        return (), str(error)
    return tuple(str(camera.get("Model", "a camera")) for camera in kind.global_camera_info()), ""
