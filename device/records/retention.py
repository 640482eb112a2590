"""The site's retention policy: what the clinic has proved to have may go after so many days, and nothing else may.

A wrong clock must not delete: while it is not known to be right nothing is deleted, and a receipt that came under a
doubtful clock counts from the first time that the clock can be believed. That a final exam without a receipt cannot go
is moreover a rule of the database itself. Called after unlocking and once a day.
"""

from __future__ import annotations

from datetime import timedelta

from device.records.audit import Clock
from device.records.outbox_rows import OutboxEntry, OutboxState
from device.records.store import Store


def remove_expired(store: Store, days: int, clock: Clock) -> tuple[str, ...]:
    """Delete exams whose receipt is older than the policy asks for.

    Args:
        store: Open.
        days: The site's policy, 1 or more.
        clock: Time, and whether it can be believed.

    Returns:
        UIDs of the deleted exams.

    Raises:
        RecordsError: The card failed; what was deleted before stays deleted.
    """
    if days < 1:
        raise ValueError("a retention policy keeps exams for a day at least")
    if not clock.trusted():
        return ()
    removed = []
    for entry in store.outbox_entries():
        if entry.state is not OutboxState.SENT:
            continue
        if not entry.sent_at_trusted:
            store.date_receipt(entry.exam_uid)
        elif _is_old(entry, days, clock):
            store.delete_sent(entry.exam_uid)
            removed.append(entry.exam_uid)
    return tuple(removed)


def _is_old(entry: OutboxEntry, days: int, clock: Clock) -> bool:
    return entry.sent_at is not None and clock.now() - entry.sent_at >= timedelta(days=days)
