# SPDX-License-Identifier: Apache-2.0
"""The archive as the gate speaks to it: on this machine, with a password of its own, everything in pieces."""

from __future__ import annotations

import base64
import http.client
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

PIECE = 64 * 1024
_PATIENCE_S = 300.0
_LARGEST_JSON = 4 << 20
_DICOM_JSON = "application/dicom+json"


class ArchiveBusyError(Exception):
    """The archive does not answer, or not as it should."""


@dataclass(frozen=True, slots=True)
class Passed:
    """An answer that is passed on.

    Attributes:
        status: HTTP status.
        content_type: Of the body.
        length: Bytes of the body where that is known.
        body: Its pieces.
    """

    status: int
    content_type: str
    length: int | None
    body: Iterable[bytes]


class InnerArchive:
    """Orthanc behind the gate.

    Args:
        port: TCP port on this machine.
        password: Of the gate's own user.
    """

    USER = "gate"

    def __init__(self, port: int, password: str) -> None:
        self._port = port
        coded = base64.b64encode(f"{self.USER}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {coded}"}

    def has_study(self, study: str) -> bool:
        """Whether there is a study of this name.

        Raises:
            ArchiveBusyError: The archive does not answer.
        """
        return bool(self._list("/dicom-web/studies", {"StudyInstanceUID": study}))

    def patients_of(self, study: str) -> list[str]:
        """Identifiers of the patients whose study of this name the archive has; one, unless two were mixed up.

        Raises:
            ArchiveBusyError: The archive does not answer.
        """
        found = self._list("/dicom-web/studies", {"StudyInstanceUID": study})
        values = [entry.get("00100020", {}).get("Value") for entry in found]
        return [str(value[0]) if isinstance(value, list) and value else "" for value in values]

    def find(self, study: str, instance: str) -> list[dict[str, Any]]:
        """What the archive says of the instances of this name, in DICOM's JSON form; one, or none.

        More than one stands there when the same name was used for two patients.

        Raises:
            ArchiveBusyError: The archive does not answer.
        """
        return self._list(f"/dicom-web/studies/{study}/instances", {"SOPInstanceUID": instance})

    def store(self, content: Iterable[bytes], length: int) -> Passed:
        """Store one DICOM file.

        Args:
            content: Its pieces; an exception from here breaks the request off, and nothing is stored.
            length: Bytes in all.

        Raises:
            ArchiveBusyError: The archive does not answer.
        """
        boundary = secrets.token_hex(16)
        head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        headers = {
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
            "Content-Length": str(len(head) + length + len(tail)),
            "Accept": _DICOM_JSON,
        }

        def body() -> Iterator[bytes]:
            yield head
            yield from content
            yield tail

        answer = self._ask("POST", "/dicom-web/studies", headers, body())
        return Passed(answer.status, _DICOM_JSON, None, [_all_of(answer)])

    def read(self, study: str, series: str, instance: str) -> Passed:
        """One instance as it was stored.

        Raises:
            ArchiveBusyError: The archive does not answer.
        """
        accept = 'multipart/related; type="application/dicom"; transfer-syntax=*'
        target = f"/dicom-web/studies/{study}/series/{series}/instances/{instance}"
        answer = self._ask("GET", target, {"Accept": accept})
        kind = answer.headers.get("Content-Type", "application/octet-stream")
        return Passed(answer.status, kind, answer.length, _pieces(answer))

    def _list(self, target: str, query: dict[str, str]) -> list[dict[str, Any]]:
        answer = self._ask("GET", f"{target}?{urlencode(query)}", {"Accept": _DICOM_JSON})
        text = _all_of(answer)
        if answer.status in (204, 404):
            return []
        try:
            found = json.loads(text)
        except ValueError as error:
            raise ArchiveBusyError("the archive answers nonsense") from error
        if answer.status != 200 or not isinstance(found, list):
            raise ArchiveBusyError(f"the archive answers with status {answer.status}")
        return found

    def _ask(
        self, method: str, target: str, headers: dict[str, str], body: Iterable[bytes] = ()
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_S)
        try:
            connection.request(method, target, body or None, {**self._headers, **headers, "Connection": "close"})
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise ArchiveBusyError("the archive does not answer") from error
        except BaseException:
            connection.close()
            raise


def _all_of(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read(_LARGEST_JSON)
    except (OSError, http.client.HTTPException) as error:
        raise ArchiveBusyError("the archive does not answer") from error


def _pieces(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    with answer:
        while piece := answer.read(PIECE):
            yield piece
