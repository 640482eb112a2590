# SPDX-License-Identifier: Apache-2.0
"""Encrypted files beside the database: frames too large for a row, and sealed instances that wait for the clinic.

A file is written under a temporary name, fsynced, renamed, and its folder fsynced, all before any row speaks of it. A
power cut can then only leave files that no row knows (orphans, put aside at the next start), never a row without its
file.
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
from typing import BinaryIO

from device.errors import CardReadOnlyError, DiskFullError, RecordDamagedError, RecordsError
from device.files import FULL, sync_folder

PART_SUFFIX = ".part"
_PIECE = 1 << 20


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

    def write(self, file_id: str, content: bytes | Iterable[bytes]) -> BlobFile:
        """Write one file so that its content is on the card; call :meth:`settle` before a row speaks of it.

        Args:
            file_id: Its name.
            content: All of it, or its pieces.

        Raises:
            DiskFullError: There is no room; nothing is left behind.
            RecordsError: The card failed.
        """
        part = self.folder / f"{file_id}{PART_SUFFIX}"
        size, digest = 0, hashlib.sha256()
        with translated(self.folder):
            try:
                handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as stream:
                    for piece in (content,) if isinstance(content, bytes) else content:
                        stream.write(piece)
                        digest.update(piece)
                        size += len(piece)
                    stream.flush()
                    os.fsync(stream.fileno())
                part.rename(self.path(file_id))
            except BaseException:  # pieces may fail in any way: they are made while this is written
                with contextlib.suppress(OSError):
                    part.unlink()
                raise
        return BlobFile(file_id, size, digest.hexdigest())

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

    @contextlib.contextmanager
    def reading(self, file: BlobFile) -> Iterator[BinaryIO]:
        """A file that is read in pieces, checked against its size now; its digest is for those who read to its end.

        Raises:
            RecordDamagedError: It is missing, unreadable or not as long as what was written.
        """
        try:
            with self.path(file.file_id).open("rb") as stream:
                if os.fstat(stream.fileno()).st_size != file.size:
                    raise RecordDamagedError(file.file_id, "not what was written")
                yield stream
        except OSError as error:
            raise RecordDamagedError(file.file_id, error.strerror or "") from error

    def check(self, file: BlobFile) -> None:
        """Go through a file that may be large.

        Raises:
            RecordDamagedError: It is missing, unreadable or not what was written.
        """
        digest = hashlib.sha256()
        with self.reading(file) as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
        if digest.hexdigest() != file.sha256:
            raise RecordDamagedError(file.file_id, "not what was written")

    def present(self, file: BlobFile) -> bool:
        """Whether the file is there in its full length (its content is not read)."""
        try:
            return self.path(file.file_id).stat().st_size == file.size
        except OSError:
            return False

    def remove(self, file_ids: Iterable[str]) -> None:
        """Delete files whose rows are gone; what cannot be deleted now is put aside at the next start."""
        for file_id in file_ids:
            with contextlib.suppress(OSError):
                self.path(file_id).unlink()

    def sweep(self, known: set[str], aside: Path) -> int:
        """Take away every file that no row knows, and say how many there were.

        Whole ones are put aside; halves, which no row ever named, are deleted. What cannot be moved stays.

        Args:
            known: Names that rows hold.
            aside: Folder for whole files; made when it is needed.
        """
        orphans = [entry for entry in self.folder.iterdir() if entry.name not in known]
        for entry in orphans:
            with contextlib.suppress(OSError):
                if entry.name.endswith(PART_SUFFIX):
                    entry.unlink()
                else:
                    aside.mkdir(mode=0o700, parents=True, exist_ok=True)
                    entry.rename(aside / entry.name)
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
    if error.errno in FULL:
        return DiskFullError(where, error.strerror or "")
    cause = CardReadOnlyError if error.errno == errno.EROFS else RecordsError
    return cause(where, error.strerror or "")
