# SPDX-License-Identifier: Apache-2.0
"""One instance as it comes in from a handheld: unwrapped, named before it is passed on, and digested on the way.

What goes to the archive is wrapped again there, under a boundary that the sender cannot know: so it is one instance for
the archive too, whatever is inside.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Self

from clinic.gateway.dicom_head import HEAD_BYTES, HeadError, InstanceName, read_name
from clinic.gateway.inner_archive import PIECE
from clinic.gateway.nesting import Nesting, NestingError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_TYPE = re.compile(r'multipart/related; type="application/dicom"; boundary=([0-9A-Za-z]{1,64})')
_PART = re.compile(rb"--([0-9A-Za-z]{1,64})\r\nContent-Type: application/dicom\r\n\r\n")


class BodyError(ValueError):
    """The body is not what a handheld sends."""


class Received:
    """One instance that is coming in.

    Args:
        stream: The body.
        beginning: What was read of the file already.
        length: Bytes of the whole file.
        name: What the file is.
        tail: What follows the file.

    Attributes:
        name: Study, series and instance.
        length: Bytes of the file.
    """

    def __init__(self, stream: IO[bytes], beginning: bytes, length: int, name: InstanceName, tail: bytes) -> None:
        self.name = name
        self.length = length
        self._stream = stream
        self._beginning = beginning
        self._tail = tail
        self._digest = hashlib.sha256()
        self._nesting = Nesting()

    @classmethod
    def open(cls, environ: WSGIEnvironment) -> Self:
        """Read the beginning of a request's body.

        Raises:
            BodyError: It is not one DICOM file as handhelds send it.
        """
        kind = _TYPE.fullmatch(environ.get("CONTENT_TYPE", ""))
        said = environ.get("CONTENT_LENGTH", "")
        if kind is None or not re.fullmatch(r"[0-9]{1,12}", said):
            raise BodyError("one DICOM file in a multipart body of known length is expected")
        stream: IO[bytes] = environ["wsgi.input"]
        tail = f"\r\n--{kind[1]}--\r\n".encode()
        first = _read(stream, min(HEAD_BYTES, int(said)))
        part = _PART.match(first)
        length = int(said) - (part.end() if part else 0) - len(tail)
        if part is None or part[1].decode() != kind[1] or length <= 0:
            raise BodyError("one DICOM file in a multipart body of known length is expected")
        beginning = first[part.end() : part.end() + length]
        held = first[part.end() + length :]  # of a small file the end is here already
        try:
            name = read_name(beginning)
        except HeadError as error:
            raise BodyError(str(error)) from None
        if held and not tail.startswith(held):
            raise BodyError("the body does not end as it should")
        return cls(stream, beginning, length, name, tail[len(held) :])

    def content(self) -> Iterator[bytes]:
        """The file in pieces, once; its last piece only when the body has ended as it should.

        Raises:
            BodyError: It does not, or the file is none that the archive could be given (``clinic.gateway.nesting``).
        """
        left, piece = self.length - len(self._beginning), self._beginning
        while left:
            yield self._passed(piece)
            piece = _read(self._stream, min(PIECE, left))
            left -= len(piece)
        if _read(self._stream, len(self._tail)) != self._tail:
            raise BodyError("the body does not end as it should")
        yield self._passed(piece, last=True)

    def _passed(self, piece: bytes, *, last: bool = False) -> bytes:
        """A piece that may be passed on."""
        try:
            self._nesting.feed(piece)
            if last:
                self._nesting.end()
        except NestingError as error:
            raise BodyError(str(error)) from None
        self._digest.update(piece)
        return piece

    def sha256(self) -> str:
        """Of what :meth:`content` has passed on, hexadecimal."""
        return self._digest.hexdigest()


def _read(stream: IO[bytes], count: int) -> bytes:
    """So many bytes.

    Raises:
        BodyError: There are fewer.
    """
    parts = []
    while count:
        piece = stream.read(count)
        if not piece:
            raise BodyError("the body ends too early")
        parts.append(piece)
        count -= len(piece)
    return b"".join(parts)
