# SPDX-License-Identifier: Apache-2.0
"""A clinic's archive over DICOMweb: store one instance, find it again, and compare what is there with what was sent.

A status of 200 proves nothing: proxies and archives have answered it and stored nothing, and an archive that does not
overwrite discards a second content under a known UID and says 200 as well. So nothing here believes a status. Whether
an instance is there is asked for (QIDO-RS), and whether it is the right one is seen by reading it back (WADO-RS).

All questions name the study, so an archive can answer a handheld without letting it look at any other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from device.errors import (
    ArchiveAnswerError,
    ArchiveRefusedError,
    ArchiveRejectedError,
    ArchiveUnreachableError,
    ContentConflictError,
    NotStoredError,
)
from device.records.pieces import Pieces
from device.structured import StructureError, parse_json
from device.upload.comparison import differences
from device.upload.link import Link, Reply
from device.upload.multipart import ACCEPT_AS_STORED, unwrap, wrap

DICOM_JSON = "application/dicom+json"

_LARGEST_JSON = 4 << 20
_LARGEST_READ_BACK = 1 << 30
"""Bytes of an instance whose digest is taken as it comes in; nothing of it is kept."""

_LARGEST_COMPARED = 128 << 20
"""Bytes of an instance that an archive has rewritten and that is compared, in another process' memory."""

_UID = re.compile(r"[0-9][0-9.]{0,63}")
"""Generous: some archives write leading zeros; nothing but digits and dots goes into a path."""

_SOP_INSTANCE_UID = "00080018"
_SERIES_INSTANCE_UID = "0020000E"

_ALREADY_THERE = 409
_UNREADABLE = (404, 410)
_UNAUTHORISED = (401, 403)
_OVERLOADED = (408, 425, 429, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class StoredInstance:
    """Where an archive has an instance.

    Attributes:
        study_uid: Study Instance UID.
        series_uid: Series Instance UID.
        sop_uid: SOP Instance UID.
    """

    study_uid: str
    series_uid: str
    sop_uid: str

    @property
    def target(self) -> str:
        """The instance's path below the service."""
        return f"/studies/{self.study_uid}/series/{self.series_uid}/instances/{self.sop_uid}"


class DicomWebArchive:
    """An archive at the other end of a link."""

    def __init__(self, url: str, link: Link) -> None:
        self.url = url.rstrip("/")
        self._link = link

    def store(self, content: Pieces) -> None:
        """Send one instance (STOW-RS). That this returns does not mean that it is stored.

        Args:
            content: A DICOM file.

        Raises:
            ArchiveUnreachableError: No connection, or it broke, or the archive is overloaded.
            ArchiveUntrustedError: It is not the archive of this device.
            ArchiveRefusedError: It does not let this device store.
            ArchiveRejectedError: It says that it will not store this instance.
            ArchiveAnswerError: It is no archive.
            UploadStoppedError: It was stopped.
        """
        content_type, body = wrap(content)
        headers = {"Content-Type": content_type, "Accept": DICOM_JSON}
        reply = self._link.request("POST", "/studies", headers, body)
        reply.body(_LARGEST_JSON)  # whatever it says, it is not the proof
        if reply.status == _ALREADY_THERE or 200 <= reply.status < 300:
            return
        self._raise_for(reply)
        if 400 <= reply.status < 500:
            raise ArchiveRejectedError(self._link.name, f"status {reply.status}")
        raise ArchiveAnswerError(self._link.name, f"status {reply.status}")

    def find(self, study_uid: str, sop_uid: str) -> StoredInstance | None:
        """Ask for an instance (QIDO-RS).

        Args:
            study_uid: The study that it must be in.
            sop_uid: Its SOP Instance UID.

        Returns:
            Where it is, or ``None`` if the archive has none.

        Raises:
            ContentConflictError: The archive has it more than once, for instance under another patient.
            UploadError: As for :meth:`store`.
        """
        query = urlencode({"SOPInstanceUID": sop_uid})
        reply = self._link.request("GET", f"/studies/{study_uid}/instances?{query}", {"Accept": DICOM_JSON})
        text = reply.body(_LARGEST_JSON)
        if reply.status in (204, 404):
            return None
        self._raise_unless_ok(reply)
        found = [entry for entry in entries_of(text, self._link.name) if _value(entry, _SOP_INSTANCE_UID) == sop_uid]
        if not found:
            return None
        if len(found) > 1:
            raise ContentConflictError(sop_uid, f"the archive has it {len(found)} times")
        series_uid = _value(found[0], _SERIES_INSTANCE_UID)
        if series_uid is None or not _UID.fullmatch(series_uid):
            raise ArchiveAnswerError(self._link.name, "an instance without a series")
        return StoredInstance(study_uid, series_uid, sop_uid)

    def verify(self, stored: StoredInstance, content: Pieces) -> None:
        """Read an instance back (WADO-RS) and compare it with what was sent.

        The bytes are compared by their SHA-256 as they come in, so a loop is never held. Only if they differ is the
        instance fetched once more and its content compared, in a process of its own.

        Args:
            stored: Where it is.
            content: What was sent.

        Raises:
            ContentConflictError: The archive has something else under this name.
            NotStoredError: It is there, but not to be read (any more) by this device.
            UploadError: As for :meth:`store`.
        """
        digest, size = hashlib.sha256(), 0
        for piece in self._read_back(stored, content.size, _LARGEST_READ_BACK):
            digest.update(piece)
            size += len(piece)
        if digest.hexdigest() == content.sha256:
            return
        if max(size, content.size) > _LARGEST_COMPARED:
            raise ContentConflictError(stored.sop_uid, "written anew there, and too large to be compared")
        different = differences(content, self._read_back(stored, content.size, _LARGEST_COMPARED), _LARGEST_COMPARED)
        if different:
            raise ContentConflictError(stored.sop_uid, f"different: {', '.join(different[:8])}")

    def _read_back(self, stored: StoredInstance, expected: int, limit: int) -> Iterator[bytes]:
        reply = self._link.request("GET", stored.target, {"Accept": ACCEPT_AS_STORED}, expected=expected)
        if reply.status != 200:
            reply.body(_LARGEST_JSON)  # unread, it would stand in the way of the next answer
        if reply.status in _UNREADABLE:
            raise NotStoredError(stored.sop_uid, f"status {reply.status}")
        self._raise_unless_ok(reply)
        return unwrap(reply.content_type, reply.chunks(limit), self._link.name)

    def _raise_unless_ok(self, reply: Reply) -> None:
        self._raise_for(reply)
        if reply.status != 200:
            raise ArchiveAnswerError(self._link.name, f"status {reply.status}")

    def _raise_for(self, reply: Reply) -> None:
        """What every kind of request may be told."""
        if reply.status in _UNAUTHORISED:
            raise ArchiveRefusedError(self._link.name, f"status {reply.status}")
        if reply.status in _OVERLOADED:
            raise ArchiveUnreachableError(self._link.name, f"status {reply.status}")


def entries_of(text: bytes, where: str) -> list[dict[str, Any]]:
    """The list of a QIDO-RS answer.

    Raises:
        ArchiveAnswerError: It is none.
    """
    try:
        entries = parse_json(text)
    except StructureError as error:
        raise ArchiveAnswerError(where, str(error)) from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ArchiveAnswerError(where, "not a list of instances")
    return entries


def _value(entry: dict[str, Any], tag: str) -> str | None:
    """The first value of an attribute in DICOM's JSON form."""
    attribute = entry.get(tag)
    values = attribute.get("Value") if isinstance(attribute, dict) else None
    first = values[0] if isinstance(values, list) and values else None
    return first if isinstance(first, str) else None
