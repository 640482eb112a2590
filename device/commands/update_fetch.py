"""Finds updates and fetches them: the part of ``python -m device update`` before anything is installed.

Fetching needs the network and the clinic's credential but no right to change the software, installing needs the right
and no network: so they are two steps, and two processes on a handheld.
"""

from __future__ import annotations

from pathlib import Path

from device.config import load_settings, settings_path
from device.errors import UpdateMissingError
from device.records.database import FILE_NAME
from device.records.schema import MIGRATIONS
from device.system.update.container import Trusted, UpdateHead
from device.system.update.fit import Machine, require_fit
from device.system.update.releases import Places
from device.system.update.trust import require_trust
from device.ui.update_sources import TARGET, at_clinic, downloaded, fetch, on_sticks
from device.upload.clinic_file import ClinicFile
from device.upload.destination import destination


def find(places: Places, *, stick: bool) -> Path:
    """The newest update on a stick, or of those that were fetched.

    Raises:
        UpdateMissingError: There is none.
        UpdateError: There is one, but it cannot be used.
    """
    data_dir = load_settings(settings_path()).data_dir

    def trusted(path: Path) -> Trusted:
        return require_trust(places, path)

    found = on_sticks(trusted) if stick else downloaded(data_dir, trusted)
    if found.path is None:
        raise UpdateMissingError(data_dir)
    print(f"Found {found.path}.")
    return found.path


def from_clinic(places: Places, *, download: bool) -> int:
    """Ask the clinic for an update, and fetch it if that is wanted.

    Returns:
        0 when there is one for this device.

    Raises:
        NotEnrolledError: There is no clinic to ask.
        UpdateMissingError: It has none.
        UpdateError: It has one, but not for this device; the sentence says why.
        UploadError: The clinic cannot be reached, or not trusted.
    """
    settings = load_settings(settings_path())
    where, trusted = destination(settings), require_trust(places, TARGET)
    head = at_clinic(where, trusted).head
    machine = Machine.this(len(MIGRATIONS), settings.data_dir / "records" / FILE_NAME)
    if head.release == places.current:
        print(f"{head.release} is in use already; the clinic has nothing newer.")
        return 0
    require_fit(head, places, machine, TARGET)
    print(f"The clinic has {head.release}, {head.size / 1e6:.1f} MB.")
    if download:
        path = _download(ClinicFile(where, TARGET), head, settings.data_dir, trusted)
        print(f"It was fetched to {path}. To install it: python -m device update --downloaded")
    return 0


def _download(file: ClinicFile, head: UpdateHead, data_dir: Path, trusted: Trusted) -> Path:
    said = -1

    def say(done: int, total: int) -> None:
        nonlocal said
        if (percent := 100 * done // total) // 10 > said:
            said = percent // 10
            print(f"  {percent} %", flush=True)

    try:
        return fetch(file, head, data_dir, trusted, say)
    finally:
        file.close()
