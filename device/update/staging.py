# SPDX-License-Identifier: Apache-2.0
"""Puts a release beside the one in use: checked, written, tried, made durable, and only then called complete.

Nothing here changes which release runs. A power cut leaves a folder without the file ``complete``, which is never used
and which the guard removes at the next start.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from device.errors import UpdateBusyError, UpdateError, UpdateTestError
from device.files import Progress, sync_folder, sync_tree, write_atomically
from device.update import guard
from device.update.container import UpdateHead, contents, verify
from device.update.environment import (
    VENV,
    compile_program,
    install_packages,
    reuse_packages,
    wheel_fits,
)
from device.update.fit import Machine, same_lock
from device.update.manifest import WHEELS
from device.update.releases import COMPLETE, InstallPaths

STEPS = ("verify", "write", "packages", "test", "switch")
"""What is done one after the other; the screen and the terminal have a word for each."""

Report = Callable[[str, int, int], None]
"""Called with a step, and how much of it is done of how much in all."""

_TEST_S = 600
"""A Zero 2 W takes about a minute to load everything."""


@contextmanager
def only_one(places: InstallPaths) -> Iterator[None]:
    """Keep other processes from installing an update meanwhile.

    Raises:
        UpdateBusyError: Another process does already.
        UpdateError: This is not root, or no handheld.
    """
    try:
        places.state.mkdir(parents=True, exist_ok=True)
        handle = os.open(places.state / "update.lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UpdateError(places.state, f"{error.strerror}; this needs root") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise UpdateBusyError(places.state) from None
    finally:
        os.close(handle)


def stage(
    head: UpdateHead,
    stream: BinaryIO,
    where: object,
    places: InstallPaths,
    machine: Machine,
    report: Report,
    settings: Path,
) -> str:
    """Make a release of an update, beside the one in use.

    Args:
        head: Checked, and found to fit.
        stream: The rest of the file.
        where: What an error names.
        places: Of this device.
        machine: This one.
        report: Told how far it is.
        settings: Of this device: the new release has to be able to read them.

    Returns:
        The name of the release; it is complete, tried, and not in use yet.

    Raises:
        UpdateFileError: Something in the file is not what was signed; nothing was written.
        UpdateTestError: It does not work on this device; it was removed again.
        UpdateError: It cannot be written; it was removed again.
    """
    verify(head, stream, where, _of(report, "verify"))
    folder = places.release(head.release)
    if (folder / COMPLETE).is_file():
        return head.release
    guard.ask(places, "tidy")
    try:
        _write(head, stream, where, folder, machine, _of(report, "write"))
        report("packages", 0, 1)
        _make_environment(head, places, folder)
        report("test", 0, 1)
        self_test(folder, settings)
        sync_tree(folder)
        sync_folder(folder.parent)
        write_atomically(folder / COMPLETE, b"", 0o644)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise UpdateError(error.filename or folder, error.strerror or "") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return head.release


def self_test(release: Path, settings: Path) -> None:
    """Have a release try itself, with its own program and packages, away from the records.

    Args:
        release: Its folder.
        settings: Of this device; it reads a copy.

    Raises:
        UpdateTestError: It does not work here.
    """
    with tempfile.TemporaryDirectory(prefix="mammascope-update-") as work:
        copy = Path(work) / "settings.toml"
        if settings.is_file():
            shutil.copyfile(settings, copy)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        environment |= {"MAMMASCOPE_CONFIG": str(copy), "MAMMASCOPE_DATA": str(Path(work) / "data"), "HOME": work}
        # This spelling is the one that every release understands, also an older one (``update install --older``).
        command = [str(release / VENV / "bin/python"), "-P", "-m", "device", "update", "--self-test"]
        try:
            done = subprocess.run(  # noqa: S603 - the new release itself
                command, capture_output=True, text=True, timeout=_TEST_S, check=False, env=environment, cwd=work
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UpdateTestError(release.name, str(error)) from error
    if done.returncode != 0:
        words = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise UpdateTestError(release.name, " ".join(words[-2:])[-400:] or f"ended with {done.returncode}")


def _write(
    head: UpdateHead, stream: BinaryIO, where: object, folder: Path, machine: Machine, progress: Progress
) -> None:
    """Every content to its place; of the packages only those that may fit."""
    folder.mkdir(mode=0o755)
    for entry, pieces in contents(head, stream, where, progress):
        path = folder / entry.path
        if entry.path.startswith(f"{WHEELS}/") and not wheel_fits(path.name, machine.kind, machine.python):
            for _ in pieces:
                pass
            continue
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        mode = 0o755 if entry.program else 0o644
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode), "wb") as out:
            for piece in pieces:
                out.write(piece)


def _make_environment(head: UpdateHead, places: InstallPaths, folder: Path) -> None:
    old = places.release(places.current)
    if same_lock(head.manifest, old):
        reuse_packages(old, folder)
    else:
        install_packages(folder, folder / WHEELS)
    shutil.rmtree(folder / WHEELS, ignore_errors=True)
    compile_program(folder)


def _of(report: Report, step: str) -> Progress:
    return lambda done, total: report(step, done, total)
