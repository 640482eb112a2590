# SPDX-License-Identifier: Apache-2.0
"""Requests to a running clinic, with any user and any header, as a script makes them."""

from __future__ import annotations

import socket
import ssl

import requests

from tests.device.upload.real_archive import RealArchive
from tests.patience import PATIENT_S

BOUNDARY = "b0b0"
KIND = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


class Door:
    """Asks the clinic as one user."""

    def __init__(self, clinic: RealArchive, user: str = "", password: str = "") -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(clinic.state.folder / "authority.crt")
        if user:
            self._session.auth = (user, password)
        self._top = f"https://localhost:{clinic.port}"

    def ask(self, method: str, target: str, body: bytes = b"", **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._session.request(method, self._top + target, data=body, headers=named, timeout=PATIENT_S)

    def store(self, file: bytes) -> int:
        head, tail = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n", f"\r\n--{BOUNDARY}--\r\n"
        body = head.encode() + file + tail.encode()
        return self.ask("POST", "/dicom-web/studies", body, Content_Type=KIND).status_code


def handheld(clinic: RealArchive, name: str) -> Door:
    """A handheld that the clinic knows, or gets to know now."""
    return Door(clinic, f"device-{name}", clinic.state.add_device(name))


def person(clinic: RealArchive, name: str) -> Door:
    """``admin`` or ``reader``."""
    return Door(clinic, name, clinic.state.users()[name])


def raw(clinic: RealArchive, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    """A TLS connection to write anything into."""
    if context is None:
        context = ssl.create_default_context(cafile=str(clinic.state.folder / "authority.crt"))
    plain = socket.create_connection(("localhost", clinic.port), timeout=PATIENT_S)
    return context.wrap_socket(plain, server_hostname="localhost")
