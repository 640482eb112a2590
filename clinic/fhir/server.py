# SPDX-License-Identifier: Apache-2.0
"""The record's server: takes a transaction, and is believed only when it says of every part that it has it."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Final, Self

import httpx

from clinic.errors import ClinicError
from clinic.fhir.codings import Json
from device.site.access import ClinicAccess

FHIR_JSON: Final = "application/fhir+json"
_TIMEOUT: Final = httpx.Timeout(60.0, connect=5.0)
_LARGEST_ANSWER: Final = 16 << 20
_LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class RecordServerError(ClinicError):
    """The record's server has not taken it; ``code`` says why, and never holds anything of a patient.

    Args:
        code: A short reason.
    """

    def __init__(self, code: str) -> None:
        self.code = code[:64]
        super().__init__(f"the health record's server: {self.code}")


class RecordServer:
    """A FHIR R4 server.

    Args:
        url: Its base.
        access: Whom to trust and who we are.

    Raises:
        RecordServerError: The address is none.
    """

    def __init__(self, url: str, access: ClinicAccess) -> None:
        self._url = url.rstrip("/")
        if not is_address(url):
            raise RecordServerError("address")
        verify = access.tls() if httpx.URL(url).scheme == "https" else False
        headers = {**access.headers(), "Accept": FHIR_JSON}
        self._http = httpx.Client(verify=verify, headers=headers, timeout=_TIMEOUT, trust_env=False)

    def has(self, kind: str, search: str) -> bool:
        """Whether the server has a resource.

        Args:
            kind: Its type.
            search: A search by identifier, see ``bundle.search_for``.

        Raises:
            RecordServerError: It cannot be asked.
        """
        found = self._ask("GET", f"{self._url}/{kind}?{search}", None)
        entries = found.get("entry", [])
        return isinstance(entries, list) and any(
            isinstance(entry, dict) and isinstance(entry.get("resource"), dict)
            and entry["resource"].get("resourceType") == kind
            for entry in entries
        )  # fmt: skip

    def post(self, bundle: Json) -> None:
        """Hand over a transaction.

        Raises:
            RecordServerError: The server does not have it, or does not say so.
        """
        answer = self._ask("POST", self._url, bundle)
        entries = answer.get("entry")
        if answer.get("resourceType") != "Bundle" or not isinstance(entries, list):
            raise RecordServerError("no-transaction-response")
        states = [_status(entry) for entry in entries]
        if len(states) != len(bundle["entry"]) or any(state not in ("200", "201") for state in states):
            raise RecordServerError("parts-refused")

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, method: str, url: str, body: Json | None) -> dict[str, Any]:
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {} if body is None else {"Content-Type": FHIR_JSON, "Prefer": "return=minimal"}
        try:
            with self._http.stream(method, url, content=content, headers=headers) as reply:
                status, text = reply.status_code, b""
                for piece in reply.iter_bytes():
                    text += piece
                    if len(text) > _LARGEST_ANSWER:
                        raise RecordServerError("answer-too-large")
        except httpx.HTTPError as error:
            raise RecordServerError(f"unreachable {type(error).__name__}") from None
        if status in _LATER:
            raise RecordServerError(f"overloaded {status}")
        if status not in (200, 201):
            raise RecordServerError(f"refused {status}")
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError):
            raise RecordServerError("no-json") from None
        if not isinstance(answer, dict):
            raise RecordServerError("no-json")
        return answer


def is_address(url: str) -> bool:
    """Whether a server can be asked at an address at all."""
    try:
        place = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return place.scheme in ("http", "https") and bool(place.host)


def _status(entry: Any) -> str:
    """The three digits of what became of one part of a transaction; empty where that is not said."""
    said = entry.get("response") if isinstance(entry, dict) else None
    return str(said.get("status", ""))[:3] if isinstance(said, dict) else ""
