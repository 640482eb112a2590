# SPDX-License-Identifier: Apache-2.0
"""Installs an update: check, put beside, try, switch. What ``python -m device update install`` goes through.

The release in use does all of it but the self-test, which is the new release's own. From the switch on, the guard
watches (``systemd/update-guard``).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from device.config import load_settings, settings_path
from device.errors import MammascopeError, UpdateError
from device.files import write_atomically
from device.records.store.database import FILE_NAME
from device.records.store.schema import MIGRATIONS
from device.signed import fingerprint
from device.update import guard
from device.update.container import UpdateHead, opened, verify
from device.update.fit import InstallOptions, Machine, require_fit
from device.update.releases import InstallPaths
from device.update.staging import only_one, stage
from device.update.trust import require_trust, trust

WORDS = {
    "verify": "checking the file",
    "write": "writing the new release",
    "packages": "installing its packages",
    "test": "trying it",
    "switch": "switching over",
}
_PROGRESS_EVERY_S = 0.5


def install(path: Path, places: InstallPaths, will: InstallOptions, named: str | None) -> int:
    """Install an update and let it be tried.

    Args:
        path: The file.
        places: Of this device.
        will: What a technician insists on.
        named: Fingerprint of a signer to be followed from now on.

    Returns:
        0 when the new release is in use, on trial.

    Raises:
        UpdateError: Why it is not; the release of before is in use.
    """
    os.umask(0o022)
    settings = settings_path()
    machine = Machine.this(len(MIGRATIONS), load_settings(settings).data_dir / "records" / FILE_NAME)
    teller = ProgressReporter(places)
    with only_one(places), opened(path, require_trust(places, path, named)) as (head, stream):
        require_fit(head, places, machine, path, will)
        print(f"Installing {head.release} (signer {fingerprint(head.signer)}).", flush=True)
        release = stage(head, stream, path, places, machine, teller.report, settings)
        if named is not None:
            trust(places, head.signer)
        teller.report("switch", 0, 1)
        guard.ask(places, "begin", release)
    _restart(places)
    teller.report("switch", 1, 1)
    print(f"{release} is in use now. It counts as good after two minutes; until then a failure takes it back.")
    return 0


def verify_only(path: Path, places: InstallPaths, named: str | None) -> int:
    """Check a file as an installation would, without changing anything.

    Raises:
        UpdateError: Why it would not be installed.
    """
    with opened(path, require_trust(places, path, named)) as (head, stream):
        verify(head, stream, path)
    _describe(head)
    return 0


def go_back(places: InstallPaths) -> int:
    """Use the release before this one again.

    Raises:
        UpdateError: There is none, or this is not root.
    """
    with only_one(places):
        guard.ask(places, "back")
    _restart(places)
    print(f"{places.current} is in use now.")
    return 0


def print_status(places: InstallPaths) -> int:
    """Say what is in use, what is being tried and what failed."""
    current, trial, last = places.current, places.trial, places.last
    print(f"in use      {current}")
    print(f"last good   {places.good or 'none yet'}")
    print(f"on trial    {trial.to if trial is not None else 'nothing'}")
    if last:
        ended = "good" if last.get("result") == "good" else f"taken back: {last.get('reason', '')}"
        print(f"last trial  {last.get('release', '').removeprefix('releases/')}: {ended}")
    for name, reason in places.failed.items():
        print(f"failed      {name}: {reason}")
    return 0


@contextmanager
def report_progress(places: InstallPaths) -> Iterator[None]:
    """Let the screen know that an installation has begun, and why it has ended."""
    ProgressReporter(places).begun()
    try:
        yield
    except MammascopeError as error:
        ProgressReporter(places).failed(error)
        raise


class ProgressReporter:
    """Says how far it is: a line a step on the terminal, and a small file for the screen.

    Args:
        places: Of this device; without the folder of the unit that file is not written.
    """

    def __init__(self, places: InstallPaths) -> None:
        self._path = places.progress
        self._step = ""
        self._next = 0.0

    def report(self, step: str, done: int, total: int) -> None:
        """Told by ``stage``."""
        new = step != self._step
        if new:
            self._step = step
            print(f"  {WORDS[step]}", flush=True)
        if new or done >= total or time.monotonic() >= self._next:
            self._next = time.monotonic() + _PROGRESS_EVERY_S
            self._write({"step": step, "share": done / total if total else 1.0})

    def begun(self) -> None:
        """Nothing is known yet; what an earlier one has said is gone."""
        self._write({"step": "begin", "share": 0.0})

    def failed(self, error: MammascopeError) -> None:
        """Why it ended."""
        self._write({"step": "failed", "share": 1.0, "code": error.code})

    def _write(self, said: dict[str, object]) -> None:
        if self._path.parent.is_dir():
            write_atomically(self._path, json.dumps(said).encode(), 0o644)


def _describe(head: UpdateHead) -> None:
    manifest = head.manifest
    print(f"release   {head.release}, made {manifest.made:%Y-%m-%d %H:%M} UTC")
    print(f"signer    {fingerprint(head.signer)}")
    print(f"packages  {', '.join(manifest.packages) or ('for any' if manifest.has_wheels else 'none')}")
    if manifest.notes:
        print(manifest.notes)
    print("The file is whole.")


def _restart(places: InstallPaths) -> None:
    """Start the app in the new release. A unit that may not do it leaves it to its own last step."""
    try:
        guard.ask(places, "restart")
    except UpdateError as error:
        print(f"The app was not restarted: {error.detail}", file=sys.stderr)
