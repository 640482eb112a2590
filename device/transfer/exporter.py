# SPDX-License-Identifier: Apache-2.0
"""Writing exams to a stick so that what lies there afterwards is whole, and known to be.

A stick is pulled too early, is full, is failing, or was never what it says on its label. So an exam is written into a
folder whose name ends in ``.part``, every file is synchronised, read back from the medium and compared by hash, and
only then the folder gets its real name. Whatever happens, a folder without ``.part`` is a whole exam, and it carries a
list of checksums that any computer can verify (``sha256sum -c``).

All file operations hang on one handle of the target folder. When a stick is pulled and its mount point is left behind
as an empty folder of the card, nothing can land there by mistake, and no patient is written to the card unencrypted.

What is written is none of this module's business: it takes names and bytes (``device.transfer.export_files`` makes them
from an exam, ``device.transfer.dicom_files`` adds DICOM). Used by ``device.operations`` for exams and support bundles.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from device.errors import (
    ExportDamagedError,
    ExportError,
    StickFullError,
    StickGoneError,
)
from device.records.pieces import Pieces
from device.transfer.medium import digest_from_medium, settle, translated

CHECKSUMS = "CHECKSUMS.sha256"
PART = ".part"
OLD = ".old"

SPARE_BYTES = 1 << 20
"""Kept free on the stick beside what is written: folders and the checksums need room too."""


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file: a name without folders, and its content, which may be made while it is written."""

    name: str
    pieces: Pieces


@dataclass(frozen=True, slots=True)
class ExportFolder:
    """One exam on its way to a stick.

    Attributes:
        name: Of its folder; must be one that every file system takes.
        files: Makes the files, one at a time, so that only one has to be in memory.
        estimate_bytes: About how much they are together, for the check before anything is written.
    """

    name: str
    files: Callable[[], Iterable[ExportFile]]
    estimate_bytes: int


class Phase(StrEnum):
    """What is being done with a file."""

    WRITING = "writing"
    VERIFYING = "verifying"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an export is.

    Attributes:
        done: Exams that are whole on the stick.
        total: Exams altogether.
        folder: The exam being written, or the one just finished.
        file: The file being written or verified; empty when the exam is finished.
        phase: What is being done.
    """

    done: int
    total: int
    folder: str
    file: str
    phase: Phase


@dataclass(frozen=True, slots=True)
class Exported:
    """What is whole on the stick now.

    Attributes:
        folders: Their names, in the order of writing.
        files: How many files they hold, checksums included.
        size: Bytes of these files.
    """

    folders: tuple[str, ...]
    files: int
    size: int


def export(
    target: Path,
    folders: Sequence[ExportFolder],
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Exported:
    """Write exams below a folder of a stick; an exam that is there already is replaced.

    Args:
        target: An existing folder on the stick.
        folders: What to write.
        on_progress: Called before every step, in the caller's thread; raising ends the export, finished exams stay.

    Raises:
        StickFullError: There is not enough room; asked for beforehand, and again by the stick itself.
        StickGoneError: The stick was pulled or does not answer.
        StickReadOnlyError: The stick cannot be written to.
        ExportDamagedError: What was written reads back differently.
        ExportError: The stick fails in another way.
    """
    handle = _open_folder(target)
    try:
        _require_room(handle, target, sum(folder.estimate_bytes for folder in folders))
        count = size = 0
        for done, folder in enumerate(folders):
            writer = _FolderWriter(handle, target, folder.name)

            def report(file: str, phase: Phase, done: int = done, name: str = folder.name) -> None:
                on_progress(Progress(done, len(folders), name, file, phase))

            written = writer.write(folder.files(), report)
            count, size = count + len(written), size + sum(written.values())
            on_progress(Progress(done + 1, len(folders), folder.name, "", Phase.DONE))
        return Exported(tuple(folder.name for folder in folders), count, size)
    finally:
        os.close(handle)


def require_folder(target: Path) -> None:
    """Ask beforehand whether there is anything to write to, before a PIN is typed for it.

    Raises:
        StickGoneError: The folder is not there.
    """
    os.close(_open_folder(target))


def require_room(target: Path, folders: Sequence[ExportFolder]) -> None:
    """Ask beforehand whether all of these fit, before they are exported one by one.

    Raises:
        StickFullError: They do not.
        StickGoneError: The folder is not there.
    """
    handle = _open_folder(target)
    try:
        _require_room(handle, target, sum(folder.estimate_bytes for folder in folders))
    finally:
        os.close(handle)


class _FolderWriter:
    """Writes one exam's folder below an open handle of the target."""

    def __init__(self, target: int, place: Path, name: str) -> None:
        if not _is_one_word(name) or name.endswith((PART, OLD)):
            raise ValueError("a folder's name is one word of a path")
        self._target = target
        self._place = place / name
        self._name = name

    def write(self, files: Iterable[ExportFile], report: Callable[[str, Phase], None]) -> dict[str, int]:
        """Write, verify and name the folder; gives the sizes of its files by name."""
        part = self._name + PART
        try:
            with _translated(self._place):
                self._remove(part)
                os.mkdir(part, 0o755, dir_fd=self._target)
                handle = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=self._target)
            try:
                sizes = self._fill(handle, files, report)
            finally:
                os.close(handle)
            with _translated(self._place):
                self._give_name(part)
        except BaseException:
            with contextlib.suppress(OSError):  # the stick may be gone; the name says that it is not whole
                self._remove(part)
            raise
        return sizes

    def _fill(self, folder: int, files: Iterable[ExportFile], report: Callable[[str, Phase], None]) -> dict[str, int]:
        digests: dict[str, str] = {}
        sizes: dict[str, int] = {}
        for file in files:
            if file.name in {*digests, CHECKSUMS} or not _is_one_word(file.name):
                raise ValueError(f"{file.name!r} cannot be the name of a file of this export")
            report(file.name, Phase.WRITING)
            digests[file.name] = self._write_file(folder, file.name, file.pieces)
            sizes[file.name] = file.pieces.size
        listing = "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()
        digests[CHECKSUMS] = self._write_file(folder, CHECKSUMS, Pieces.of(listing))
        sizes[CHECKSUMS] = len(listing)
        with _translated(self._place):
            settle(folder)
        for name, digest in digests.items():
            report(name, Phase.VERIFYING)
            with _translated(self._place / name):
                _, read_back = digest_from_medium(name, folder)
            if read_back != digest:
                raise ExportDamagedError(self._place / name)
        return sizes

    def _write_file(self, folder: int, name: str, content: Pieces) -> str:
        """Write and synchronise one file; gives its SHA-256."""
        _require_room(folder, self._place, content.size)
        with _translated(self._place / name):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(name, flags, 0o644, dir_fd=folder), "wb") as stream:
                for piece in content:
                    stream.write(piece)
                stream.flush()
                os.fsync(stream.fileno())
        return content.sha256

    def _give_name(self, part: str) -> None:
        """Put the finished folder in the place of an older one, if there is one."""
        older = self._name + OLD
        self._remove(older)
        with contextlib.suppress(FileNotFoundError):
            os.rename(self._name, older, src_dir_fd=self._target, dst_dir_fd=self._target)
        os.rename(part, self._name, src_dir_fd=self._target, dst_dir_fd=self._target)
        settle(self._target)
        self._remove(older)

    def _remove(self, name: str) -> None:
        """Take away a folder of ours, or a file or link that has its name; nothing happens when there is none."""
        with contextlib.suppress(FileNotFoundError):
            try:
                os.unlink(name, dir_fd=self._target)
            except (IsADirectoryError, PermissionError):  # Linux says the first, POSIX the second
                shutil.rmtree(name, dir_fd=self._target)


def _open_folder(target: Path) -> int:
    with _translated(target):
        return os.open(target, os.O_RDONLY | os.O_DIRECTORY)


def _is_one_word(name: str) -> bool:
    return name not in {"", ".", ".."} and "/" not in name and "\0" not in name


def _require_room(handle: int, place: Path, needed: int) -> None:
    with _translated(place):
        state = os.fstatvfs(handle)
    free = state.f_bavail * state.f_frsize
    if free < needed + SPARE_BYTES:
        raise StickFullError(place, f"{needed + SPARE_BYTES >> 20} MiB are needed, {free >> 20} MiB are free")


def _translated(place: Path) -> contextlib.AbstractContextManager[None]:
    return translated(place, ExportError, StickGoneError)
