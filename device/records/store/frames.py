# SPDX-License-Identifier: Apache-2.0
"""Pixels on the card: a view's frame, heat map and loop as encrypted files, and back.

Between ``blobs`` (which keeps opaque files) and the store (which keeps rows). A loop is written and read one frame at a
time, because it may be larger than the memory of a small device.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from device.capture.frame import Frame, Pixels
from device.errors import RecordDamagedError
from device.records import picture
from device.records.exam import View
from device.records.keys.vault import Vault
from device.records.store import codec
from device.records.store.blobs import BlobFile, BlobFolder, new_file_id


@dataclass(frozen=True, slots=True)
class WrittenView:
    """A view whose pixels are on the card, ready for its row.

    Attributes:
        payload: The view's JSON, naming its files.
        thumbnail: Small JPEG, in clear.
        files: What was written.
    """

    payload: codec.Json
    thumbnail: bytes
    files: tuple[BlobFile, ...]

    @property
    def file_ids(self) -> tuple[str, ...]:
        """Names of the files."""
        return tuple(file.file_id for file in self.files)


class FrameFiles:
    """The frame files of a records folder.

    Attributes:
        blobs: The files themselves, encrypted.
    """

    def __init__(self, folder: Path, vault: Vault) -> None:
        self.blobs = BlobFolder(folder / "frames")
        self._vault = vault

    def write(self, view: View) -> WrittenView:
        """Write a view's pixels durably.

        Raises:
            DiskFullError: There is no room; nothing is left behind.
            RecordsError: The card failed.
        """
        files: list[BlobFile] = []

        def put(pixels: Pixels) -> str:
            file_id = new_file_id()
            files.append(self.blobs.write(file_id, self._vault.seal("frame", file_id, picture.to_png(pixels))))
            return file_id

        try:
            frame = put(view.frame.pixels)
            heat_map = None if view.finding.heat_map is None else put(view.finding.heat_map)
            cine = [codec.frame_to_json(loop, put(loop.pixels)) for loop in view.cine]
            self.blobs.settle()
        except BaseException:
            self.blobs.remove(file.file_id for file in files)
            raise
        payload = codec.view_to_json(view, frame, heat_map, cine)
        return WrittenView(payload, picture.thumbnail(view.frame.pixels), tuple(files))

    def view(self, payload: codec.Json, files: dict[str, BlobFile]) -> View:
        """A view from its row; the loop stays on the card.

        Raises:
            RecordDamagedError: A file is missing or damaged.
        """
        try:
            return codec.view_from_json(payload, lambda file_id: self._pixels(files, file_id))
        except (ValueError, KeyError, TypeError) as error:
            raise RecordDamagedError(str(payload.get("uid")), f"{type(error).__name__}: {error}") from error

    def cine(self, payload: codec.Json, files: dict[str, BlobFile]) -> Iterator[Frame]:
        """The frames of a view's loop, oldest first, one at a time.

        Raises:
            RecordDamagedError: A file is missing or damaged.
        """
        for frame in payload["cine"]:
            yield codec.frame_from_json(frame, lambda file_id: self._pixels(files, file_id))

    def _pixels(self, files: dict[str, BlobFile], file_id: str) -> Pixels:
        if file_id not in files:
            raise RecordDamagedError(file_id, "no row names it")
        content = self._vault.unseal("frame", file_id, self.blobs.read(files[file_id]))
        return picture.from_bytes(content, file_id)


def raw_bytes(view: View) -> int:
    """Bytes of all pixels of a view that the clinic may get, unpacked."""
    return view.frame.pixels.nbytes + sum(frame.pixels.nbytes for frame in view.cine)
