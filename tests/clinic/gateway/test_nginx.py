# SPDX-License-Identifier: Apache-2.0
"""What the clinic's front door keeps out: bodies without a password, crowds, other sites' pages, old TLS."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import ssl
import time
from pathlib import Path

import pytest

from clinic.gateway.nginx import CONNECTIONS_A_CLIENT
from tests.clinic.doors import Door, handheld, person, raw
from tests.device.upload.real_archive import RealArchive
from tests.patience import PATIENT_S

MIB = 1 << 20
UPLOAD = b"POST /dicom-web/studies HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n%s\r\n"


def incoming(running_clinic: RealArchive) -> int:
    """Bytes of unfinished uploads that nginx holds, deleted names included."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for handle in (process / "fd").iterdir():
                if str(running_clinic.state.folder / "incoming") in os.readlink(handle):  # noqa: PTH115
                    total += handle.stat().st_size
    return total


def test_without_a_password_no_body_is_taken_in(running_clinic: RealArchive) -> None:
    with raw(running_clinic) as connection:
        connection.sendall(UPLOAD % (250 * MIB, b""))
        assert b"401 Unauthorized" in connection.recv(4096)
        with contextlib.suppress(OSError):
            for _ in range(64):
                connection.sendall(bytes(MIB // 4))
        assert incoming(running_clinic) == 0


def test_a_body_with_a_password_is_taken_in(running_clinic: RealArchive) -> None:
    """The control of the test above: it would see one."""
    with raw(running_clinic) as connection:
        connection.sendall(UPLOAD % (250 * MIB, b"Authorization: Basic " + credential(running_clinic) + b"\r\n"))
        for _ in range(16):
            connection.sendall(bytes(MIB // 4))
        until = time.monotonic() + PATIENT_S
        while not incoming(running_clinic) and time.monotonic() < until:
            time.sleep(0.05)
        assert incoming(running_clinic) > 0


def credential(running_clinic: RealArchive) -> bytes:
    return base64.b64encode(f"device-test:{running_clinic.password}".encode())


def test_one_address_holds_no_more_than_its_share(running_clinic: RealArchive) -> None:
    line = b"Authorization: Basic " + credential(running_clinic) + b"\r\n"
    with contextlib.ExitStack() as held:
        connections = [held.enter_context(raw(running_clinic)) for _ in range(CONNECTIONS_A_CLIENT + 4)]
        for connection in connections:
            connection.sendall(UPLOAD % (MIB, line))
        until = time.monotonic() + PATIENT_S
        while not any(is_refused(connection) for connection in reversed(connections)):
            assert time.monotonic() < until, "nobody was refused"
    until = time.monotonic() + PATIENT_S
    while (status := handheld(running_clinic, "test").ask("GET", "/").status_code) == 429 and time.monotonic() < until:
        time.sleep(0.05)
    assert status == 403  # and again, when they are gone


def is_refused(connection: ssl.SSLSocket) -> bool:
    """Whether nginx has said by now that there are too many; one that it waits for says nothing."""
    connection.settimeout(0.05)
    with contextlib.suppress(TimeoutError):
        return b"429" in connection.recv(4096)
    return False


def test_a_header_that_does_not_end_is_cut_off(running_clinic: RealArchive) -> None:
    with raw(running_clinic) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        assert_ends(connection)  # one that did not end would keep us until the time-out of ``raw``


def assert_ends(connection: ssl.SSLSocket) -> None:
    with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError):
        while connection.recv(4096):
            pass


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://localhost.evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_another_site_s_page_changes_nothing(running_clinic: RealArchive, method: str, headers: dict[str, str]) -> None:
    admin = person(running_clinic, "admin")
    assert admin.ask(method, "/tools/find", b'{"Level":"Study","Query":{}}', **headers).status_code == 403


def test_the_archive_s_own_pages_may_write(running_clinic: RealArchive) -> None:
    own = {"Origin": f"https://localhost:{running_clinic.port}", "Sec_Fetch_Site": "same-origin"}
    question = b'{"Level":"Study","Query":{}}'
    assert person(running_clinic, "admin").ask("POST", "/tools/find", question, **own).status_code == 200
    assert person(running_clinic, "admin").ask("POST", "/tools/find", question).status_code == 200


SHUT = b"POST /tools/shutdown HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("line", "more"),
    [
        (b"POST /tools/find HTTP/1.1", b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
        (b"POST /tools/find HTTP/1.1", b"Transfer-Encoding: xchunked\r\n"),
        (b"POST /tools/find HTTP/1.1", b"Transfer-Encoding:\tchunked\r\n"),
        (b"POST /tools/find HTTP/1.1", b"Content-Length: 0\r\nContent-Length: 5\r\n"),
        (b"POST /tools/find HTTP/1.1", b"Content-Length: +5\r\n"),
        (b"POST /tools/find HTTP/1.1", b"Content-Length : 5\r\n"),
        (b"GET /system HTTP/1.1", b"Host: evil.example\r\n"),
        (b"GET /system HTTP/1.1", b"Authorization: Basic eDp5\r\n"),
        (b"GET /system HTTP/1.1", b"X: " + bytes(b"a" * 40_000) + b"\r\n"),
        (b"POST https://localhost/tools/shutdown HTTP/1.1", b"Content-Length: 0\r\n"),
    ],
)
def test_a_request_that_could_be_read_in_two_ways_is_refused(
    running_clinic: RealArchive, line: bytes, more: bytes
) -> None:
    """And what stands behind it is no second request."""
    password = running_clinic.state.users()["admin"]
    admin = b"Authorization: Basic " + base64.b64encode(f"admin:{password}".encode()) + b"\r\n"
    with raw(running_clinic) as connection:
        connection.sendall(line + b"\r\nHost: localhost\r\n" + admin + more + b"\r\n0\r\n\r\n" + SHUT % admin)
        answers = b""
        with contextlib.suppress(OSError):
            while piece := connection.recv(65536):
                answers += piece
    assert re.findall(rb"HTTP/1.1 (\d)", answers)[0] in (b"4", b"5")
    assert b"HTTP/1.1 200" not in answers
    assert person(running_clinic, "admin").ask("GET", "/system").status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "/tools/shutdown",
        "/tools/reset",
        "//tools//shutdown",
        "/tools/./reset",
        "/tools%2fshutdown",
        "/tools/%73hutdown",
        "/tools/shutdown/",
        "/tools/shutdown;x",
        "/tools/shutdown?x",
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_nobody_ends_the_archive_by_a_request(running_clinic: RealArchive, method: str, target: str) -> None:
    admin = person(running_clinic, "admin")
    assert admin.ask(method, target).status_code == 403
    assert admin.ask("GET", "/system").status_code == 200


def test_every_answer_carries_the_headers_that_browsers_ask_for(running_clinic: RealArchive) -> None:
    for door in (Door(running_clinic), person(running_clinic, "reader"), handheld(running_clinic, "test")):
        headers = door.ask("GET", "/system").headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "SAMEORIGIN"
        assert "frame-ancestors" in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("newest", "ciphers", "taken"),
    [
        (ssl.TLSVersion.TLSv1_3, "ALL", True),
        (ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM", True),
        (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0", False),
        (ssl.TLSVersion.TLSv1_2, "ALL:!AESGCM:!CHACHA20:@SECLEVEL=0", False),
        (ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0", False),
    ],
)
def test_tls_is_of_today(running_clinic: RealArchive, newest: ssl.TLSVersion, ciphers: str, taken: bool) -> None:
    context = ssl.create_default_context(cafile=str(running_clinic.state.folder / "authority.crt"))
    context.set_ciphers(ciphers)
    with (
        pytest.warns(DeprecationWarning, match="TLSv1_1")
        if newest is ssl.TLSVersion.TLSv1_1
        else contextlib.nullcontext()
    ):
        context.minimum_version = min(newest, ssl.TLSVersion.TLSv1_2)
        context.maximum_version = newest
    if taken:
        with raw(running_clinic, context) as connection:
            assert connection.version() == newest.name.replace("_", ".")
    else:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            raw(running_clinic, context)


def test_a_handheld_s_password_is_none_at_the_archive_itself(running_clinic: RealArchive) -> None:
    users = json.loads((running_clinic.state.folder / "orthanc.json").read_text())["RegisteredUsers"]
    assert sorted(users) == ["admin", "gate", "pages", "reader"]
