# SPDX-License-Identifier: Apache-2.0
"""What of a folder is worth offering as frames: by name where the name is an accepted one, else by content.

A file that is called a picture is listed even when it is broken, because saying so helps and leaving it out would hide
a lost examination. Files of other kinds are left out without a word.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from device.capture.files.content import HEAD_BYTES, reading_error, sniff
from device.errors import FrameError, NotAnImageError, UnreadableFileError

# fmt: off
SUFFIXES: Final = frozenset({
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".dcm", ".dicom", ".dic",
    ".ima", ".avi", ".mp4", ".m4v", ".mov", ".mkv",
})
# fmt: on
"""Names that claim to be accepted content, in lower case."""

# fmt: off
_OTHERS: Final = frozenset({
    ".txt", ".csv", ".tsv", ".md", ".json", ".xml", ".html", ".htm", ".pdf", ".doc", ".docx", ".xls", ".xlsx",
    ".ods", ".odt", ".zip", ".gz", ".7z", ".rar", ".exe", ".dll", ".inf", ".ini", ".db", ".sqlite", ".log", ".py",
    ".sh", ".toml", ".yaml", ".yml", ".mp3", ".wav", ".gif", ".svg", ".heic", ".npz", ".npy", ".tflite", ".lnk",
    ".bat", ".css", ".js",
})
# fmt: on
_NOT_PICTURES: Final = frozenset({"dicomdir", "thumbs.db", "desktop.ini"})
DEEPEST: Final = 8
"""Folders below each other; DICOM sticks nest patient, study and series."""

MOST: Final = 10_000
"""Files."""

_DIGITS: Final = re.compile(r"(\d+)")


def natural_key(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Sorts ``view 2`` before ``view 10``, without regard to case; equal names by their exact spelling."""
    parts = _DIGITS.split(name.casefold())
    return [(0, int(p), "") if p.isdecimal() and p.isascii() else (1, 0, p) for p in parts if p], name


def list_images(folder: Path, sniff_content: bool = True) -> list[Path]:
    """The files of ``folder`` (not of its folders) that are, or claim to be, of accepted content, in natural order.

    Hidden files, the DICOMDIR index, pipes, devices and links that lead out of the folder are left out.

    Args:
        folder: Where to look.
        sniff_content: Open files whose name says nothing to judge by their first bytes; ``False`` takes those without a
            telling suffix as possible DICOM, which costs no reading on a slow stick.

    Raises:
        FileMissingError: The folder is not there (any more).
        UnreadableFileError: It cannot be read.
        NotAnImageError: It is not a folder.
    """
    folder = Path(folder)
    try:
        root = os.path.realpath(folder)
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if _offered(e, root, sniff_content)]
    except NotADirectoryError as error:
        raise NotAnImageError(folder, "not a folder") from error
    except (OSError, ValueError) as error:
        raise reading_error(folder, error) from error
    return [folder / name for name in sorted(names, key=natural_key)]


def walk_folders(folder: Path) -> Iterator[Path]:
    """The folders directly inside ``folder``, in natural order, hidden ones and links left out.

    Raises:
        FileMissingError: The folder is not there (any more).
        UnreadableFileError: It cannot be read.
        NotAnImageError: It is not a folder.
    """
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if not e.name.startswith(".") and e.is_dir(follow_symlinks=False)]
    except NotADirectoryError as error:
        raise NotAnImageError(folder, "not a folder") from error
    except (OSError, ValueError) as error:
        raise reading_error(folder, error) from error
    for name in sorted(names, key=natural_key):
        yield folder / name


def images_below(
    folder: Path, sniff_content: bool = True, most: int = MOST, *, refused: Callable[[FrameError], None]
) -> list[Path]:
    """The images of a folder and of the folders in it, in natural order: what DICOM sticks hold patient by patient.

    Args:
        folder: Where to begin; ``DEEPEST`` folders below each other are looked into.
        sniff_content: As for :func:`list_images`.
        most: Files that are listed.
        refused: Told of each folder inside that cannot be read or lies too deep; the others are listed all the same.

    Raises:
        FileMissingError: The folder is not there (any more).
        UnreadableFileError: It cannot be read.
        NotAnImageError: It is not a folder.
    """
    return list(islice(_below(Path(folder), DEEPEST, sniff_content, refused), most))


def _below(folder: Path, depth: int, sniff_content: bool, refused: Callable[[FrameError], None]) -> Iterator[Path]:
    yield from list_images(folder, sniff_content)
    for inner in walk_folders(folder):
        if depth == 0:
            refused(UnreadableFileError(inner, f"more than {DEEPEST} folders below each other"))
            continue
        try:
            yield from _below(inner, depth - 1, sniff_content, refused)
        except FrameError as error:
            refused(error)


def _offered(entry: os.DirEntry[str], root: str, sniff_content: bool) -> bool:
    name = entry.name.lower()
    if name.startswith(".") or name in _NOT_PICTURES:
        return False
    suffix = os.path.splitext(name)[1]  # noqa: PTH122 - ten thousand times a listing, no object for each
    if suffix in _OTHERS:
        return False
    if entry.is_symlink() and not os.path.realpath(entry.path).startswith(root.rstrip("/") + "/"):
        return False
    try:
        if not entry.is_file():
            return False
    except OSError as error:
        return error.errno != errno.ELOOP  # a medium that fails here will say so where the file is read
    return suffix in SUFFIXES or not sniff_content or _accepted(entry.path)


def _accepted(path: str) -> bool:
    """By the first bytes; what cannot be read may be an examination too, and says why where it is read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        return sniff(os.read(descriptor, HEAD_BYTES)) is not None
    except OSError:
        return True
    finally:
        os.close(descriptor)
