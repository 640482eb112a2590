# SPDX-License-Identifier: Apache-2.0
"""A health record's server that answers anything at all: the exam waits with a reason, and the clinic goes on."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from clinic.fhir.server import RecordServer, RecordServerError
from device.site.access import ClinicAccess

Answering = Callable[..., RecordServer]
HEAD = "HTTP/1.1 200 OK\r\nConnection: close\r\n"
GARBAGE = [
    b"",
    b"\xff\xfe not text",
    b"<html>Sign in first</html>",
    b"[" * 100_000,
    b'"Bundle"',
    b"[]",
    b'{"resourceType": "Patient"}',
    b'{"resourceType": "Bundle", "entry": {}}',
    b'{"resourceType": "Bundle", "entry": [null]}',
    b'{"resourceType": "Bundle", "entry": ["200"]}',
    b'{"resourceType": "Bundle", "entry": [{"response": null}]}',
    b'{"resourceType": "Bundle", "entry": [{"response": ["200"]}]}',
    b'{"resourceType": "Bundle", "entry": [{"response": {"status": 200.0e400}}]}',
    b'{"resourceType": "Bundle", "entry": [{"response": {"status": {"a": 1}}}]}',
    b'{"resourceType": "Bundle", "entry": [{"response": {"status": "412 Precondition Failed"}}]}',
    b'{"resourceType": "Bundle", "entry": [{"response": {"status": "201"}}, {"response": {"status": "201"}}]}',
]
BUNDLE = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient"}}]}


@pytest.fixture
def answering() -> Iterator[Answering]:
    """Starts a server that answers every question with these bytes, and a client of it."""
    opened: list[tuple[ThreadingHTTPServer, RecordServer]] = []

    def start(body: bytes, head: str = HEAD) -> RecordServer:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                length = "" if "Content-Length" in head else f"Content-Length: {len(body)}\r\n"
                self.wfile.write(f"{head}{length}\r\n".encode() + body)
                self.close_connection = True

            do_POST = do_GET  # noqa: N815 - the name that the library asks for

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = RecordServer(f"http://127.0.0.1:{server.server_address[1]}/fhir", ClinicAccess())
        opened.append((server, client))
        return client

    yield start
    for server, client in opened:
        client.close()
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("body", GARBAGE)
def test_an_answer_that_says_nothing_is_no_success(answering: Answering, body: bytes) -> None:
    with pytest.raises(RecordServerError):
        answering(body).post(BUNDLE)


@pytest.mark.parametrize("body", GARBAGE)
def test_and_nothing_is_found_in_it(answering: Answering, body: bytes) -> None:
    try:
        assert not answering(body).has("DiagnosticReport", "identifier=a|b")
    except RecordServerError as error:
        assert error.code == "no-json"  # noqa: PT017 - either is right, depending on the bytes


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("nonsense\r\n", b""),
        ("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/steal\r\n", b""),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", b"not compressed"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n", b"{"),
        ("HTTP/1.1 500 Oops\r\n", b"{}"),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", gzip.compress(b" " * 80_000_000)),
    ],
)
def test_an_answer_that_is_broken_on_the_way_is_said_so(answering: Answering, head: str, body: bytes) -> None:
    with pytest.raises(RecordServerError):
        answering(body, head).post(BUNDLE)


@pytest.mark.parametrize("url", ["http://", "http://[::1", "https://record.example:port/fhir", "ftp://record.example"])
def test_an_address_that_is_none_is_one_error(url: str) -> None:
    with pytest.raises(RecordServerError), RecordServer(url, ClinicAccess()) as server:
        server.has("Patient", "identifier=a|b")
