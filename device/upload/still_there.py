# SPDX-License-Identifier: Apache-2.0
"""Whether the clinic's archive still has an exam, asked once more before the handheld's own copy goes.

A receipt says what was there when it was written. Archives lose things, and people delete them; so the retention policy
(``device.records.store.retention``) asks again, instance by instance. No network, a refusal, an archive at another
address that lacks something: all of these leave the question open, and then the exam stays.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from device.config import Settings
from device.errors import ContentConflictError, MammascopeError, UploadError
from device.records.outbox.rows import OutboxEntry
from device.records.store.retention import Standing
from device.upload.destination import destination
from device.upload.link import Link
from device.upload.pace import Pace
from device.upload.receipt import Receipt
from device.upload.stow import DicomWebArchive


def standings(settings: Settings, entries: Iterable[OutboxEntry]) -> dict[str, Standing]:
    """Where these exams stand at the clinic, by UID; takes as long as the network takes.

    Args:
        settings: Name the clinic.
        entries: Exams that were sent.
    """
    wanted = list(entries)
    try:
        where = destination(settings)
    except MammascopeError:
        return {entry.exam_uid: Standing.UNKNOWN for entry in wanted}
    link = Link(where.url, where.access, Pace(where.bytes_per_s, threading.Event()))
    try:
        archive = DicomWebArchive(where.url, link)
        return {entry.exam_uid: standing(archive, entry) for entry in wanted}
    finally:
        link.close()


def standing(archive: DicomWebArchive, entry: OutboxEntry) -> Standing:
    """Where one exam stands at an archive."""
    try:
        receipt = Receipt.from_json(entry.receipt)
    except (ValueError, KeyError, TypeError):
        return Standing.UNKNOWN
    if not receipt.instances:
        return Standing.UNKNOWN
    # An archive at another address may be the same one on another machine. What it has is there; but that it lacks
    # something says nothing of the archive that the receipt is from.
    elsewhere = receipt.archive != archive.url
    for instance in receipt.instances:
        try:
            if archive.find(receipt.study_uid, instance.sop_uid) is None:
                return Standing.UNKNOWN if elsewhere else Standing.MISSING
        except ContentConflictError:
            continue  # it is there, and more than once
        except UploadError:
            return Standing.UNKNOWN
    return Standing.PRESENT
