# SPDX-License-Identifier: Apache-2.0
"""Writing a file so that a power cut leaves either the old content or the new; reading one that may be anything.

A handheld loses power at any moment. What must not be lost or torn (settings, frames, receipts)
is written through here. Renaming alone is not enough: until the *folder* is synchronised too, the new name may be gone
after a power cut although the call had returned.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""How a disk says that there is no room (a file can also be larger than its file system takes)."""

READ_ONLY: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
"""How it says that it must not be written to."""

GONE: Final = frozenset(
    {errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.ESTALE, errno.ENOTCONN, errno.ENOTDIR, errno.EBADF}
)
"""How a medium that was pulled, or is failing, answers."""

Progress = Callable[[int, int], None]
"""Told how much is done and how much there is in all (files, exams or bytes); the work stops where it raises."""


def write_atomically(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace or make a file in one step: temporary file, fsync, rename, fsync of the folder.

    Args:
        path: The file; its folder must exist.
        content: All of the new content.
        mode: Permission bits of the file; by default only the owner reads it.

    Raises:
        OSError: The disk is full, read-only or failing; the old file is untouched then.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names that were just created, renamed or removed in a folder survive a power cut.

    Args:
        folder: An existing folder.

    Raises:
        OSError: The folder cannot be opened or synchronised.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Make everything below a folder, and the folder itself, survive a power cut.

    Args:
        folder: An existing folder; links are not followed, and a file that has another name too is taken to be durable
            under that one, so that packages which two releases share are not written out again.

    Raises:
        OSError: Something cannot be opened or synchronised.
    """
    os.sync()  # all at once first: then each single call finds nothing left to write
    for place, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(place) / name
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode) or status.st_nlink > 1:
                continue
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        sync_folder(Path(place))


def read_bounded(path: Path, limit: int) -> bytes:
    """The content of a regular file; what is larger than it may be, or no file at all, is not read.

    Opening never waits, so a pipe where a file should be cannot hang the program.

    Args:
        path: The file.
        limit: Bytes that it may have at most.

    Raises:
        OSError: It is not there, is no regular file, is too large, or cannot be read; ``strerror`` says which.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, "the file is too large")
    return content


def wipe(path: Path) -> None:
    """Remove a file that holds a secret in clear, its content overwritten first.

    A flash card may keep the old blocks out of reach of any program (``docs/threat-model.md``).

    Raises:
        OSError: It cannot be written or removed.
    """
    with path.open("r+b") as stream:
        stream.write(bytes(path.stat().st_size))
        stream.flush()
        os.fsync(stream.fileno())
    path.unlink()
    sync_folder(path.parent)
