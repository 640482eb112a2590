"""What a technician far away needs to see: the checks, the settings, the versions. Nothing of any patient.

Written like an export, so that it is whole on the stick or not there at all.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path

from device import __version__
from device.config import Settings
from device.records.exporter import ExportFile, ExportFolder, export
from device.system.check import CheckResult

ABOUT_BYTES = 1 << 20


def support_files(results: Sequence[CheckResult], settings: Settings) -> Iterator[ExportFile]:
    """The files; settings hold no password and no patient, and nothing else is read."""
    yield ExportFile("checks.json", _json([asdict(result) for result in results]))
    yield ExportFile("settings.json", _json(settings.model_dump(mode="json")))
    packages = sorted({f"{package.name} {package.version}" for package in distributions()}, key=str.casefold)
    about = {
        "mammascope": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "packages": packages,
    }
    yield ExportFile("versions.json", _json(about))


def write_support_bundle(target: Path, results: Sequence[CheckResult], settings: Settings) -> str:
    """Write it below a folder of a stick.

    Returns:
        The name of the folder that was made.

    Raises:
        ExportError: The stick is full, gone, write-protected or failing.
    """
    name = f"mammascope-support_{datetime.now(UTC):%Y-%m-%d_%H%M%S}"
    export(target, [ExportFolder(name, lambda: support_files(results, settings), ABOUT_BYTES)])
    return name


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode()
