# SPDX-License-Identifier: Apache-2.0
"""Opening what was sealed for the clinic, in chunks; used by ``table.OutboxTable``.

Files that software before chunks has sealed, in one piece, are opened as they are: they wait on a card, or lie in a
backup, until a clinic is in reach.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from device.errors import RecordDamagedError, SealError
from device.records.keys.hpke import HpkeOpener
from device.records.keys.stream import MAGIC, is_stream, open_stream
from device.records.outbox.rows import QueuedInstance, instance_label
from device.records.pieces import Pieces
from device.records.store.blobs import BlobFile, BlobFolder


def opened_instance(
    files: BlobFolder, sealed: BlobFile, instance: QueuedInstance, opener: HpkeOpener
) -> Iterator[bytes]:
    """The DICOM file of an instance in pieces, the last of them only when all was what the row says.

    Raises:
        RecordDamagedError: The sealed file is missing, unreadable or another one than was queued.
        SealError: It was sealed to another upload key, or changed.
    """
    label = instance_label(instance.sop_uid)
    with files.reading(sealed) as stream:
        head = stream.read(len(MAGIC))
        stream.seek(0)
        if not is_stream(head):
            yield from Pieces.of(opener.open(label, files.read(sealed)))
            return
        watched = _Digested(stream)
        size, held = 0, b""
        try:
            for piece in open_stream(opener, label, watched):
                size += len(piece)
                if held:
                    yield held
                held = piece
        except SealError:
            files.check(sealed)  # what was damaged on the card is no stranger's
            raise
        if watched.sha256 != sealed.sha256 or size != instance.size:
            raise RecordDamagedError(sealed.file_id, "not what was written")
        yield held


class _Digested:
    """A stream that is read once, from its beginning, and whose digest is known at its end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        content = self._stream.read(size)
        self._digest.update(content)
        return content

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()
