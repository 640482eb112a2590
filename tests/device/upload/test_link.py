# SPDX-License-Identifier: Apache-2.0
"""A hostile or broken network costs bounded time and memory, and never leads anywhere else."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clinic.certificates import KeyPair, new_authority, new_server_certificate
from device.errors import (
    ArchiveAnswerError,
    ArchiveRefusedError,
    ArchiveUnreachableError,
    ContentConflictError,
    RecordDamagedError,
    UploadStoppedError,
)
from device.records.pieces import Pieces
from device.site.access import ClinicAccess
from device.upload import link as module
from device.upload.link import Link
from device.upload.pace import Pace
from device.upload.stow import DicomWebArchive, StoredInstance
from tests.device.upload.scripted_server import Behaviour, answer, read_request, says, server

SOMETHING = StoredInstance("2.25.1", "2.25.2", "2.25.3")


def link_to(port: int, access: ClinicAccess | None = None) -> Link:
    return Link(f"http://127.0.0.1:{port}/dicom-web", access or ClinicAccess(), Pace(0, threading.Event()))


def archive_at(port: int) -> DicomWebArchive:
    return DicomWebArchive(f"http://127.0.0.1:{port}/dicom-web", link_to(port))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{}",
        b"[1, 2]",
        b'{"a": ',
        b"[" * 100_000,
        b'[{"00080018": {"Value": ["2.25.3"]}}]',
        b'[{"00080018": {"Value": ["2.25.3"]}, "0020000E": {"Value": [7]}}]',
        "[\udcff".encode("utf-8", "surrogateescape"),
    ],
)
def test_an_answer_that_makes_no_sense_is_named(body: bytes) -> None:
    with server(says(answer(body))) as port, pytest.raises(ArchiveAnswerError):
        archive_at(port).find("2.25.1", "2.25.3")


@pytest.mark.parametrize("body", [b"[]", b'[{"00080018": {"Value": ["2.25.99"]}}]', b'[{"00080018": {}}]'])
def test_an_answer_about_something_else_is_no_instance(body: bytes) -> None:
    with server(says(answer(body))) as port:
        assert archive_at(port).find("2.25.1", "2.25.3") is None


def test_an_endless_answer_is_cut_off() -> None:
    def endless(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\n\r\n")
        while True:
            connection.sendall(b" " * 65536)

    with server(endless) as port, pytest.raises(ArchiveAnswerError, match="too large"):
        archive_at(port).find("2.25.1", "2.25.3")


def test_endless_headers_are_cut_off() -> None:
    def endless(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-Filler: " + b"x" * 1000 + b"\r\n")

    with server(endless) as port, pytest.raises(ArchiveUnreachableError):
        archive_at(port).find("2.25.1", "2.25.3")


def test_an_answer_that_ends_too_early_is_no_answer() -> None:
    with server(says(answer(b"[]", length=4000))) as port, pytest.raises(ArchiveUnreachableError):
        archive_at(port).find("2.25.1", "2.25.3")


def test_no_redirect_is_followed() -> None:
    followed: list[bytes] = []

    def other(connection: socket.socket) -> None:
        followed.append(read_request(connection))

    with server(other) as there:
        moved = f"HTTP/1.1 302 FoundUpdate\r\nLocation: http://127.0.0.1:{there}/\r\nContent-Length: 0\r\n\r\n".encode()
        with server(says(moved)) as port, pytest.raises(ArchiveAnswerError, match="302"):
            archive_at(port).find("2.25.1", "2.25.3")
    assert followed == []


def test_a_connection_that_was_closed_while_idle_is_opened_again() -> None:
    # Each connection is good for one request only, without saying so.
    with server(says(answer(b"[]"))) as port:
        there = archive_at(port)
        for _ in range(3):
            assert there.find("2.25.1", "2.25.3") is None


def test_one_connection_serves_many_requests() -> None:
    connections: list[int] = []

    def count(connection: socket.socket) -> None:
        connections.append(1)
        says(*[answer(b"[]")] * 5)(connection)

    with server(count) as port:
        there = archive_at(port)
        for _ in range(5):
            there.find("2.25.1", "2.25.3")
    assert connections == [1]


def test_a_refused_read_back_does_not_spoil_the_next_question() -> None:
    busy, nothing = answer(b"come back later", status="503 Busy"), answer(b"[]")
    with server(says(busy, nothing)) as port:
        there = archive_at(port)
        with pytest.raises(ArchiveUnreachableError, match="503"):
            there.verify(SOMETHING, Pieces.of(b"content"))
        assert there.find("2.25.1", "2.25.3") is None


def test_who_refuses_in_the_middle_of_an_upload_is_heard() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(answer(b"", status="403 Forbidden"))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 16):  # linger as real servers do, so that the answer is not lost in a reset
            pass

    with server(refuse) as port, pytest.raises(ArchiveRefusedError):
        archive_at(port).store(Pieces.of(b"x" * 5_000_000))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", b"<html>"),
        ("multipart/related", b"--x\r\n\r\nabc\r\n--x--"),
        ("multipart/related; boundary=x", b""),
        ("multipart/related; boundary=x", b"nothing like it\r\n\r\nabc\r\n--x--"),
        ("multipart/related; boundary=x", b"--x\r\n\r\nabc"),
        ("multipart/related; boundary=x", b"--x\r\n" + b"h" * 100_000),
        ("multipart/related; boundary=" + "x" * 5000, b"--x\r\n\r\nabc\r\n--x--"),
    ],
)
def test_a_read_back_that_is_none_is_named(kind: str, body: bytes) -> None:
    with server(says(answer(body, kind))) as port, pytest.raises(ArchiveAnswerError):
        archive_at(port).verify(SOMETHING, Pieces.of(b"content"))


def test_a_read_back_of_something_else_is_a_conflict() -> None:
    body = b"--x\r\nContent-Type: application/dicom\r\n\r\nother\r\n--x--\r\n"
    there = answer(body, "multipart/related; boundary=x")
    with server(says(there, there)) as port, pytest.raises(ContentConflictError, match="unreadable"):
        archive_at(port).verify(SOMETHING, Pieces.of(b"content"))


def test_what_is_too_large_to_be_compared_concerns_one_instance_and_not_the_clinic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("device.upload.stow._LARGEST_COMPARED", 100)
    for sent, stored in ((b"x" * 101, b"y"), (b"x", b"y" * 101)):
        said = pytest.raises(ContentConflictError, match="too large to be compared")
        with server(says(answer(stored, "application/dicom"))) as port, said:
            archive_at(port).verify(SOMETHING, Pieces.of(sent))


def test_what_fails_while_it_is_read_ends_the_request_and_is_said() -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise RecordDamagedError("2.25.7", "not what was written")

    got = bytearray()

    def take(connection: socket.socket) -> None:
        while more := connection.recv(1 << 16):
            got.extend(more)

    with server(take) as port:
        there = archive_at(port)
        with pytest.raises(RecordDamagedError):
            there.store(Pieces(200_000, broken))
    assert len(got) < 200_000, "the archive sees that the body is not whole"


def test_a_read_back_of_the_same_is_proof_in_any_wrapping() -> None:
    content = b"\r\n--long \r\n--longe\r\n" * 5000  # full of what looks like the boundary at first
    wrapped = b"--longer\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n--longer--\r\nepilogue"
    with server(says(answer(wrapped, 'multipart/related; type="application/dicom"; boundary="longer"'))) as port:
        archive_at(port).verify(SOMETHING, Pieces.of(content))
    with server(says(answer(content, "application/dicom"))) as port:
        archive_at(port).verify(SOMETHING, Pieces.of(content))


def test_stopping_ends_a_wait_for_an_answer_at_once() -> None:
    asked = threading.Event()

    def silent(connection: socket.socket) -> None:
        read_request(connection)
        asked.set()
        connection.recv(1)

    with server(silent) as port:
        link = link_to(port)

        def abort() -> None:
            asked.wait()
            link.abort()

        thread = threading.Thread(target=abort)
        thread.start()
        with pytest.raises(UploadStoppedError):
            link.request("GET", "/studies", {})
        thread.join()
        with pytest.raises(UploadStoppedError):
            link.request("GET", "/studies", {})


def test_an_upload_that_crawls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.upload.link.SILENCE_TIMEOUT_S", 0.3)
    monkeypatch.setattr("device.upload.link.SLOWEST_BYTES_PER_S", 10**12)
    over = threading.Event()

    def sip(connection: socket.socket) -> None:
        while connection.recv(1000) and not over.wait(0.01):
            pass

    with server(sip) as port:
        with pytest.raises(ArchiveUnreachableError):
            link_to(port).request("POST", "/studies", {}, Pieces.of(b"x" * 100_000_000))
        over.set()


def drips(beginning: bytes, again: bytes, pause_s: float) -> Behaviour:
    """Something that has no end, a little at a time or as fast as it goes."""
    over = threading.Event()

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(beginning)
        while not over.wait(pause_s):
            connection.sendall(again)

    return behave


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n"
)


@pytest.mark.parametrize(
    ("beginning", "again"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 100 Continue\r\n", b"X"),
        (CHUNKED, b"X: y\r\n"),
        (CHUNKED, b"X"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
    ],
)
@pytest.mark.parametrize("pause_s", [0.0, 0.1], ids=["fast", "slow"])
def test_no_part_of_an_answer_holds_us_for_ever(
    monkeypatch: pytest.MonkeyPatch, beginning: bytes, again: bytes, pause_s: float
) -> None:
    monkeypatch.setattr(module, "SILENCE_TIMEOUT_S", 1.0)
    refusals = (ArchiveUnreachableError, ArchiveAnswerError)
    with server(drips(beginning, again, pause_s)) as port, pytest.raises(refusals):
        archive_at(port).find("2.25.1", "2.25.3")  # whatever held us would do so for ever: the server never ends


def test_a_handshake_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_TIMEOUT_S", 1.0)
    over = threading.Event()

    def behave(connection: socket.socket) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00")  # 16 KiB of handshake, a byte at a time
        while not over.wait(0.05):
            connection.sendall(b"\x02")

    with server(behave) as port:
        link = Link(f"https://localhost:{port}", ClinicAccess(), Pace(0, threading.Event()))
        with pytest.raises(ArchiveUnreachableError):
            link.request("GET", "/studies", {})
        over.set()


@pytest.mark.parametrize(
    "series", ["\\ud800", "2.25.1\\r\\nX: y", "../../tools", "2.25.1/x", "", " ", "2.25.\\u0661", "9" * 65, "2.25.1?a"]
)
def test_a_series_that_is_no_uid_is_no_answer(series: str) -> None:
    body = b'[{"00080018": {"Value": ["2.25.3"]}, "0020000E": {"Value": ["%s"]}}]' % series.encode()
    with server(says(answer(body))) as port, pytest.raises(ArchiveAnswerError):
        archive_at(port).find("2.25.1", "2.25.3")


def test_a_slow_but_steady_read_back_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    # A clock of its own, which the server moves: in all it takes longer than any silence may last.
    content, pieces, now = b"x" * 10_000, 10, [1000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    assert module.SILENCE_TIMEOUT_S / pieces < len(content) / module.SLOWEST_BYTES_PER_S

    def drip(connection: socket.socket) -> None:
        read_request(connection)
        whole = answer(content, "application/dicom")
        size = -(-len(whole) // pieces)
        for start in range(0, len(whole), size):
            now[0] += 1.1 * module.SILENCE_TIMEOUT_S / pieces
            connection.sendall(whole[start : start + size])

    with server(drip) as port:
        archive_at(port).verify(SOMETHING, Pieces.of(content))


def test_a_client_certificate_is_shown(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    authority = new_authority("Test", now)
    certificate, key = client_certificate("handheld", now)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(written(tmp_path, new_server_certificate(authority, ["localhost"], now)))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=certificate)
    names: list[object] = []

    def behave(connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        names.append((connection.getpeercert() or {}).get("subject"))
        says(answer(b"[]"))(connection)

    trusted = authority.certificate.decode()
    ours = ClinicAccess.model_validate({"authority": trusted, "client_certificate": certificate, "client_key": key})
    with server(behave, context) as port:
        link = Link(f"https://localhost:{port}", ours, Pace(0, threading.Event()))
        assert link.request("GET", "/studies", {}).body(10) == b"[]"
        nobody = Link(f"https://localhost:{port}", ClinicAccess(authority=trusted), Pace(0, threading.Event()))
        with pytest.raises(ArchiveUnreachableError):
            nobody.request("GET", "/studies", {}).body(10)
    assert names == [((("commonName", "handheld"),),)]


def client_certificate(name: str, now: datetime) -> tuple[str, str]:
    """A certificate that signs itself, and its key; both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), pem.decode()


def written(folder: Path, pair: KeyPair) -> Path:
    path = folder / "server.pem"
    path.write_bytes(pair.certificate + pair.key)
    return path
