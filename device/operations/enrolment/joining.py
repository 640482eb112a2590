# SPDX-License-Identifier: Apache-2.0
"""Connects this device with its site: what a site file says becomes the device's own files, all of them together.

Wi-Fi and the signers of updates need root on an installed device; what could not be done is said.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from device.config import load_settings, settings_as_toml, settings_path
from device.site.access import ClinicAccess, access_as_toml, access_from, access_path
from device.site.enrolment import (
    WIFI_FOLDER,
    FileChange,
    apply,
    signer_change,
    state_change,
    wifi_change,
    with_site,
)
from device.site.site_file import SiteFile
from device.update.releases import InstallPaths
from device.upload.stored_access import sealed_access_path, sealed_for_records


def join_site(site: SiteFile, data_dir: Path, where: str) -> None:
    """Do what the file says, all or nothing, and say what was done.

    Args:
        site: From a signer who is trusted.
        data_dir: The device's data folder.
        where: What an error names.

    Raises:
        EnrolmentError: A file cannot be written; nothing was changed.
        AccessError: The credentials cannot be used; nothing was changed.
        ConfigError: A setting in it is not allowed; nothing was changed.
        VaultDamagedError: There are records whose keys cannot be read; nothing was changed.
    """
    apply(_changes(site, data_dir, where), data_dir)
    _say(site, data_dir)


def _changes(site: SiteFile, data_dir: Path, where: str) -> list[FileChange]:
    """All files of the enrolment, everything in them checked."""
    content, path = site.content, settings_path()
    settings = with_site(load_settings(path), content)
    access = access_from(content.clinic.access if content.clinic is not None else {}, where)
    changes = [FileChange(path, settings_as_toml(settings)), *_access_changes(access, data_dir)]
    if _may_set_wifi():
        changes += [wifi_change(wifi) for wifi in content.wifi]
    if content.updates is not None and _may_trust_signers():
        changes.append(signer_change(content.updates, InstallPaths.from_environment().keys))
    return [*changes, state_change(site, data_dir)]


def _access_changes(access: ClinicAccess, data_dir: Path) -> list[FileChange]:
    """The access in one form: sealed where the device has records already, else in clear until it has."""
    sealed = sealed_for_records(data_dir, access)
    clear = access_as_toml(access) if sealed is None else None
    return [FileChange(sealed_access_path(data_dir), sealed), FileChange(access_path(data_dir), clear)]


def _may_set_wifi() -> bool:
    return WIFI_FOLDER.is_dir() and os.access(WIFI_FOLDER, os.W_OK)


def _may_trust_signers() -> bool:
    folder = InstallPaths.from_environment().keys
    return folder.is_dir() and os.access(folder, os.W_OK)


def _say(site: SiteFile, data_dir: Path) -> None:
    content = site.content
    print(f"This device belongs to {content.site.name} now (signer {site.fingerprint}).")
    if content.wifi and _may_set_wifi():
        _reload_networks()
        print(f"Wi-Fi networks set up: {len(content.wifi)}.")
    elif content.wifi:
        print("Wi-Fi was not set up: that needs root and NetworkManager.", file=sys.stderr)
    if content.updates is not None and not _may_trust_signers():
        print("No signer is trusted with updates yet: that needs root on an installed device.", file=sys.stderr)
    if content.clinic is None:
        print(f"No clinic is named, so nothing is sent; exams stay in {data_dir}.")


def _reload_networks() -> None:
    """Tell a running NetworkManager; one that is not running yet reads the files when it starts."""
    tool = shutil.which("nmcli")
    if tool is not None:
        subprocess.run([tool, "connection", "reload"], capture_output=True, timeout=20, check=False)  # noqa: S603
