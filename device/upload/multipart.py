# SPDX-License-Identifier: Apache-2.0
"""Multipart bodies as DICOMweb uses them: one DICOM file wrapped for sending, one taken out of an answer.

What comes from the network is hostile until proved otherwise, so nothing is taken in whole: headers are bounded, and
the file inside is handed on in pieces.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterable, Iterator
from email.message import Message

from device.errors import ArchiveAnswerError
from device.records.pieces import Pieces

DICOM = "application/dicom"
ACCEPT_AS_STORED = f'multipart/related; type="{DICOM}"; transfer-syntax=*'

_MAX_PART_HEADERS = 16 * 1024
_MAX_BOUNDARY = 200


def wrap(content: Pieces) -> tuple[str, Pieces]:
    """A multipart body around one DICOM file.

    Returns:
        The Content-Type, and the body, whose pieces are those of the file between a head and an end.
    """
    boundary = secrets.token_hex(16)
    head = f"--{boundary}\r\nContent-Type: {DICOM}\r\n\r\n".encode()
    end = f"\r\n--{boundary}--\r\n".encode()
    body = Pieces(len(head) + content.size + len(end), lambda: itertools.chain((head,), content, (end,)))
    return f'multipart/related; type="{DICOM}"; boundary={boundary}', body


def unwrap(content_type: str, chunks: Iterable[bytes], where: str) -> Iterator[bytes]:
    """The first part of a multipart body, in pieces.

    Args:
        content_type: As the answer says; a bare ``application/dicom`` is the file itself.
        chunks: The body.
        where: What an error names.

    Raises:
        ArchiveAnswerError: It is neither, or ends before the part does.
    """
    header = Message()
    header["Content-Type"] = content_type
    if header.get_content_type() == DICOM:
        yield from chunks
        return
    boundary = header.get_param("boundary")
    if header.get_content_maintype() != "multipart" or not isinstance(boundary, str) or len(boundary) > _MAX_BOUNDARY:
        raise ArchiveAnswerError(where, "not a multipart answer")
    stream = iter(chunks)
    held = _behind_headers(stream, boundary.encode(), where)
    end = b"\r\n--" + boundary.encode()
    while (found := held.find(end)) < 0:
        # What might be the beginning of the end is held back until more is known.
        safe = max(0, len(held) - len(end) + 1)
        if safe:
            yield held[:safe]
        more = next(stream, None)
        if more is None:
            raise ArchiveAnswerError(where, "the answer ends too early")
        held = held[safe:] + more
    yield held[:found]
    for _ in stream:  # what follows is nothing, but a connection with unread bytes cannot be used again
        pass


def _behind_headers(stream: Iterator[bytes], boundary: bytes, where: str) -> bytes:
    """What has been read behind the first part's headers."""
    held = b""
    while (end := held.find(b"\r\n\r\n")) < 0:
        more = next(stream, None)
        if more is None or len(held) > _MAX_PART_HEADERS:
            raise ArchiveAnswerError(where, "no part in the answer")
        held += more
    if b"--" + boundary not in held[:end]:
        raise ArchiveAnswerError(where, "no part in the answer")
    return held[end + 4 :]
