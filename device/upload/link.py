# SPDX-License-Identifier: Apache-2.0
"""One HTTPS connection to the clinic: certificate or pinned key checked before a byte is sent, everything bounded.

Built on the standard library's client. A request is sent as it is, once, with its length (no chunks, which archives
have lost data over); redirects are not followed; an answer is read in pieces and never beyond a limit; and every
request has one deadline for all of it. A connection that breaks is the normal case in the field and ends as
``ArchiveUnreachableError``.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from device.errors import ArchiveAnswerError, ArchiveUnreachableError, ArchiveUntrustedError, UploadStoppedError
from device.records.pieces import Pieces
from device.site.access import ClinicAccess
from device.upload.pace import Pace

PIECE = 16 * 1024
CONNECT_TIMEOUT_S = 20.0
SILENCE_TIMEOUT_S = 60.0
"""Longest time without any progress; an archive may need a while to store a large loop before it answers."""

SLOWEST_BYTES_PER_S = 256
"""Anything slower is not a network; together with the size it bounds how long a request may take."""


class Reply:
    """An answer whose body has not been read yet."""

    def __init__(self, link: Link, response: http.client.HTTPResponse, until: float) -> None:
        self._link = link
        self._response = response
        self._until = until
        self.status = response.status
        self.content_type = response.headers.get("Content-Type", "")

    def chunks(self, limit: int) -> Iterator[bytes]:
        """The body in pieces.

        Args:
            limit: Bytes that the body may have at most.

        Raises:
            ArchiveAnswerError: It has more.
            ArchiveUnreachableError: The connection broke, or is too slow to be one.
        """
        total = 0
        with self._link.translating():
            while piece := self._response.read1(PIECE):
                self._link.check(self._until)
                total += len(piece)
                if total > limit:
                    raise ArchiveAnswerError(self._link.name, "the answer is too large")
                self._link.pace.spend(len(piece))
                yield piece
            self._link.check(self._until)  # a connection that was cut in the trailers ends like a good one
            if self._response.length:
                raise http.client.IncompleteRead(b"", self._response.length)
            self._response.close()  # all of it is read; without this the connection would not take another request
        self._link.answered()

    def body(self, limit: int) -> bytes:
        """The whole body; see :meth:`chunks`."""
        return b"".join(self.chunks(limit))


class Link:
    """A connection that is opened when it is needed and kept while it works; for one thread.

    Args:
        url: Address of the DICOMweb service.
        access: Whom to trust and who we are.
        pace: How fast to send and read.
    """

    def __init__(self, url: str, access: ClinicAccess, pace: Pace) -> None:
        parts = urlsplit(url)
        self.name = parts.netloc
        self.pace = pace
        self._base = parts.path.rstrip("/")
        self._host, self._port = parts.hostname or "", parts.port
        self._secure = parts.scheme == "https"
        self._access = access
        self._connection: http.client.HTTPConnection | None = None
        self._stopped = False
        self._overdue = False
        self._deadline: threading.Timer | None = None

    def request(
        self, method: str, target: str, headers: dict[str, str], body: Pieces | None = None, *, expected: int = 0
    ) -> Reply:
        """Send one request and wait for the beginning of the answer.

        Args:
            method: ``GET`` or ``POST``.
            target: Path below the service, beginning with ``/``, with its query.
            headers: Beside those of the access.
            body: What is sent along; what it fails with while it is read ends the request and is raised.
            expected: Bytes that the answer will probably have; a large one may take longer.

        Raises:
            ArchiveUnreachableError: No connection, or it broke.
            ArchiveUntrustedError: The certificate or the key is not the one to be trusted.
            UploadStoppedError: It was stopped.
        """
        size = 0 if body is None else body.size
        allowed_s = SILENCE_TIMEOUT_S + (size + expected) / SLOWEST_BYTES_PER_S
        until = time.monotonic() + allowed_s
        self._watch(allowed_s)
        with self.translating():
            fresh = self._connection is None
            try:
                return self._exchange(method, target, headers, body, until)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                if fresh or body is not None:
                    raise
                # The other side has closed a connection that lay idle: that says nothing about now. A question may be
                # asked again; what has a body waits for its turn, or a bad network would be paid for twice.
                self.close()
                self._watch(max(0.0, until - time.monotonic()))
                return self._exchange(method, target, headers, body, until)

    def answered(self) -> None:
        """The answer was read to its end; there is nothing to be late any more."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        self.answered()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def abort(self) -> None:
        """Break off whatever is going on, from another thread."""
        self._stopped = True
        self._cut()

    def check(self, until: float) -> None:
        """End a request that was stopped or crawls.

        Raises:
            UploadStoppedError: It was stopped.
            ArchiveUnreachableError: It has taken too long.
        """
        if self._stopped:
            raise UploadStoppedError(self.name)
        if time.monotonic() > until:
            raise ArchiveUnreachableError(self.name, "too slow")

    @contextlib.contextmanager
    def translating(self) -> Iterator[None]:
        """Turn what the network does to us into our own errors; after any of them the connection is closed."""
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise ArchiveUntrustedError(self.name, error.verify_message) from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if self._stopped:
                raise UploadStoppedError(self.name) from error
            words = "too slow" if self._overdue else _network_words(error)
            raise ArchiveUnreachableError(self.name, words) from error
        except BaseException:
            self.close()
            raise

    def _watch(self, allowed_s: float) -> None:
        """Cut the connection when the request has not ended by then.

        The time-out of a socket starts again with every byte, and the standard library's client reads headers,
        trailers and interim answers (``100 Continue``) without a moment to check in between; so another thread does it.
        """
        self.answered()
        self._overdue = False

        def end() -> None:
            self._overdue = True
            self._cut()

        self._deadline = threading.Timer(min(allowed_s, threading.TIMEOUT_MAX), end)
        self._deadline.daemon = True
        self._deadline.start()

    def _cut(self) -> None:
        """Let every read and write of the connection end now; for another thread than the one that is at it."""
        connection = self._connection
        raw = connection.sock if connection is not None else None
        if raw is not None:
            with contextlib.suppress(OSError):
                # Not the TLS socket's own way: that one forgets its session, and reads in clear from then on.
                socket.socket.shutdown(raw, socket.SHUT_RDWR)

    def _exchange(self, method: str, target: str, headers: dict[str, str], body: Pieces | None, until: float) -> Reply:
        kept = self._connection
        connection = kept if kept is not None and kept.sock is not None else self._connect()
        connection.putrequest(method, self._base + target, skip_accept_encoding=True)
        for name, value in {**self._access.headers(), **headers}.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(body.size))
        connection.endheaders()
        try:
            self._send(connection, () if body is None else body, until)
        except (BrokenPipeError, ConnectionResetError):
            # A server that refuses the body answers at once and hangs up; that answer says more than the broken pipe.
            return Reply(self, connection.getresponse(), until)
        return Reply(self, connection.getresponse(), until)

    def _send(self, connection: http.client.HTTPConnection, body: Iterable[bytes], until: float) -> None:
        for piece in body:
            view = memoryview(piece)
            for start in range(0, len(view), PIECE):
                self.check(until)
                part = view[start : start + PIECE]
                self.pace.spend(len(part))
                connection.send(part)

    def _connect(self) -> http.client.HTTPConnection:
        self.check(time.monotonic() + 1.0)
        connection: http.client.HTTPConnection
        if self._secure:
            context = self._access.tls()
            connection = http.client.HTTPSConnection(self._host, self._port, timeout=CONNECT_TIMEOUT_S, context=context)
        else:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=CONNECT_TIMEOUT_S)
        connection.auto_open = 0  # it would connect again by itself, and past the check of the pin
        self._connection = connection
        connection.connect()
        self._check_pin(connection)
        connection.sock.settimeout(SILENCE_TIMEOUT_S)
        return connection

    def _check_pin(self, connection: http.client.HTTPConnection) -> None:
        """Compare the server's public key with the pinned one, before anything is said to it."""
        if self._access.key_pin is None or not isinstance(connection.sock, ssl.SSLSocket):
            return
        certificate = connection.sock.getpeercert(binary_form=True) or b""
        try:
            public = x509.load_der_x509_certificate(certificate).public_key()
        except ValueError as error:
            raise ArchiveUntrustedError(self.name, "unreadable certificate") from error
        spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        if self._access.key_pin != "sha256/" + base64.b64encode(hashlib.sha256(spki).digest()).decode():
            raise ArchiveUntrustedError(self.name, "another key than the pinned one")


def _network_words(error: Exception) -> str:
    """A short technical reason for the log; the text of a network error holds nothing about a person."""
    return f"{type(error).__name__}: {error}"[:200]
