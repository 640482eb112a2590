# SPDX-License-Identifier: Apache-2.0
"""Where an update comes from: a stick, or the clinic's server. For the screen and for ``python -m device update``.

What is found is looked at by its beginning only, signature included; the installation reads everything. A file that was
fetched lies in the device's data folder, where the program that installs (``mammascope-update@downloaded``) takes it.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from device.capture.sources.usb_stick import SYSTEM, Roots, find_sticks
from device.errors import UpdateError, UpdateFileError, UpdateMissingError, UpdateRoomError, UpdateSignerError
from device.files import Progress, sync_folder
from device.update.container import SUFFIX, Trusted, UpdateHead, head_bytes, opened, read_head, verify
from device.update.downloads import FOLDER, files_in
from device.update.manifest import version_key
from device.upload.clinic_file import ClinicFile
from device.upload.destination import Destination

TARGET = "/updates/mammascope.update"
"""Where the clinic's server offers the update for its handhelds (``clinic/run --offer-update``)."""

_FIRST_LOOK = 128 * 1024
_LEFT_FREE = 200 * 2**20


@dataclass(frozen=True, slots=True)
class FoundUpdate:
    """An update that was found and whose beginning is good.

    Attributes:
        head: What it is.
        path: Where, unset while it is only on the server.
    """

    head: UpdateHead
    path: Path | None = None


def on_sticks(trusted: Callable[[Path], Trusted], roots: Roots = SYSTEM) -> FoundUpdate:
    """The newest update on the sticks that are plugged in.

    Args:
        trusted: Makes, for a file, what asks whether its signer is trusted.
        roots: Where the system is looked at.

    Raises:
        UpdateMissingError: There is none.
        UpdateFileError: There is one, but it cannot be used.
        UpdateSignerError: There is one, but of a stranger.
    """
    return _newest((path for stick in find_sticks(roots) for path in files_in(stick.mount)), trusted, "USB")


def downloaded(data_dir: Path, trusted: Callable[[Path], Trusted]) -> FoundUpdate:
    """The newest update that was fetched; see :func:`on_sticks`."""
    folder = data_dir / FOLDER
    return _newest(files_in(folder), trusted, folder)


def at_clinic(where: Destination, trusted: Trusted) -> FoundUpdate:
    """What the clinic's server offers; its beginning is fetched and nothing more.

    Raises:
        UpdateMissingError: It offers none.
        UpdateFileError: What it offers is no update.
        UpdateSignerError: It is of a stranger.
        UploadError: The clinic cannot be reached, or not trusted.
    """
    file = ClinicFile(where, TARGET)
    try:
        raw = file.beginning(_FIRST_LOOK)
        if head_bytes(raw, TARGET) > len(raw):
            raw = file.beginning(head_bytes(raw, TARGET))
    finally:
        file.close()
    return FoundUpdate(read_head(io.BytesIO(raw), TARGET, trusted))


def fetch(file: ClinicFile, head: UpdateHead, data_dir: Path, trusted: Trusted, progress: Progress) -> Path:
    """Fetch an update and check every byte of it; one that broke off goes on where it was.

    Args:
        file: On the server; its ``stop`` breaks the transfer off.
        head: As :func:`at_clinic` found it.
        data_dir: Of this device.
        trusted: As there.
        progress: Told bytes done and in all.

    Returns:
        Where it lies. Others that were fetched before are removed.

    Raises:
        UpdateFileError: What has come is not what was offered; it was removed.
        UpdateRoomError: The card is too full.
        UpdateError: It cannot be written.
        UploadError: The connection broke; what has come so far is kept.
    """
    folder = data_dir / FOLDER
    path, part = folder / f"{head.release}{SUFFIX}", folder / f"{head.release}.part"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for other in folder.iterdir():
            if other not in (path, part):
                other.unlink()
        if not path.exists():
            _require_room(folder, part, head.size)
            file.fetch(part, head.size, progress)
            _check(part, head, trusted)
            part.replace(path)
            sync_folder(folder)
    except OSError as error:
        raise UpdateError(error.filename or folder, error.strerror or "") from error
    return path


def _check(part: Path, head: UpdateHead, trusted: Trusted) -> None:
    try:
        with opened(part, trusted) as (found, stream):
            verify(found, stream, part)
            if found.digest != head.digest:
                raise UpdateFileError(part, "it is another one than was offered")
    except (UpdateFileError, UpdateSignerError):
        part.unlink(missing_ok=True)
        raise


def _require_room(folder: Path, part: Path, size: int) -> None:
    there = part.stat().st_size if part.exists() else 0
    free = shutil.disk_usage(folder).free
    if free < size - there + _LEFT_FREE:
        raise UpdateRoomError(folder, f"{free // 2**20} MiB are free")


def _newest(paths: Iterable[Path], trusted: Callable[[Path], Trusted], where: object) -> FoundUpdate:
    found: list[FoundUpdate] = []
    refused: list[UpdateError] = []
    for path in paths:
        try:
            with opened(path, trusted(path)) as (head, _):
                found.append(FoundUpdate(head, path))
        except (UpdateFileError, UpdateSignerError) as error:
            refused.append(error)
    if found:
        return max(found, key=lambda each: (version_key(each.head.manifest.version), each.head.manifest.made))
    raise refused[0] if refused else UpdateMissingError(where)
