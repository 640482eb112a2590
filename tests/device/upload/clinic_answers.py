# SPDX-License-Identifier: Apache-2.0
"""A clinic's pages for handhelds on this machine: signs verdicts and remembers what it is told."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.site.access import ClinicAccess
from device.upload.destination import Destination


class ClinicAnswers:
    """What the clinic would say."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.verdicts: list[dict[str, str]] = []
        self.planned: list[dict[str, Any]] = []
        self.day = "2025-03-04"
        self.seen: list[dict[str, str]] = []
        self.ended: list[str] = []
        self.elsewhere: list[str] = []
        self.asked: list[list[str]] = []
        self.come_back: list[list[str]] = []
        self.status = 200
        self.port = 0

    @property
    def public(self) -> str:
        return self.key.public_key().public_bytes_raw().hex()

    def where(self, key: str | None = "") -> Destination:
        known = self.public if key == "" else key
        access = ClinicAccess.model_validate({"user": "device-a", "password": "p", "verdict_key": known})
        return Destination(f"http://127.0.0.1:{self.port}/dicom-web", access)

    def decide(self, study_uid: str, name: str = "v1", *, key: Ed25519PrivateKey | None = None, **changed: Any) -> None:
        """A reader has decided; the verdict is given until it is said to have been seen."""
        said: dict[str, Any] = {
            "schema": 1,
            "id": name,
            "study_uid": study_uid,
            "supersedes": None,
            "clinic": "Kibera clinic",
            "reader": "Dr Åse",
            "birads": "4A",
            "edition": "2013",
            "advice": "biopsy",
            "note": "Please refer",
            "decided_at": "2025-03-04T12:00:00+00:00",
        } | changed
        payload = json.dumps(said, ensure_ascii=False).encode()
        signature = (key or self.key).sign(payload)
        parts = {"payload": base64.b64encode(payload).decode(), "signature": base64.b64encode(signature).decode()}
        self.verdicts.append({"id": name, **parts})

    def answer(self, method: str, path: str, asked: Any) -> Any:
        if (method, path) == ("POST", "/device/v1/verdicts"):
            self.asked.append(asked["studies"])
            self.come_back.append(asked["come_back"])
            seen = {entry["id"] for entry in self.seen}
            given = [verdict for verdict in self.verdicts if verdict["id"] not in seen]
            said = {"ended": self.ended, "elsewhere": self.elsewhere}
            return {"verdicts": given, **{name: uids for name, uids in said.items() if uids}}
        if (method, path) == ("POST", "/device/v1/verdicts/seen"):
            self.seen += asked["seen"]
            return {"seen": [entry["id"] for entry in asked["seen"]]}
        if method == "GET" and path.startswith("/device/v1/worklist"):
            return {"day": self.day, "patients": self.planned}
        return None


@contextlib.contextmanager
def clinic_answers() -> Iterator[ClinicAnswers]:
    """Run one."""
    clinic = ClinicAnswers()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def _reply(self, method: str) -> None:
            length = int(self.headers.get("Content-Length", 0))
            asked = json.loads(self.rfile.read(length)) if length else None
            said = clinic.answer(method, self.path, asked)
            body = json.dumps(said).encode()
            self.send_response(clinic.status if said is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self._reply("GET")

        def do_POST(self) -> None:
            self._reply("POST")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    clinic.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield clinic
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
