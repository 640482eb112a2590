"""Encrypted files beside the database: frames too large for a row, and sealed instances that wait for the clinic.

A file is written under a temporary name, fsynced, renamed, and its folder fsynced, all before any row speaks of it. A
power cut can then only leave files that no row knows (orphans, swept at the next start), never a row without its file.
Names are random, contents opaque: this module neither encrypts nor knows what it keeps.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from device.errors import DiskFullError, RecordDamagedError, RecordsError
from device.files import sync_folder

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
PART_SUFFIX = ".part"


@dataclass(frozen=True, slots=True)
class BlobFile:
    """A file as its row knows it.

    Attributes:
        file_id: Its random name.
        size: Bytes on the card.
        sha256: Hexadecimal digest of those bytes.
    """

    file_id: str
    size: int
    sha256: str


class BlobFolder:
    """A folder of encrypted files with random names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder, durably.

        Raises:
            DiskFullError: There is no room.
            RecordsError: The card failed.
        """
        with translated(self.folder):
            if not self.folder.is_dir():
                self.folder.mkdir(mode=0o700)
            sync_folder(self.folder.parent)

    def path(self, file_id: str) -> Path:
        """Where a file lies."""
        return self.folder / file_id

    def write(self, file_id: str, content: bytes) -> BlobFile:
        """Write one file so that its content is on the card; call :meth:`settle` before a row speaks of it.

        Raises:
            DiskFullError: There is no room; nothing is left behind.
            RecordsError: The card failed.
        """
        part = self.folder / f"{file_id}{PART_SUFFIX}"
        with translated(self.folder):
            try:
                handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
                part.rename(self.path(file_id))
            except OSError:
                with contextlib.suppress(OSError):
                    part.unlink()
                raise
        return BlobFile(file_id, len(content), hashlib.sha256(content).hexdigest())

    def settle(self) -> None:
        """Make the names of everything written so far survive a power cut.

        Raises:
            DiskFullError: There is no room.
            RecordsError: The card failed.
        """
        with translated(self.folder):
            sync_folder(self.folder)

    def read(self, file: BlobFile) -> bytes:
        """The content, checked against size and digest.

        Raises:
            RecordDamagedError: It is missing, unreadable or not what was written.
        """
        try:
            with self.path(file.file_id).open("rb") as stream:
                content = stream.read(file.size + 1)
        except OSError as error:
            raise RecordDamagedError(file.file_id, error.strerror or "") from error
        if len(content) != file.size or hashlib.sha256(content).hexdigest() != file.sha256:
            raise RecordDamagedError(file.file_id, "not what was written")
        return content

    def present(self, file: BlobFile) -> bool:
        """Whether the file is there in its full length (its content is not read)."""
        try:
            return self.path(file.file_id).stat().st_size == file.size
        except OSError:
            return False

    def remove(self, file_ids: Iterable[str]) -> None:
        """Delete files whose rows are gone; what cannot be deleted now is swept at the next start."""
        for file_id in file_ids:
            with contextlib.suppress(OSError):
                self.path(file_id).unlink()

    def sweep(self, known: set[str]) -> int:
        """Delete every file that no row knows, and say how many there were."""
        orphans = [entry for entry in self.folder.iterdir() if entry.name not in known]
        for entry in orphans:
            with contextlib.suppress(OSError):
                entry.unlink()
        return len(orphans)


def new_file_id() -> str:
    """A fresh random name, 32 hexadecimal digits."""
    return secrets.token_hex(16)


@contextlib.contextmanager
def translated(where: Path) -> Iterator[None]:
    """Turn what the card answers into what the user can do about it.

    Raises:
        DiskFullError: There is no room.
        RecordsError: The card failed.
    """
    try:
        yield
    except OSError as error:
        raise disk_error(where, error) from error


def disk_error(where: Path, error: OSError) -> RecordsError:
    """What to tell the user when the card refuses to write."""
    cause = DiskFullError if error.errno in _FULL else RecordsError
    return cause(where, error.strerror or "")
