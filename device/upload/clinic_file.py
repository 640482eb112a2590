# SPDX-License-Identifier: Apache-2.0
"""One file that the clinic's server offers beside its archive: looked at by its beginning, fetched piece by piece.

Same address, same trust and credential as sending. A download that breaks goes on where it was (byte ranges, RFC 9110
section 14), because on the networks that handhelds meet it breaks. What a file *is*, the caller has to check.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from urllib.parse import urlsplit

from device.errors import ArchiveAnswerError, ArchiveRefusedError, ArchiveUnreachableError, UpdateMissingError
from device.files import Progress
from device.upload.destination import Destination
from device.upload.link import Link, Reply
from device.upload.pace import Pace

_UNAUTHORISED = (401, 403)
_ABSENT = (404, 410)
_WHOLE, _PART = 200, 206


class ClinicFile:
    """A file on the clinic's server; for one thread, but for :meth:`stop`.

    Args:
        where: The clinic.
        target: Path of the file on its server, beginning with ``/``.
    """

    def __init__(self, where: Destination, target: str) -> None:
        parts = urlsplit(where.url)
        self._stopped = threading.Event()
        self._link = Link(f"{parts.scheme}://{parts.netloc}", where.access, Pace(where.bytes_per_s, self._stopped))
        self._target = target

    def stop(self) -> None:
        """Break off what is going on, from another thread."""
        self._stopped.set()
        self._link.abort()

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def beginning(self, count: int) -> bytes:
        """The first bytes.

        Args:
            count: How many at most.

        Raises:
            UpdateMissingError: The clinic offers no such file.
            UploadError: The clinic cannot be reached, is not trusted, or answers nonsense.
        """
        found = b""
        reply = self._ask(0, count)
        for piece in reply.chunks(limit=1 << 62):
            found += piece
            if len(found) >= count:
                break
        self._link.close()  # a server that knows no ranges would go on
        return found[:count]

    def fetch(self, path: Path, size: int, progress: Progress) -> None:
        """Bring a file on the card to its full size; what is there already stays.

        Args:
            path: The file; made when it is not there.
            size: Bytes that it shall have.
            progress: Told bytes done and in all.

        Raises:
            UpdateMissingError: The clinic does not offer it any more.
            UploadError: The connection broke; what has come so far is kept.
            OSError: It cannot be written.
        """
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as out:
            done = min(os.fstat(handle).st_size, size)
            if done < size:
                reply = self._ask(done, size - done)
                if reply.status == _WHOLE:
                    done = 0
                out.seek(done)
                out.truncate()
                for piece in reply.chunks(limit=size - done):
                    out.write(piece)
                    done += len(piece)
                    progress(done, size)
            out.flush()
            os.fsync(handle)
        if done != size:
            raise ArchiveAnswerError(self._link.name, f"{done} bytes instead of {size}")

    def _ask(self, start: int, count: int) -> Reply:
        headers = {"Range": f"bytes={start}-{start + count - 1}", "Accept": "application/octet-stream"}
        reply = self._link.request("GET", self._target, headers, expected=count)
        if reply.status in (_WHOLE, _PART):
            return reply
        self._link.close()
        if reply.status in _ABSENT:
            raise UpdateMissingError(self._link.name)
        if reply.status in _UNAUTHORISED:
            raise ArchiveRefusedError(self._link.name, f"status {reply.status}")
        if reply.status >= 500:
            raise ArchiveUnreachableError(self._link.name, f"status {reply.status}")
        raise ArchiveAnswerError(self._link.name, f"status {reply.status}")
