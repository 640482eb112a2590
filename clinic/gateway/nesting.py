# SPDX-License-Identifier: Apache-2.0
"""How deep a DICOM file nests its sequences, seen while it passes by in pieces.

Debian's Orthanc 1.10.1 dies of a file with sixty sequences inside each other, and such a file has a few kilobytes. What
handhelds send has less than ten. So the gate follows the structure of the whole file (PS3.5, 7.1.2 and 7.5) without
keeping it, and breaks off what goes deeper, or cannot be followed: what is passed on has one reading only.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from typing import Final

from clinic.gateway.dicom_head import LONG, SHORT, UNDEFINED

DEEPEST: Final = 16
"""Sequences inside each other; template 1500 of a handheld needs about half of it."""

_HEAD: Final = 128 + 4
_PIXELS: Final = (0x7FE0, 0x0010)
_ITEM, _ITEM_END, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)


class NestingError(ValueError):
    """The file nests too deep, or its structure cannot be followed."""


class _Kind(Enum):
    SEQUENCE = "sequence"
    ITEM = "item"
    FRAGMENTS = "fragments"


@dataclass(frozen=True, slots=True)
class _Open:
    """What has begun and not ended.

    Attributes:
        kind: What it is.
        end: Where it ends in the file; ``None`` where a delimiter says so.
    """

    kind: _Kind
    end: int | None


class Nesting:
    """Follows one file in explicit little-endian form."""

    def __init__(self) -> None:
        self._place = 0
        self._skip = _HEAD
        self._held = b""
        self._open: list[_Open] = []

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the file.

        Raises:
            NestingError: It goes too deep, or nobody can tell how it is to be read.
        """
        content = self._held + piece
        at = 0
        while at < len(content):
            if self._skip:
                step = min(self._skip, len(content) - at)
                self._skip -= step
            else:
                step = self._element(content, at)
                if not step:
                    break
            at += step
            self._place += step
            self._close_ended()
        self._held = content[at:]

    def end(self) -> None:
        """The file has ended.

        Raises:
            NestingError: In the middle of something.
        """
        if self._skip or self._held or self._open:
            raise NestingError("it ends in the middle of an element")

    def _element(self, content: bytes, at: int) -> int:
        """Read the head of an element or a delimiter; its length, 0 where not all of it is here yet."""
        if len(content) - at < 8:
            return 0
        tag: tuple[int, int] = struct.unpack_from("<HH", content, at)
        if tag[0] == _ITEM[0]:
            self._delimiter(tag, int.from_bytes(content[at + 4 : at + 8], "little"))
            return 8
        if self._open and self._open[-1].kind is not _Kind.ITEM:
            raise NestingError("an element where an item is expected")
        kind = content[at + 4 : at + 6]
        if kind in SHORT:
            self._skip = int.from_bytes(content[at + 6 : at + 8], "little")
            self._check_fits(8 + self._skip)
            return 8
        if kind not in LONG:
            raise NestingError("an unknown value representation")
        if len(content) - at < 12:
            return 0
        self._long(tag, kind, int.from_bytes(content[at + 8 : at + 12], "little"))
        return 12

    def _long(self, tag: tuple[int, int], kind: bytes, length: int) -> None:
        if kind == b"SQ":
            self._begin(_Kind.SEQUENCE, 12, length)
            if sum(one.kind is _Kind.SEQUENCE for one in self._open) > DEEPEST:
                raise NestingError("sequences are nested too deep")
        elif length == UNDEFINED:
            if tag != _PIXELS or kind not in (b"OB", b"OW") or self._open:
                raise NestingError("a value of no definite length")
            self._begin(_Kind.FRAGMENTS, 12, length)
        else:
            self._check_fits(12 + length)
            self._skip = length

    def _delimiter(self, tag: tuple[int, int], length: int) -> None:
        inside = self._open[-1] if self._open else None
        if inside is not None and tag == _ITEM and inside.kind is _Kind.SEQUENCE:
            self._begin(_Kind.ITEM, 8, length)
        elif inside is not None and tag == _ITEM and inside.kind is _Kind.FRAGMENTS and length != UNDEFINED:
            self._skip = length
        elif inside is not None and length == 0 and inside.end is None and _ends(tag, inside.kind):
            self._open.pop()
        else:
            raise NestingError("a delimiter where none is expected")

    def _begin(self, kind: _Kind, head: int, length: int) -> None:
        if length != UNDEFINED:
            self._check_fits(head + length)
        self._open.append(_Open(kind, None if length == UNDEFINED else self._place + head + length))

    def _check_fits(self, length: int) -> None:
        """What is inside of something ends no later than that."""
        end = next((one.end for one in reversed(self._open) if one.end is not None), None)
        if end is not None and self._place + length > end:
            raise NestingError("an element is longer than what it is in")

    def _close_ended(self) -> None:
        while not self._skip and self._open and self._open[-1].end == self._place:
            self._open.pop()


def _ends(tag: tuple[int, int], kind: _Kind) -> bool:
    return tag == (_ITEM_END if kind is _Kind.ITEM else _SEQUENCE_END)
