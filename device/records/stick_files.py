"""Files of a backup: copied so that they are on the medium, and read back from it rather than from memory.

A stick lies: what was written reads back correctly from the kernel's cache although the medium never took it. So every
file is fsynced, dropped from the cache, read again and compared by hash.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from device.errors import BackupDamagedError, BackupError, StickFullError, StickReadOnlyError
from device.files import sync_folder

PIECE = 1 << 20
PART_SUFFIX = ".part"

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


def copy_file(source: Path, target: Path) -> tuple[int, str]:
    """Copy under a temporary name, fsync, rename.

    Returns:
        Size and SHA-256 of what was read from ``source``.
    """
    part = target.with_name(target.name + PART_SUFFIX)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reader, part.open("wb") as writer:
        while piece := reader.read(PIECE):
            digest.update(piece)
            size += len(piece)
            writer.write(piece)
        writer.flush()
        os.fsync(writer.fileno())
    part.replace(target)
    return size, digest.hexdigest()


def digest_from_medium(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file as it is on the medium, not in the kernel's cache."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while piece := stream.read(PIECE):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def sync_file(path: Path) -> None:
    """Make the content of a file that somebody else wrote survive pulling the stick."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def settle(folder: Path) -> None:
    """Make the names in a folder survive pulling the stick, where its file system can."""
    try:
        sync_folder(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


@contextlib.contextmanager
def translated(stick: Path) -> Iterator[None]:
    """Turn what a stick answers into what the user can do about it.

    Raises:
        StickFullError: There is no room.
        StickReadOnlyError: It cannot be written to.
        BackupError: It was pulled or is failing.
    """
    try:
        yield
    except OSError as error:
        words = error.strerror or ""
        if error.errno in _FULL:
            raise StickFullError(stick, words) from error
        if error.errno in _READ_ONLY:
            raise StickReadOnlyError(stick, words) from error
        raise BackupError(stick, words) from error


def require_same(path: Path, expected: tuple[int, str], found: tuple[int, str]) -> None:
    """Nothing when a file is what it should be.

    Raises:
        BackupDamagedError: It is not.
    """
    if expected != found:
        raise BackupDamagedError(path.name, "not what was written")
