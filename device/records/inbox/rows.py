# SPDX-License-Identifier: Apache-2.0
"""The rows of what came from the clinic: how they are sealed, before and after the device is unlocked.

A verdict comes while the device is locked, so it is sealed to the upload key, like what waits to be sent. Who can
write to the card could make such a row; so it counts only after it was opened, checked against the clinic's key and
sealed under the data key (``taken_in``), which needs a PIN. Clear are random UIDs and times.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Final

from device.errors import RecordDamagedError
from device.records.inbox.messages import PlannedDay, SignedVerdict, planned_day
from device.structured import StructureError, parse_json

PURPOSE: Final = "verdict"


def verdict_label(verdict_id: str) -> str:
    """What binds a verdict sealed to the upload key to its name."""
    return f"mammascope/v1/verdict/{verdict_id}"


def planned_label(day: str) -> str:
    """What binds a day's list to its day."""
    return f"mammascope/v1/planned/{day}"


def verdict_to_bytes(signed: SignedVerdict) -> bytes:
    """What is sealed: the very bytes that the clinic signed, so that they can be checked at any time."""
    parts = {"payload": signed.payload, "signature": signed.signature}
    return json.dumps({name: base64.b64encode(part).decode() for name, part in parts.items()}).encode()


def verdict_from_bytes(verdict_id: str, content: bytes) -> SignedVerdict:
    """What :func:`verdict_to_bytes` gave.

    Raises:
        RecordDamagedError: It is something else.
    """
    try:
        raw = parse_json(content)
        payload, signature = (base64.b64decode(raw[name], validate=True) for name in ("payload", "signature"))
    except (StructureError, KeyError, TypeError, ValueError, binascii.Error) as error:
        raise RecordDamagedError(verdict_id, type(error).__name__) from None
    return SignedVerdict(verdict_id, payload, signature)


def planned_from_bytes(content: bytes, come_at: datetime) -> PlannedDay:
    """A day's list from the clinic's own words, which are what is sealed.

    Raises:
        RecordDamagedError: They make no sense.
        ArchiveAnswerError: They are no list.
    """
    try:
        raw = parse_json(content)
    except StructureError as error:
        raise RecordDamagedError("planned", str(error)) from None
    return planned_day(raw, come_at, "planned")
