# SPDX-License-Identifier: Apache-2.0
"""The folder of updates that were fetched: what lies there, and what of it is of no use any more."""

from __future__ import annotations

from pathlib import Path

from device.errors import UpdateError
from device.update.container import SUFFIX
from device.update.releases import InstallPaths

FOLDER = "updates"
"""In the device's data folder."""

_MOST_FILES = 200
"""A stick may hold any number of files; more updates than this are not listed."""


def files_in(folder: Path) -> list[Path]:
    """The update files of a folder, sorted by name; none where it cannot be read."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIX))[:_MOST_FILES]
    except OSError:
        return []


def remove_used_downloads(data_dir: Path, places: InstallPaths) -> int:
    """Remove what was fetched and is in use now, or was taken back.

    Args:
        data_dir: Of this device.
        places: What is installed; nothing is removed where nothing is.

    Returns:
        How many files were removed.

    Raises:
        UpdateError: One cannot be removed.
    """
    try:
        used = {places.current, *places.failed}
    except UpdateError:
        return 0
    found = [path for path in files_in(data_dir / FOLDER) if path.name.removesuffix(SUFFIX) in used]
    try:
        for path in found:
            path.unlink()
    except OSError as error:
        raise UpdateError(data_dir / FOLDER, error.strerror or "") from error
    return len(found)
