# SPDX-License-Identifier: Apache-2.0
"""The gate between nginx and the archive for handhelds: what a stolen one could do is decided here.

The archive knows passwords but no rights to single studies. So handhelds never speak to it themselves. A handheld

* stores instances in studies that it has begun itself, and in no others, all of one patient: the archive finds a study
  of two patients no more,
* may ask whether an instance that it has stored is still there, and gets UIDs and nothing else for an answer,
* reads an instance back, whole, for 24 hours after it has stored it, and for an hour once it has done so,
* learns which of the studies that it names another handheld has begun: the readers' pages ask so in its name, before
  they give it a verdict (``clinic.web.pages.feeds``),

and that is all. Bodies are passed on piece by piece. A WSGI application; ``clinic.service`` starts it with gunicorn.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from clinic.gateway.dicom_head import patient_digest
from clinic.gateway.inner_archive import ArchiveBusyError, InnerArchive, Passed
from clinic.gateway.read_back import watched
from clinic.gateway.received import BodyError, Received
from clinic.gateway.sent_list import LIST_FILE, SentList
from clinic.state import DEVICE_PREFIX, ClinicState

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

_UID = r"([0-9.]{1,64})"
_STUDIES = "/dicom-web/studies"
_FIND = re.compile(rf"{_STUDIES}/{_UID}/instances")
_READ = re.compile(rf"{_STUDIES}/{_UID}/series/{_UID}/instances/{_UID}")
ELSEWHERE = "/handhelds/elsewhere"
MOST_STUDIES = 500
RESERVE = 2 << 30
"""Bytes, or a twentieth of a small disk. Accounts, readings and the archive's index are there as well and end when it
is full; an exam can wait on its handheld."""

_LARGEST_QUESTION = 64 * 1024
_UIDS = ("0020000D", "0020000E", "00080018")
_JSON = "application/dicom+json"

_WORDS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    410: "Gone",
    422: "Unprocessable Content",
    503: "Service Unavailable",
}


class Gate:
    """The WSGI application.

    Args:
        state: Passwords of the handhelds; looked up for every request, so that a removed handheld is out at once.
        archive: The archive behind.
        sent: Who has sent what.
        full: Says of a folder whether its disk is nearly full.
    """

    def __init__(
        self, state: ClinicState, archive: InnerArchive, sent: SentList, full: Callable[[Path], bool] | None = None
    ) -> None:
        self._full = full or nearly_full
        self._state = state
        self._archive = archive
        self._sent = sent

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        try:
            answer = self._answer(environ)
        except BodyError as error:
            answer = _plain(400, str(error))
        except ArchiveBusyError as error:
            answer = _plain(503, str(error))
        headers = [("Content-Type", answer.content_type)]
        if answer.length is not None:
            headers.append(("Content-Length", str(answer.length)))
        start_response(f"{answer.status} {_WORDS.get(answer.status, 'Answer')}", headers)
        return answer.body

    def _answer(self, environ: WSGIEnvironment) -> Passed:
        device = self._device(environ.get("HTTP_AUTHORIZATION", ""))
        if device is None:
            return _plain(401, "no handheld of this clinic")
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if method == "POST" and path == _STUDIES:
            return self._store(device, environ)
        if method == "POST" and path == ELSEWHERE:
            return self._elsewhere(device, environ)
        if method == "GET" and (found := _FIND.fullmatch(path)):
            return self._find(device, found[1], environ.get("QUERY_STRING", ""))
        if method == "GET" and (found := _READ.fullmatch(path)):
            return self._read(device, *found.groups())
        return _plain(403, "handhelds may not do this")

    def _device(self, authorization: str) -> str | None:
        """Name of the handheld that a request comes from, its password checked."""
        scheme, _, coded = authorization.partition(" ")
        try:
            user, _, password = base64.b64decode(coded, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
        known = self._state.users().get(user, "") if user.startswith(DEVICE_PREFIX) else ""
        if scheme.lower() != "basic" or not known or not hmac.compare_digest(known.encode(), password.encode()):
            return None
        return user.removeprefix(DEVICE_PREFIX)

    def _store(self, device: str, environ: WSGIEnvironment) -> Passed:
        if self._full(self._state.folder):
            log.error("the disk is nearly full: nothing is taken from handhelds")
            return _plain(503, "the clinic's disk is nearly full")
        received = Received.open(environ)
        name = received.name
        owner = self._sent.owner(name.study)
        if owner is None and self._archive.has_study(name.study):
            return _plain(422, "this study was not begun by a handheld")
        if owner not in (None, device) or not self._sent.claim(name.study, device):
            return _plain(422, "this study belongs to another handheld")
        if owner is not None and not self._sent.knows_patient(name.study):
            for identifier in self._archive.patients_of(name.study)[:1]:
                if identifier.isascii():  # of others it cannot be told which bytes they were
                    self._sent.same_patient(name.study, patient_digest(name.study, identifier.encode(), b""))
        if not self._sent.same_patient(name.study, name.patient):
            return _plain(422, "this study is of another patient")
        if not self._sent.has(device, name.study, name.sop) and self._archive.find(name.study, name.sop):
            return _plain(422, "this instance was not sent by a handheld")
        answer = self._archive.store(received.content(), received.length)
        if answer.status == 200:
            self._sent.stored(device, name.study, name.sop, received.sha256())
        return answer

    def _find(self, device: str, study: str, query: str) -> Passed:
        asked = parse_qs(query, keep_blank_values=True, max_num_fields=4)
        instances = asked.pop("SOPInstanceUID", [])
        if asked or len(instances) != 1:
            return _plain(403, "handhelds may ask for one instance that they name")
        (instance,) = instances
        found = self._archive.find(study, instance) if self._sent.has(device, study, instance) else []
        body = json.dumps([{tag: entry[tag] for tag in _UIDS if tag in entry} for entry in found]).encode()
        return Passed(200, _JSON, len(body), [body])

    def _elsewhere(self, device: str, environ: WSGIEnvironment) -> Passed:
        length = environ.get("CONTENT_LENGTH", "")
        if not re.fullmatch(r"[0-9]{1,6}", length) or int(length) > _LARGEST_QUESTION:
            raise BodyError("a list of studies is expected")
        try:
            studies = json.loads(environ["wsgi.input"].read(int(length)))["studies"]
        except (ValueError, TypeError, KeyError, RecursionError):
            studies = None
        if not isinstance(studies, list) or len(studies) > MOST_STUDIES:
            raise BodyError("a list of studies is expected")
        if not all(isinstance(study, str) and re.fullmatch(_UID, study) for study in studies):
            raise BodyError("studies are named by their UIDs")
        body = json.dumps({"elsewhere": self._sent.of_others(device, studies)}).encode()
        return Passed(200, "application/json", len(body), [body])

    def _read(self, device: str, study: str, series: str, instance: str) -> Passed:
        if not self._sent.has(device, study, instance):
            return _plain(404, "no such instance of this handheld")
        if not self._sent.readable(device, study, instance):
            return _plain(410, "it was stored too long ago to be read back")
        answer = self._archive.read(study, series, instance)
        if answer.status != 200:
            return answer
        stored, proved = self._sent.sha256(instance), partial(self._sent.proved, instance)
        return replace(answer, body=watched(answer.content_type, answer.body, stored, proved))


def nearly_full(folder: Path) -> bool:
    """Whether handhelds must not put more on the disk that a folder is on."""
    disk = shutil.disk_usage(folder)
    return disk.free < min(RESERVE, disk.total // 20)


def _plain(status: int, words: str) -> Passed:
    body = f"{words}\n".encode()
    return Passed(status, "text/plain; charset=utf-8", len(body), [body])


def application(environment: Mapping[str, str] = os.environ) -> Callable[..., Any]:
    """What gunicorn calls: the gate as ``clinic.service`` has described it in the environment."""
    state = ClinicState(Path(environment["MAMMASCOPE_CLINIC_STATE"]))
    archive = InnerArchive(int(environment["MAMMASCOPE_ARCHIVE_PORT"]), environment["MAMMASCOPE_ARCHIVE_PASSWORD"])
    return Gate(state, archive, SentList(state.folder / LIST_FILE))
