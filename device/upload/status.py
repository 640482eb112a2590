# SPDX-License-Identifier: Apache-2.0
"""What the uploader is doing, as an immutable snapshot for the screens, the status bar and the command line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from device.errors import ContentConflictError, MammascopeError, RecordDamagedError, SealError
from device.records.outbox.table import OutboxEntry, OutboxState, OutboxTable

_NEEDS_PERSON = tuple(error.code for error in (ContentConflictError, RecordDamagedError, SealError))


class UploadState(StrEnum):
    """What the uploader is doing; the key under which the screens hold the sentence."""

    OFF = "off"
    LOCKED = "locked"
    IDLE = "idle"
    SENDING = "sending"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class UploadStatus:
    """A snapshot for the screens and the command line.

    Attributes:
        state: What it is doing.
        waiting: Exams that are being sent, or will be by themselves: not tried yet, or without a way to the clinic.
        failed: Exams that need a person to do something; most are tried again all the same.
        sent: Exams that the clinic has.
        alarms: UIDs of exams that a person must look at: the clinic has other data, or the sealed file is damaged.
        sending: UID of the exam that is being sent, or ``None``.
        trouble: Why nothing moves, or ``None``; its ``sentence`` is for people.
        next_look: When the outbox is looked at again, or ``None`` while it is worked off.
        unqueued: Final exams that are not on their way: from before the enrolment, or restored.
    """

    state: UploadState = UploadState.OFF
    waiting: int = 0
    failed: int = 0
    sent: int = 0
    alarms: tuple[str, ...] = ()
    sending: str | None = None
    trouble: MammascopeError | None = None
    next_look: datetime | None = None
    unqueued: int = 0

    @property
    def left(self) -> int:
        """Exams that the clinic does not have yet, for whatever reason."""
        return self.waiting + self.failed + self.unqueued


def is_alarm(entry: OutboxEntry) -> bool:
    """Whether an exam waits for a person and not for the network."""
    return entry.state is OutboxState.FAILED and entry.reason_code in _NEEDS_PERSON


def count(
    table: OutboxTable,
    state: UploadState,
    *,
    sending: str | None = None,
    trouble: MammascopeError | None = None,
    next_look: datetime | None = None,
    training_exams: bool = False,
) -> UploadStatus:
    """A snapshot with the numbers of the table as it is now; ``training_exams`` is the site's policy."""
    entries = table.entries(receipts=False)
    by_state = Counter(entry.standing for entry in entries)
    return UploadStatus(
        state=state,
        waiting=by_state[OutboxState.WAITING] + by_state[OutboxState.SENDING],
        failed=by_state[OutboxState.FAILED],
        sent=by_state[OutboxState.SENT],
        alarms=tuple(entry.exam_uid for entry in entries if is_alarm(entry)),
        sending=sending,
        trouble=trouble,
        next_look=next_look,
        unqueued=table.unqueued(training_exams=training_exams),
    )
