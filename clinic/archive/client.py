# SPDX-License-Identifier: Apache-2.0
"""Questions to the archive: QIDO-RS and WADO-RS, and Orthanc's feed of changes where there is one.

Used from many threads at once. Every answer is bounded in size and time. Storing goes through the handheld's own
``device.upload.stow``, which believes no status and reads back what it has sent.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit, urlunsplit

import httpx

from clinic.archive.circuit_breaker import CircuitBreaker
from clinic.archive.errors import ArchiveDeniedError, ArchiveNonsenseError, ArchiveSilentError, NotInArchiveError
from device.errors import UploadError
from device.records.pieces import Pieces
from device.site.access import ClinicAccess
from device.upload.link import Link
from device.upload.multipart import ACCEPT_AS_STORED, unwrap
from device.upload.pace import Pace
from device.upload.stow import DicomWebArchive

DICOM_JSON: Final = "application/dicom+json"
JsonDataset = dict[str, Any]
"""One DICOM data set in DICOM's JSON form."""

_TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)
_PICTURE_S: Final = 15.0
"""Of a picture: a page waits for dozens."""

_PICTURE_TIMEOUT: Final = httpx.Timeout(_PICTURE_S, connect=5.0)
_LARGEST_LIST: Final = 16 << 20
_LARGEST_METADATA: Final = 64 << 20
"""Bytes of a study's metadata; a cine loop's takes a few kilobytes, a report with many outlines some hundred."""

_LARGEST_PICTURE: Final = 32 << 20
_LARGEST_INSTANCE: Final = 256 << 20
_PIECE: Final = 64 << 10
_OVERLOADED: Final = (408, 425, 429, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Picture:
    """A rendered picture.

    Attributes:
        content: The file.
        media_type: ``image/jpeg`` or ``image/png``.
    """

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Instance:
    """What one instance is asked for by.

    Attributes:
        study_uid: Study Instance UID.
        series_uid: Series Instance UID.
        sop_uid: SOP Instance UID.
    """

    study_uid: str
    series_uid: str
    sop_uid: str

    @property
    def path(self) -> str:
        """Below the DICOMweb service."""
        return f"/studies/{self.study_uid}/series/{self.series_uid}/instances/{self.sop_uid}"


@dataclass(frozen=True, slots=True)
class Changes:
    """One page of Orthanc's feed of changes.

    Attributes:
        last: Number of the last one; the next page is asked for with it.
        done: Whether there are none after it.
        entries: What has changed.
    """

    last: int
    done: bool
    entries: Sequence[JsonDataset]


class ArchiveClient:
    """The archive over DICOMweb.

    Args:
        url: Address of the DICOMweb service, for instance ``http://127.0.0.1:8742/dicom-web``.
        access: Whom to trust and who we are.
    """

    def __init__(self, url: str, access: ClinicAccess) -> None:
        self.url = url.rstrip("/")
        self._access = access
        verify = access.tls() if urlsplit(url).scheme == "https" else False
        self._http = httpx.Client(verify=verify, headers=access.headers(), timeout=_TIMEOUT, trust_env=False)
        self._stranger = httpx.Client(verify=verify, timeout=_TIMEOUT, trust_env=False)  # shows no password of ours
        self._storing = threading.Lock()
        self._breaker = CircuitBreaker(_PICTURE_S)

    @property
    def server(self) -> str:
        """Address of the server that the DICOMweb service belongs to, where Orthanc has its own interface."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc, parts.path.rpartition("/")[0], "", ""))

    def studies(self, query: Mapping[str, str], limit: int, offset: int) -> list[JsonDataset]:
        """Studies that fit a query, a page at a time (QIDO-RS).

        Args:
            query: DICOM keywords and values, for instance ``{"StudyDate": "20260101-"}``.
            limit: How many at most.
            offset: How many to leave out first.

        Raises:
            ArchiveError: It cannot be asked.
        """
        fields = ["NumberOfStudyRelatedInstances", "ModalitiesInStudy"]
        asked = {**query, "includefield": fields, "limit": str(limit), "offset": str(offset)}
        return self._datasets("/studies", asked, _LARGEST_LIST)

    def study_metadata(self, study_uid: str) -> list[JsonDataset]:
        """Every attribute but the pixels of every instance of a study; empty when the archive has no such study.

        Raises:
            ArchiveError: It cannot be asked.
        """
        try:
            return self._datasets(f"/studies/{study_uid}/metadata", {}, _LARGEST_METADATA)
        except NotInArchiveError:
            return []

    def has(self, study_uid: str, sop_uid: str) -> bool:
        """Whether the archive has an instance.

        Raises:
            ArchiveError: It cannot be asked.
        """
        try:
            found = self._datasets(f"/studies/{study_uid}/instances", {"SOPInstanceUID": sop_uid}, _LARGEST_LIST)
        except NotInArchiveError:
            return False
        return any(value_of(entry, "00080018") == sop_uid for entry in found)

    def rendered(self, instance: Instance, frame: int = 1, size: tuple[int, int] | None = None) -> Picture:
        """A frame as a picture that a browser shows, with the archive's own window.

        Args:
            instance: Which instance.
            frame: From 1.
            size: Width and height that it is made to fit, by default its own.

        Raises:
            NotInArchiveError: There is no such frame.
            ArchiveError: The archive cannot be asked.
        """
        # Orthanc wants the comma as it is, so this does not go through the library's encoding of queries.
        fit = "" if size is None else f"?viewport={size[0]},{size[1]}"
        url, headers = f"{self.url}{instance.path}/frames/{frame}/rendered{fit}", {"Accept": "image/jpeg"}
        with self._breaker.question(), self._request("GET", url, headers, limits=_PICTURE_TIMEOUT) as reply:
            if reply.status_code in _OVERLOADED:
                _raise_for(reply)
            if reply.status_code != 200:
                raise NotInArchiveError(f"no picture of this instance (status {reply.status_code})")
            kind = reply.headers.get("Content-Type", "").partition(";")[0]
            if kind not in ("image/jpeg", "image/png"):
                raise ArchiveNonsenseError(f"a picture of the type {kind[:40]!r}")
            return Picture(_bounded(reply, _LARGEST_PICTURE), kind)

    def file(self, instance: Instance) -> bytes:
        """A whole instance as a DICOM file, as it is stored.

        Raises:
            NotInArchiveError: It is not there.
            ArchiveError: The archive cannot be asked.
        """
        with self._get(self.url + instance.path, {}, {"Accept": ACCEPT_AS_STORED}) as reply:
            _raise_for(reply)
            content = _bounded(reply, _LARGEST_INSTANCE)
        try:
            return b"".join(unwrap(reply.headers.get("Content-Type", ""), [content], self.url))
        except UploadError as error:
            raise ArchiveNonsenseError(error.detail) from error

    def changes(self, since: int, limit: int = 100) -> Changes | None:
        """Orthanc's feed of changes; ``None`` where the archive has none.

        Raises:
            ArchiveError: It cannot be asked.
        """
        with self._get(f"{self.server}/changes", {"since": str(since), "limit": str(limit)}, {}) as reply:
            if reply.status_code == 404:
                return None
            _raise_for(reply)
            found = _object(_bounded(reply, _LARGEST_LIST))
        last, entries = found.get("Last"), found.get("Changes")
        if type(last) is not int or not isinstance(entries, list):
            raise ArchiveNonsenseError("not a page of changes")
        return Changes(last, bool(found.get("Done", True)), [entry for entry in entries if isinstance(entry, dict)])

    def resource(self, path: str) -> JsonDataset | None:
        """One of Orthanc's own resources, for instance ``/studies/<its identifier>``; ``None`` when it has gone.

        Raises:
            ArchiveError: It cannot be asked.
        """
        with self._get(self.server + path, {}, {}) as reply:
            if reply.status_code == 404:
                return None
            _raise_for(reply)
            return _object(_bounded(reply, _LARGEST_LIST))

    def accepts(self, authorization: str) -> bool:
        """Whether the archive accepts this ``Authorization`` header; asks for nothing real.

        Raises:
            ArchiveError: It cannot be asked, or it gives the same answer to who shows no password, and so judges none.
        """
        if self._turns_away(authorization):
            return False
        if not self._turns_away(None):
            raise ArchiveNonsenseError("it asks nobody for a password, so it cannot tell whose is right")
        return True

    def _turns_away(self, authorization: str | None) -> bool:
        """Whether someone with this header, or with none, is refused. Only a plain answer says that he is not."""
        shown = {} if authorization is None else {"Authorization": authorization}
        nothing, query = f"{self.url}/studies/2.25.0/instances", {"SOPInstanceUID": "2.25.0"}
        with self._request("GET", nothing, {**shown, "Accept": DICOM_JSON}, query, client=self._stranger) as reply:
            if reply.status_code in (401, 403):
                return True
            if reply.status_code not in (200, 204, 404):
                _raise_for(reply)
            return False

    def of_other_handhelds(self, authorization: str, studies: Sequence[str]) -> frozenset[str] | None:
        """Which of these studies another handheld has sent than the one that comes with this header.

        The gate before our own archive knows it (``clinic.gateway.gate``); of studies that no handheld has begun it
        names none. ``None`` where there is no such gate: of any other archive it is not to be had.

        Raises:
            ArchiveError: It cannot be asked, or the handheld was shut out.
        """
        headers = {"Authorization": authorization, "Content-Type": "application/json"}
        question = json.dumps({"studies": list(studies)})
        with self._request("POST", f"{self.server}/handhelds/elsewhere", headers, content=question) as reply:
            if reply.status_code in (401, 500, *_OVERLOADED):
                _raise_for(reply)
            ours = reply.status_code == 200 and reply.headers.get("Content-Type", "").startswith("application/json")
            if not ours:
                return None
            named = _object(_bounded(reply, _LARGEST_LIST)).get("elsewhere")
        if not isinstance(named, list):
            raise ArchiveNonsenseError("not a list of studies")
        return frozenset(studies).intersection(map(str, named))

    def store(self, study_uid: str, sop_uid: str, content: bytes) -> None:
        """Store one instance and see that it is there, the same. Storing it again does nothing.

        Raises:
            UploadError: It is not stored; ``ContentConflictError`` where the archive has something else by this name.
        """
        with self._storing:
            link = Link(self.url, self._access, Pace(0, threading.Event()))
            archive, file = DicomWebArchive(self.url, link), Pieces.of(content)
            try:
                place = archive.find(study_uid, sop_uid)
                if place is None:
                    archive.store(file)
                    place = archive.find(study_uid, sop_uid)
                if place is None:
                    raise ArchiveNonsenseError("an instance that it said it had stored is not there")
                archive.verify(place, file)
            finally:
                link.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()
        self._stranger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _datasets(self, path: str, query: Mapping[str, Any], limit: int) -> list[JsonDataset]:
        with self._get(self.url + path, query, {"Accept": DICOM_JSON}) as reply:
            if reply.status_code == 204:
                return []
            _raise_for(reply)
            found = _json(_bounded(reply, limit))
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise ArchiveNonsenseError("not a list of data sets")
        return found

    def _get(
        self, url: str, query: Mapping[str, Any], headers: Mapping[str, str]
    ) -> AbstractContextManager[httpx.Response]:
        return self._request("GET", url, headers, query)

    @contextmanager
    def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        query: Mapping[str, Any] | None = None,
        content: str | None = None,
        client: httpx.Client | None = None,
        limits: httpx.Timeout = _TIMEOUT,
    ) -> Iterator[httpx.Response]:
        asking = client or self._http
        asked = asking.build_request(
            method, url, params=query or None, headers=headers, content=content, timeout=limits
        )
        try:
            with contextlib.closing(_answer(asking, asked)) as reply:
                yield reply
        except httpx.HTTPError as error:
            # The text of the library's errors names the address, and addresses name studies.
            raise ArchiveSilentError(f"the archive does not answer ({type(error).__name__})") from None


def _answer(asking: httpx.Client, asked: httpx.Request) -> httpx.Response:
    """The begin of an answer. All that is asked here changes nothing, so it may be asked twice."""
    try:
        return asking.send(asked, stream=True)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        # A kept connection that the archive closed in the very moment in which it was used again.
        return asking.send(asked, stream=True)


def value_of(entry: JsonDataset, tag: str) -> Any:
    """The first value of an attribute in DICOM's JSON form; ``None`` where there is none."""
    held = entry.get(tag)
    values = held.get("Value") if isinstance(held, dict) else None
    return values[0] if isinstance(values, list) and values else None


def _raise_for(reply: httpx.Response) -> None:
    if reply.status_code in (401, 403):
        raise ArchiveDeniedError(f"the archive refuses the web application (status {reply.status_code})")
    if reply.status_code == 404:
        raise NotInArchiveError("the archive does not have it")
    if reply.status_code in _OVERLOADED:
        raise ArchiveSilentError(f"the archive is overloaded (status {reply.status_code})")
    if reply.status_code != 200:
        raise ArchiveNonsenseError(f"status {reply.status_code}")


def _bounded(reply: httpx.Response, limit: int) -> bytes:
    pieces, total = [], 0
    for piece in reply.iter_bytes(_PIECE):
        total += len(piece)
        if total > limit:
            raise ArchiveNonsenseError("an answer far too large")
        pieces.append(piece)
    return b"".join(pieces)


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ArchiveNonsenseError("not JSON") from None


def _object(text: bytes) -> JsonDataset:
    found = _json(text)
    if not isinstance(found, dict):
        raise ArchiveNonsenseError("not an object")
    return found
