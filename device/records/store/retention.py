# SPDX-License-Identifier: Apache-2.0
"""The site's retention policy: what the clinic has proved to have may go after so many days, and nothing else may.

A wrong clock must not delete: while it is not known to be right nothing is deleted, and a receipt that came under a
doubtful clock counts from the first time that the clock can be believed. A receipt alone must not delete either: the
archive is asked once more (``device.upload.still_there``), and an exam that it does not have any more is kept, and
said. That a final exam without a receipt cannot go is moreover a rule of the database itself. Called after unlocking
and once a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from device.records.audit import Clock
from device.records.outbox.rows import OutboxEntry, OutboxState
from device.records.store.store import Store


class Standing(StrEnum):
    """What the archive says of an exam that it once had."""

    PRESENT = "present"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Expired:
    """What became of exams whose time is over.

    Attributes:
        removed: UIDs of the deleted exams.
        lost: UIDs of exams that the clinic does not have any more; they are kept.
    """

    removed: tuple[str, ...]
    lost: tuple[str, ...]


def expired(store: Store, days: int, clock: Clock) -> tuple[OutboxEntry, ...]:
    """Exams whose receipt is older than the policy asks for; none while the clock cannot be believed.

    An exam stays as long as its patient is to be called back, or the clinic's answer was not read: both are known here
    by the exam alone.

    Args:
        store: Open.
        days: The site's policy, 1 or more.
        clock: Time, and whether it can be believed.
    """
    if days < 1:
        raise ValueError("a retention policy keeps exams for a day at least")
    if not clock.trusted():
        return ()
    wanted = {call_back.verdict.exam_uid for call_back in store.call_backs()}
    wanted |= {uid for uid, read in store.inbox.answers().items() if not read}
    entries = (entry for entry in store.outbox_entries() if entry.exam_uid not in wanted)
    return tuple(entry for entry in entries if _is_old(entry, days, clock))


def remove_expired(store: Store, days: int, clock: Clock, standings: Mapping[str, Standing]) -> Expired:
    """Delete exams whose receipt is older than the policy asks for, and which the clinic has just been seen to have.

    Args:
        store: Open.
        days: The site's policy, 1 or more.
        clock: Time, and whether it can be believed.
        standings: What the archive has said of :func:`expired`, by UID; an exam that is not named stays.

    Raises:
        RecordsError: The card failed; what was deleted before stays deleted.
    """
    removed, lost = [], []
    for entry in expired(store, days, clock):
        standing = standings.get(entry.exam_uid, Standing.UNKNOWN)
        if standing is Standing.PRESENT:
            store.delete_sent(entry.exam_uid)
            removed.append(entry.exam_uid)
        elif standing is Standing.MISSING:
            lost.append(entry.exam_uid)
    if clock.trusted():
        for entry in store.outbox_entries():
            if entry.state is OutboxState.SENT and not entry.sent_at_trusted:
                store.date_receipt(entry.exam_uid)
    return Expired(tuple(removed), tuple(lost))


def _is_old(entry: OutboxEntry, days: int, clock: Clock) -> bool:
    if entry.state is not OutboxState.SENT or entry.sent_at is None or not entry.sent_at_trusted:
        return False
    return clock.now() - entry.sent_at >= timedelta(days=days)
