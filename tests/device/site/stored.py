# SPDX-License-Identifier: Apache-2.0
"""A stored access in clear, as a device has it before its first PIN."""

from __future__ import annotations

from pathlib import Path

from device.files import write_atomically
from device.site.access import ClinicAccess, access_as_toml


def save_access(path: Path, access: ClinicAccess) -> None:
    """Keep the access, readable by the owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, access_as_toml(access), mode=0o600)
