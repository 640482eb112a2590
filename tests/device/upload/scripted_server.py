# SPDX-License-Identifier: Apache-2.0
"""A server that says exactly what a test wants it to say, byte by byte, whatever it is asked."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

from tests.patience import PATIENT_S

Behaviour = Callable[[socket.socket], None]


@contextlib.contextmanager
def server(behave: Behaviour, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Run ``behave`` for every connection, in a thread of its own.

    Yields:
        The port.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.settimeout(PATIENT_S)
            if context is not None:
                connection = context.wrap_socket(connection, server_side=True)
            behave(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                thread = threading.Thread(target=serve, args=(connection,), daemon=True)
                thread.start()
                threads.append(thread)

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join()
        for thread in threads:
            thread.join(timeout=5)


def read_request(connection: socket.socket) -> bytes:
    """The head of a request; its body, if any, stays unread."""
    head = b""
    while b"\r\n\r\n" not in head:
        more = connection.recv(4096)
        if not more:
            break
        head += more
    return head


def says(*answers: bytes) -> Behaviour:
    """Answer request after request on one connection, then close it."""

    def behave(connection: socket.socket) -> None:
        for answer in answers:
            if not read_request(connection):
                return
            connection.sendall(answer)

    return behave


def answer(body: bytes, kind: str = "application/dicom+json", status: str = "200 OK", *, length: int = -1) -> bytes:
    """A whole answer; ``length`` may lie."""
    said = len(body) if length < 0 else length
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {said}\r\n\r\n".encode() + body
