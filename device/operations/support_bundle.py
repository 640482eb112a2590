# SPDX-License-Identifier: Apache-2.0
"""What a technician far away needs to see: the checks, the settings, the versions, what the system noted.

Nothing of any patient, no credential, no password. No file of the records, of the access to the clinic or of the
networks is read. What is read and could hold typed text is left out: names of presets and of folders,
and the app's own lines in the journal. Settings are written by a list of those that may leave, so a new one stays here
until it is listed here. Used by the diagnostics screen and by ``doctor --support-bundle``.

Written like an export, so that it is whole on the stick or not there at all.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

from device import __version__
from device.config import Settings
from device.errors import MammascopeError
from device.records.pieces import Pieces
from device.system.cameras import board_model
from device.system.check import ROOT, CheckResult, read_text
from device.system.journal import read_journal
from device.transfer.exporter import ExportFile, ExportFolder, export

ABOUT_BYTES: Final = 2 << 20

PLAIN: Final = frozenset(
    {
        "paths.data_dir",
        "display.rotation",
        "display.theme",
        "display.brightness",
        "display.language",
        "display.fullscreen",
        "display.size",
        "lock.live_timeout_s",
        "lock.pin_digits",
        "lock.timeout_s",
        "site.name",
        "site.policy.retention_days",
        "site.policy.upload_kib_per_s",
        "site.policy.older_exams",
        "site.policy.training_exams",
        "model.bundle",
    }
)
"""Settings that leave the device as they are."""

SETTINGS_CHECK: Final = "Settings"
"""Name of the check of the settings file."""

_USER_IN_URL: Final = re.compile(r"(?<=://)[^/@\s'\"]*@")
_VALUE: Final = re.compile(r" = .*", re.DOTALL)
_REST_OF_URL: Final = re.compile(r"[?#].*")


def support_files(results: Sequence[CheckResult], settings: Settings) -> Iterator[ExportFile]:
    """The files, one after the other.

    Args:
        results: Of the checks.
        settings: Of this device.
    """
    yield ExportFile("checks.json", Pieces.of(_json([_told_result(result) for result in results])))
    yield ExportFile("settings.json", Pieces.of(_json(told_settings(settings))))
    yield ExportFile("versions.json", Pieces.of(_json(_versions())))
    yield ExportFile("journal.json", Pieces.of(_json(asdict(read_journal(known_codes())))))


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


def told_settings(settings: Settings) -> dict[str, Any]:
    """The settings that may leave the device."""
    every = settings.model_dump(mode="json")
    told: dict[str, Any] = {}
    for name in sorted(PLAIN):
        place, value = told, every
        *sections, key = name.split(".")
        for section in sections:
            place, value = place.setdefault(section, {}), value[section]
        place[key] = value[key]
    site = settings.site
    address = _REST_OF_URL.sub("", _USER_IN_URL.sub("", site.clinic_url))
    told["site"]["clinic_url"] = "cannot be one" if site.address_problem else address
    told["site"]["recovery_key"] = "set" if site.recovery_key else ""
    last = sorted({_kind(source) for source in settings.sources.last_by_site.values()})
    told["sources"] = {"last": last, "practice": settings.sources.practice}
    told["presets"] = [
        preset.model_dump(mode="json") | {"name": f"preset {number}"}
        for number, preset in enumerate(settings.presets, start=1)
    ]
    return told


def known_codes() -> frozenset[str]:
    """The codes of all errors that a user can meet."""
    kinds, codes = [MammascopeError], set()
    while kinds:
        kind = kinds.pop()
        codes.add(kind.code)
        kinds += kind.__subclasses__()
    return frozenset(codes)


def _kind(source: str) -> str:
    """``stick`` of ``stick:LABEL``: labels and folders are named by people."""
    return source.partition(":")[0]


def _told_result(result: CheckResult) -> dict[str, str]:
    told = {key: _USER_IN_URL.sub("", str(value)) for key, value in asdict(result).items()}
    if result.name == SETTINGS_CHECK:  # an error quotes what stands in the file
        told["sentence"] = _VALUE.sub("", told["sentence"])
    return told


def _versions() -> dict[str, Any]:
    release = dict(
        line.partition("=")[::2] for line in (read_text(ROOT / "etc/os-release") or "").splitlines() if "=" in line
    )
    return {
        "mammascope": __version__,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "board": board_model(ROOT) or platform.machine(),
        "distribution": release.get("PRETTY_NAME", "").strip('"'),
        "system": platform.platform(),
        "up_s": float((read_text(ROOT / "proc/uptime") or "0").split()[0]),
        "packages": sorted({f"{package.name} {package.version}" for package in distributions()}, key=str.casefold),
    }


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode()
