# SPDX-License-Identifier: Apache-2.0
"""A folder of stored frames as a source that is stepped through: an exported examination, or a whole stick.

Files are read through the sandbox, so a hostile one costs its own error and the next call goes on behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from device.capture.files.frame_file import FrameFile
from device.capture.files.listing import MOST, images_below, list_images
from device.capture.frame import Frame
from device.capture.sandbox.reader import SandboxedReader
from device.errors import FileMissingError, FrameError, SourceLostError, UnreadableFileError


class FolderSource:
    """The frames of all pictures in a folder, in natural order, cine loops frame by frame.

    Attributes:
        name: What a person would call it.
        live: ``False``.
    """

    live = False

    def __init__(
        self,
        folder: Path,
        name: str = "",
        deep: bool = False,
        present: Callable[[], bool] | None = None,
    ) -> None:
        """Describe it.

        Args:
            folder: Where the pictures are.
            name: What to call it, by default the folder's name.
            deep: Also the folders below.
            present: Says whether the medium is still plugged in; the kernel goes on showing the folders of a pulled
                stick for a while.
        """
        self.name = name or folder.name or str(folder)
        self._folder, self._deep, self._present = folder, deep, present
        self._reader = SandboxedReader()
        self._files: list[Path] = []
        self._refused: list[FrameError] = []
        self._next_file = 0
        self._file: FrameFile | None = None
        self._index = 0

    @property
    def files(self) -> tuple[Path, ...]:
        """The pictures that were found when the source was opened."""
        return tuple(self._files)

    def open(self) -> None:
        """List the pictures; after a loss, go on with the file that was next.

        Raises:
            SourceLostError: The folder is not there or cannot be read.
        """
        current = self._files[self._next_file] if self._next_file < len(self._files) else None
        self._let_go()
        self._require_medium()
        self._refused.clear()
        try:
            files = self._listed()
        except FrameError as error:
            raise SourceLostError(self.name, error.detail) from error
        self._files = files
        if current is not None:
            self._next_file = files.index(current) if current in files else min(self._next_file, len(files))

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        """The next frame, or ``None`` behind the last.

        Raises:
            SourceLostError: The folder is gone.
            FrameError: This file, or a folder below, cannot be read; the next call goes on behind it.
        """
        if self._refused:
            self._require_folder()
            raise self._refused.pop(0)
        while True:
            if self._file is None and self._next_file >= len(self._files):
                self._require_folder()
                return None
            try:
                return self._read_one()
            except IndexError:
                self._leave_file()  # a container that promised a frame or two more than it has
            except FrameError as error:
                self._let_go()
                if isinstance(error, FileMissingError | UnreadableFileError):
                    self._require_folder()
                self._leave_file()
                raise

    def check(self) -> None:
        """See that the folder is still there; a stick can go between two reads.

        Raises:
            SourceLostError: It is not.
        """
        self._require_folder()

    def close(self) -> None:
        """Let go of the file that is open."""
        self._let_go()
        self._reader.close()
        self._reader = SandboxedReader()

    def _listed(self) -> list[Path]:
        if self._deep:
            return images_below(self._folder, sniff_content=False, refused=self._refused.append)
        return list_images(self._folder)[:MOST]

    def _read_one(self) -> Frame:
        """One frame; a file is closed with its last one, so that a stick can be unmounted while it is looked at."""
        if self._file is None:
            self._file, self._index = self._reader.open_frames(self._files[self._next_file]), 0
        frame = self._file.read_at(self._index)
        self._index += 1
        if self._index >= self._file.frame_count:
            self._leave_file()
        return frame

    def _leave_file(self) -> None:
        self._let_go()
        self._next_file += 1

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _require_medium(self) -> None:
        if self._present is not None and not self._present():
            self._let_go()
            raise SourceLostError(self.name, "pulled")

    def _require_folder(self) -> None:
        self._require_medium()
        try:
            present = next(iter(self._folder.iterdir()), None) is not None
        except OSError as error:
            self._let_go()  # a file left open would keep the stick's place from being used again
            raise SourceLostError(self.name, error.strerror or "") from error
        if not present and self._files:  # the place where a stick was mounted stays, empty
            self._let_go()
            raise SourceLostError(self.name)
