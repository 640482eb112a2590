# SPDX-License-Identifier: Apache-2.0
"""A gateway between device and archive that does what bad networks and broken gateways do, one fault at a time.

It speaks TLS with a certificate of the clinic's own authority, because only who can read a request can lie about it.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from clinic.certificates import new_server_certificate
from tests.device.upload.real_archive import RealArchive
from tests.patience import PATIENT_S


class Fault(Enum):
    """What happens to one request."""

    NONE = "passed on"
    CUT_REQUEST = "connection cut while the request came in"
    CUT_BEFORE_ANSWER = "passed on, connection cut before the answer"
    CUT_IN_ANSWER = "connection cut in the middle of the answer"
    DELAY = "delayed"
    DUPLICATE = "passed on twice"
    LIE = "answered 200 and stored nothing"
    CONFLICT = "passed on, answered 409"
    OVERLOAD = "answered 503"
    PORTAL = "answered 200 with a web page"


Plan = Callable[[str, str], Fault]

STORES = {Fault.DUPLICATE, Fault.LIE, Fault.CONFLICT}
"""Faults that only make sense for a request that stores."""


def always(fault: Fault) -> Plan:
    return lambda method, path: fault


def once(fault: Fault, wanted: str) -> Plan:
    """The fault for the first request of a method, and nothing after that."""
    left = [1]

    def plan(method: str, path: str) -> Fault:
        if method == wanted and left:
            left.clear()
            return fault
        return Fault.NONE

    return plan


class HostileProxy:
    """Listens on a port of its own and passes requests on to an archive, or not."""

    def __init__(self, archive: RealArchive, folder: Path, plan: Plan) -> None:
        self._archive = archive
        self.plan = plan
        self.done: Counter[Fault] = Counter()
        self.requests: list[tuple[str, str, int]] = []
        self.entered = threading.Event()
        self._lock = threading.Lock()
        pair = new_server_certificate(archive.state.authority("Test clinic"), ["localhost"], datetime.now(UTC))
        both = folder / "proxy.pem"
        both.write_bytes(pair.certificate + pair.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        self._to_archive = ssl.create_default_context(cadata=archive.authority)
        self._server = _Server(self, context)
        self.port = self._server.server_address[1]
        self.url = f"https://localhost:{self.port}/dicom-web"

    @contextlib.contextmanager
    def running(self) -> Iterator[HostileProxy]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def decide(self, method: str, path: str) -> Fault:
        with self._lock:
            fault = self.plan(method, path)
            if method != "POST" and fault in STORES:
                fault = Fault.NONE
            self.done[fault] += 1
            return fault

    def note(self, method: str, path: str, size: int) -> None:
        with self._lock:
            self.requests.append((method, path, size))

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        connection = http.client.HTTPSConnection(
            "localhost", self._archive.port, timeout=PATIENT_S, context=self._to_archive
        )
        with contextlib.closing(connection):
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers.get("Content-Type", ""), answer.read()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: HostileProxy, context: ssl.SSLContext) -> None:
        self.proxy = proxy
        self._context = context
        super().__init__(("127.0.0.1", 0), _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        # In the connection's own thread: a slow handshake must not hold up the others.
        with contextlib.suppress(OSError):
            request.settimeout(PATIENT_S)
            wrapped = self._context.wrap_socket(request, server_side=True)
            super().finish_request(wrapped, client_address)
            with contextlib.suppress(OSError):
                wrapped.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def log_message(self, format: str, *args: object) -> None:
        """It is not read."""

    def _handle(self) -> None:
        proxy = self.server.proxy
        size = int(self.headers.get("Content-Length", 0))
        proxy.note(self.command, self.path, size)
        fault = proxy.decide(self.command, self.path)
        proxy.entered.set()
        if fault is Fault.CUT_REQUEST:
            self.rfile.read(size // 2)
            self._cut()
            return
        body = self.rfile.read(size)
        if fault is Fault.DELAY:
            time.sleep(0.05)
        if fault is Fault.OVERLOAD:
            self._answer(503, "text/plain", b"busy")
            return
        if fault is Fault.PORTAL:
            self._answer(200, "text/html", b"<html>Welcome to the airport</html>")
            return
        if fault is Fault.LIE:
            self._answer(200, "application/dicom+json", b'{"00081199":{"vr":"SQ","Value":[{}]}}')
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in {"host", "connection"}}
        status, kind, answer = proxy.forward(self.command, self.path, headers, body)
        if fault is Fault.DUPLICATE:
            status, kind, answer = proxy.forward(self.command, self.path, headers, body)
        if fault is Fault.CUT_BEFORE_ANSWER:
            self._cut()
        elif fault is Fault.CUT_IN_ANSWER:
            self._answer(status, kind, answer, cut=True)
        else:
            self._answer(409 if fault is Fault.CONFLICT else status, kind, answer)

    def _answer(self, status: int, kind: str, body: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.wfile.flush()
        if cut:
            self._cut()

    def _cut(self) -> None:
        """A reset, as when a link goes away; not an orderly end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw = socket.socket(fileno=self.connection.detach())
        raw.close()
