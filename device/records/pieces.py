# SPDX-License-Identifier: Apache-2.0
"""The content of a file that comes in pieces, as often as it is asked for.

A loop of a few minutes is larger than the memory of a small board. So whatever carries a file from the records to the
clinic or to a stick (``outbox``, ``device.dicom``, ``device.upload``, ``device.transfer``) hands on one of these, and
nothing of it is held but the piece that is under way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Self

PIECE = 64 * 1024
"""Bytes of a piece of what is whole in memory."""


class Pieces:
    """A content and how to get it.

    Attributes:
        size: Bytes of all pieces together.
    """

    def __init__(self, size: int, make: Callable[[], Iterable[bytes]]) -> None:
        """What ``make`` gives each time is the same, and ``size`` bytes long."""
        self.size = size
        self._make = make
        self._sha256: str | None = None

    @classmethod
    def of(cls, content: bytes) -> Self:
        """What is in memory as a whole."""
        return cls(len(content), lambda: (content[at : at + PIECE] for at in range(0, len(content), PIECE)))

    def __iter__(self) -> Iterator[bytes]:
        """The pieces, in order."""
        if self._sha256 is not None:
            yield from self._make()
            return
        digest = hashlib.sha256()
        for piece in self._make():
            digest.update(piece)
            yield piece
        self._sha256 = digest.hexdigest()

    @property
    def sha256(self) -> str:
        """Digest of the whole, hexadecimal; known after all of it went by once, else it is gone through now."""
        while self._sha256 is None:
            for _ in self:
                pass
        return self._sha256

    def whole(self) -> bytes:
        """All of it in memory; for what is known to be small."""
        return b"".join(self)
