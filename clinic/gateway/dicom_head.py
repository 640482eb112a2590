# SPDX-License-Identifier: Apache-2.0
"""Which instance a DICOM file is, read from its first bytes and nothing beyond.

The gate has to know before it passes a file on, and the sender may lie. So the reader is strict where
libraries are generous: explicit lengths, ascending tags, known value representations, else the file is refused. What
is left can be read in one way only, by this reader and by the archive behind it.
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass

HEAD_BYTES = 64 * 1024
"""The UIDs of what handhelds send stand within the first few hundred bytes."""

UID = re.compile(r"(?=.{1,64}\Z)(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+")
"""A DICOM unique identifier (PS3.5 section 9.1)."""

_PREAMBLE = 128
_META_GROUP = 0x0002
_TRANSFER_SYNTAX = (0x0002, 0x0010)
_SOP, _STUDY, _SERIES = (0x0008, 0x0018), (0x0020, 0x000D), (0x0020, 0x000E)
_CHARACTERS, _PATIENT = (0x0008, 0x0005), (0x0010, 0x0020)
_OTHER_FORMS = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"}
"""Implicit, big-endian and deflated: the only transfer syntaxes whose data set is not explicit little-endian."""

LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
SHORT = {
    *(b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN"),
    *(b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"),
}
UNDEFINED = 0xFFFF_FFFF


class HeadError(ValueError):
    """The file is none that a handheld sends."""


@dataclass(frozen=True, slots=True)
class InstanceName:
    """What an instance is called, as unique identifiers.

    Attributes:
        study: Study Instance UID.
        series: Series Instance UID.
        sop: SOP Instance UID.
        patient: What stands for the patient, as 64 hexadecimal digits that name nobody.
    """

    study: str
    series: str
    sop: str
    patient: str = ""


def read_name(head: bytes) -> InstanceName:
    """The name of the instance that a file begins with.

    Args:
        head: The first bytes of the file, ``HEAD_BYTES`` of them or the whole.

    Raises:
        HeadError: It is no DICOM file of the kind that handhelds send, or names nothing.
    """
    if head[_PREAMBLE : _PREAMBLE + 4] != b"DICM":
        raise HeadError("no DICOM file")
    place, syntax, before = _PREAMBLE + 4, "", (0, 0)
    while _group(head, place) == _META_GROUP:
        tag, value, place = _element(head, place, before)
        syntax, before = _text(value) if tag == _TRANSFER_SYNTAX else syntax, tag
    if not UID.fullmatch(syntax) or syntax in _OTHER_FORMS:
        raise HeadError("a transfer syntax that handhelds do not use")
    found: dict[tuple[int, int], str] = {}
    patient = {_CHARACTERS: b"", _PATIENT: b""}
    before = (_META_GROUP, 0xFFFF)
    while before < _SERIES:
        tag, value, place = _element(head, place, before)
        if tag in (_SOP, _STUDY, _SERIES):
            found[tag] = _text(value)
        if tag in patient:
            patient[tag] = value.strip(b" \0")
        before = tag
    if len(found) < 3 or not all(UID.fullmatch(uid) for uid in found.values()):
        raise HeadError("study, series and instance are not named")
    study = found[_STUDY]
    who = patient_digest(study, patient[_PATIENT], patient[_CHARACTERS])
    return InstanceName(study, found[_SERIES], found[_SOP], who)


def patient_digest(study: str, identifier: bytes, characters: bytes) -> str:
    """Of a patient's identifier in one study; the character set counts where it changes what the bytes say."""
    said = identifier if identifier.isascii() else characters + b"\\" + identifier
    return hashlib.sha256(study.encode() + b"/" + said).hexdigest()


def _group(head: bytes, place: int) -> int:
    if place + 2 > len(head):
        raise HeadError("it ends too early")
    return int.from_bytes(head[place : place + 2], "little")


def _element(head: bytes, place: int, before: tuple[int, int]) -> tuple[tuple[int, int], bytes, int]:
    """Tag and value of the element at ``place``, and where the next begins."""
    if place + 12 > len(head):
        raise HeadError("it ends too early")
    tag: tuple[int, int] = struct.unpack_from("<HH", head, place)
    kind = head[place + 4 : place + 6]
    if kind in SHORT:
        length, start = int.from_bytes(head[place + 6 : place + 8], "little"), place + 8
    elif kind in LONG:
        length, start = int.from_bytes(head[place + 8 : place + 12], "little"), place + 12
    else:
        raise HeadError("an unknown value representation")
    if tag <= before or length == UNDEFINED or start + length > len(head):
        raise HeadError("elements out of order, or of no definite length, before the study is named")
    return tag, head[start : start + length], start + length


def _text(value: bytes) -> str:
    return value.decode("ascii", errors="replace").removesuffix("\0")
