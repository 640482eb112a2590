# SPDX-License-Identifier: Apache-2.0
"""A medium that lies: files written so that they are on it, and read back from it rather than from memory.

What was written to a stick reads back correctly from the kernel's cache although the medium never took it. So every
file is fsynced, dropped from the cache, read again and compared by hash. Exports, support bundles and backups all go
through here; what the medium answers becomes what a person can do about it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from device.errors import BackupDamagedError, MammascopeError, StickFullError, StickReadOnlyError
from device.files import FULL, GONE, READ_ONLY

PIECE = 1 << 20
PART_SUFFIX = ".part"


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


def digest_from_medium(path: Path | str, folder: int | None = None) -> tuple[int, str]:
    """Size and SHA-256 of a file as it is on the medium, not in the kernel's cache.

    Args:
        path: The file; its name below ``folder`` where that is given. A link is not followed.
        folder: Handle of an open folder, which stays that folder when the stick is pulled.
    """
    digest, size = hashlib.sha256(), 0
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
    with os.fdopen(handle, "rb", buffering=0) as stream:
        # The pages are clean after fsync, so the kernel drops them and reads the medium.
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        while piece := stream.read(PIECE):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def sync_file(path: Path) -> None:
    """Make the content of a file that other code wrote survive pulling the stick."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def settle(folder: Path | int) -> None:
    """Make the names in a folder survive pulling the stick, where its file system can.

    Args:
        folder: The folder, or a handle of it.
    """
    handle = folder if isinstance(folder, int) else os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some FUSE file systems know no fsync of folders
            raise
    finally:
        if handle is not folder:
            os.close(handle)


@contextlib.contextmanager
def translated(
    place: Path, otherwise: type[MammascopeError], gone: type[MammascopeError] | None = None
) -> Iterator[None]:
    """Turn what a medium answers into what the user can do about it.

    Args:
        place: Where; named in the error.
        otherwise: What is raised for any other failure.
        gone: What is raised when the medium was pulled or does not answer; by default ``otherwise``.

    Raises:
        StickFullError: There is no room.
        StickReadOnlyError: It cannot be written to.
    """
    try:
        yield
    except OSError as error:
        raise _cause(error.errno or 0, otherwise, gone or otherwise)(
            place, error.strerror or type(error).__name__
        ) from error


def _cause(number: int, otherwise: type[MammascopeError], gone: type[MammascopeError]) -> type[MammascopeError]:
    if number in FULL:
        return StickFullError
    if number in READ_ONLY:
        return StickReadOnlyError
    return gone if number in GONE else otherwise


def require_same(path: Path, expected: tuple[int, str], found: tuple[int, str]) -> None:
    """Nothing when a file is what it should be.

    Raises:
        BackupDamagedError: It is not.
    """
    if expected != found:
        raise BackupDamagedError(path.name, "not what was written")
