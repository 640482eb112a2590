# SPDX-License-Identifier: Apache-2.0
"""The clinic's certificates do what they are for: verified by OpenSSL over a real connection."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from clinic.certificates import KeyPair, key_pin, needs_renewal, new_authority, new_server_certificate

NOW = datetime.now(UTC)
NAMES = ["archive.example", "192.168.1.20", "fe80::1"]


def handshake(server: KeyPair, trusted: bytes, name: str, folder: Path) -> None:
    """Connect to a server with this certificate as a client that trusts that authority and expects this name."""
    both = folder / "server.pem"
    both.write_bytes(server.certificate + server.key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(both)
    asking = ssl.create_default_context(cadata=trusted.decode())
    asking.verify_flags |= ssl.VERIFY_X509_STRICT
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            serving.wrap_socket(there, server_side=True).close()
        except OSError:
            there.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        asking.wrap_socket(here, server_hostname=name).close()
    finally:
        here.close()
        thread.join()


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_verified(name: str, tmp_path: Path) -> None:
    authority = new_authority("Test", NOW)
    handshake(new_server_certificate(authority, NAMES, NOW), authority.certificate, name, tmp_path)


def test_another_name_or_authority_is_not(tmp_path: Path) -> None:
    authority, stranger = new_authority("Test", NOW), new_authority("Test", NOW)
    server = new_server_certificate(authority, NAMES, NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, authority.certificate, "other.example", tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, stranger.certificate, NAMES[0], tmp_path)


def test_a_server_certificate_cannot_make_others(tmp_path: Path) -> None:
    authority = new_authority("Test", NOW)
    server = new_server_certificate(authority, NAMES, NOW)
    forged = new_server_certificate(server, NAMES, NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(forged, authority.certificate, NAMES[0], tmp_path)


def test_renewing_keeps_the_pinned_key(tmp_path: Path) -> None:
    authority = new_authority("Test", NOW)
    first = new_server_certificate(authority, NAMES, NOW)
    second = new_server_certificate(authority, NAMES, NOW, key=first.key)
    assert first.certificate != second.certificate
    assert key_pin(first.certificate) == key_pin(second.certificate)
    assert key_pin(first.certificate) != key_pin(new_server_certificate(authority, NAMES, NOW).certificate)


def test_renewal_is_due_before_the_end_and_for_new_names() -> None:
    authority = new_authority("Test", NOW)
    certificate = new_server_certificate(authority, NAMES, NOW).certificate
    assert not needs_renewal(certificate, NAMES, NOW)
    assert needs_renewal(certificate, [*NAMES, "10.0.0.1"], NOW)
    end = x509.load_pem_x509_certificate(certificate).not_valid_after_utc
    assert needs_renewal(certificate, NAMES, end - timedelta(days=30))


def test_a_key_does_not_show_when_printed() -> None:
    authority = new_authority("Test", NOW)
    assert authority.key.decode()[40:80] not in repr(authority)
