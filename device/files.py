"""Writing a file so that a power cut leaves either the old content or the new, never half of one.

A handheld loses power at any moment. Whoever keeps something that must not be lost or torn (settings, frames, receipts)
writes it through here. Renaming alone is not enough: until the *folder* is synchronised too, the new name may be gone
after a power cut although the call had returned.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace or make a file in one step: temporary file, fsync, rename, fsync of the folder.

    Args:
        path: The file; its folder must exist.
        content: All of the new content.
        mode: Permission bits of the file; by default nobody but the owner reads it.

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
