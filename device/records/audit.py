# SPDX-License-Identifier: Apache-2.0
"""The log of who did what: append-only, chained, and without a name in clear.

Every row's hash covers the row before it, so a row cannot be changed or taken out of the middle unseen. The newest hash
is sealed under the data key whenever the device is unlocked: rewriting or shortening the chain up to there would need a
PIN. What stays in clear is the kind of event, its time and a digest of the exam's random UID, which leads to no
exam at the clinic once it is gone from here; who did it, and any remark, is sealed. The uploader writes to the same
chain while the device is locked.

What this cannot show: a whole card set back to an earlier state, because nothing outside the card remembers it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from device.errors import AuditDamagedError, RecordDamagedError
from device.records.keys.vault import Vault

GENESIS = bytes(32)
MARK = "sha256:"
"""What every mark of an exam begins with."""


class AuditEvent(StrEnum):
    """What is written down."""

    UNLOCKED = "unlocked"
    LOCKED = "locked"
    EXAM_BEGUN = "exam-begun"
    VIEW_SAVED = "view-saved"
    VIEW_REMOVED = "view-removed"
    EXAM_CHANGED = "exam-changed"
    EXAM_FINALISED = "exam-finalised"
    EXAM_QUEUED = "exam-queued"
    EXAM_SENT = "exam-sent"
    EXAM_EXPORTED = "exam-exported"
    EXAM_VIEWED = "exam-viewed"
    VERDICT_TAKEN_IN = "verdict-taken-in"
    VERDICT_SHOWN = "verdict-shown"
    CALL_BACK_ENDED = "call-back-ended"
    CALL_BACK_OPENED_AGAIN = "call-back-opened-again"
    ADDENDUM = "addendum"
    DRAFT_DELETED = "draft-deleted"
    RETENTION_DELETED = "retention-deleted"
    PIN_CHANGED = "pin-changed"
    OPERATOR_ADDED = "operator-added"
    OPERATOR_REMOVED = "operator-removed"
    RECOVERED = "recovered"
    BACKED_UP = "backed-up"
    RESTORED = "restored"
    CLOCK_SET = "clock-set"
    SETTINGS_CHANGED = "settings-changed"
    UPDATED = "updated"
    LOG_DAMAGED = "log-damaged"


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is, and whether that can be believed (a Pi has no battery for its clock).

    Attributes:
        now: The time, timezone-aware, UTC.
        trusted: Whether a network, a GPS or a person has set the clock since power-on.
    """

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    trusted: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the log, opened.

    Attributes:
        seq: Number, from 1, without gaps.
        at: When; ``None`` where what stands there is no date (it was changed).
        event: Usually one of ``AuditEvent``; newer software may know others.
        operator: Who; empty for what the device did by itself.
        subject: UID of the exam concerned while it is on this device, afterwards its mark (:func:`mark_of`); or empty.
        readable: Whether the sealed part, with who and remark, is as it was written.
    """

    seq: int
    at: datetime | None
    clock_trusted: bool
    event: str
    operator: str
    subject: str
    remark: str = field(repr=False)
    readable: bool = True


@dataclass(frozen=True, slots=True)
class AuditLog:
    """The log as it is read.

    Attributes:
        entries: Newest first.
        damage: What is wrong with the chain, in the terms of :func:`verify`; empty while it is intact.
        damaged_before: Whether the log itself says that it was found changed at an earlier start.
    """

    entries: tuple[AuditEntry, ...]
    damage: str = ""
    damaged_before: bool = False

    @property
    def intact(self) -> bool:
        """Whether nothing was ever found changed, taken out or cut off."""
        return not self.damage and not self.damaged_before


def mark_of(uid: str) -> str:
    """What stands in the log for an exam: a digest, from which the random UID cannot be found again."""
    return f"{MARK}{hashlib.sha256(f'mammascope/v1/audit/{uid}'.encode()).hexdigest()}" if uid else ""


def marks(connection: sqlite3.Connection, *events: AuditEvent) -> set[str]:
    """Marks of the exams for which the log has one of these events."""
    rows = connection.execute(
        "SELECT subject FROM audit WHERE event IN (SELECT value FROM json_each(?))", (json.dumps(events),)
    )
    # Rows of older software have the UID itself.
    return {str(row[0]) if str(row[0]).startswith(MARK) else mark_of(str(row[0])) for row in rows.fetchall()} - {""}


def append(
    connection: sqlite3.Connection,
    clock: Clock,
    event: AuditEvent,
    subject: str = "",
    remark: str = "",
    vault: Vault | None = None,
) -> None:
    """Add a row, inside the caller's transaction, so that an action and its row are written together.

    Args:
        connection: In a write transaction.
        clock: Gives time and trust.
        event: What happened.
        subject: UID of the exam concerned; never anything about a person.
        remark: Further words; sealed, and dropped when ``vault`` is not given.
        vault: Unlocked; gives the operator's name and seals. ``None`` for the uploader.
    """
    last = connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    seq, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
    detail = None
    if vault is not None:
        words = json.dumps([vault.operator, remark], ensure_ascii=False)
        detail = vault.seal("audit", str(seq), words.encode())
    row = (seq, clock.now().isoformat(), int(clock.trusted()), event.value, mark_of(subject), detail)
    digest = _chained(previous, row)
    connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, digest))
    if vault is not None:
        _seal_head(connection, vault, seq, digest)


def verify(connection: sqlite3.Connection, vault: Vault) -> int:
    """Walk the whole chain.

    Returns:
        The number of rows.

    Raises:
        AuditDamagedError: A row was changed, taken out or cut off.
    """
    head_seq, head_hash = _head(connection, vault)
    count, previous, at_head = 0, GENESIS, GENESIS
    rows = connection.execute("SELECT seq, at, clock_trusted, event, subject, detail, hash FROM audit ORDER BY seq")
    for *row, digest in rows:
        count += 1
        if row[0] != count or _chained(previous, tuple(row)) != digest:
            raise AuditDamagedError("audit", f"row {count}")
        previous = digest
        if count == head_seq:
            at_head = digest
    if count < head_seq or at_head != head_hash:
        raise AuditDamagedError("audit", "end")
    return count


def entries(connection: sqlite3.Connection, vault: Vault, limit: int | None) -> Iterator[AuditEntry]:
    """The newest rows (``None``: all), newest first, opened; one changed from outside gives what can still be read."""
    rows = connection.execute(
        "SELECT seq, at, clock_trusted, event, subject, detail FROM audit ORDER BY seq DESC LIMIT ?",
        (-1 if limit is None else limit,),  # SQLite: a negative limit is none
    )
    exams = {mark_of(uid): uid for (uid,) in connection.execute("SELECT clear(uid) FROM exams")}
    for seq, at, trusted, event, subject, detail in rows.fetchall():
        operator, remark, readable = _opened(vault, seq, detail)
        concerned = exams.get(subject, str(subject))
        yield AuditEntry(seq, _moment(at), trusted == 1, str(event), operator, concerned, remark, readable)


def read_log(connection: sqlite3.Connection, vault: Vault, limit: int | None) -> AuditLog:
    """The newest rows, and whether the whole log is as it was written."""
    try:
        verify(connection, vault)
        damage = ""
    except AuditDamagedError as error:
        damage = error.detail
    found = connection.execute("SELECT 1 FROM audit WHERE event = ? LIMIT 1", (AuditEvent.LOG_DAMAGED.value,))
    return AuditLog(tuple(entries(connection, vault, limit)), damage, found.fetchone() is not None)


def newest_remark(connection: sqlite3.Connection, vault: Vault, event: AuditEvent) -> str | None:
    """The remark of the newest row of a kind, ``None`` where there is no such row."""
    row = connection.execute(
        "SELECT seq, detail FROM audit WHERE event = ? ORDER BY seq DESC LIMIT 1", (event.value,)
    ).fetchone()
    return None if row is None else _opened(vault, *row)[1]


def _opened(vault: Vault, seq: int, detail: object) -> tuple[str, str, bool]:
    """Who and remark of a row, and whether they are as they were written."""
    if detail is None:
        return "", "", True
    try:
        operator, remark = json.loads(vault.unseal("audit", str(seq), bytes(detail)))  # type: ignore[call-overload]
    except (RecordDamagedError, TypeError, ValueError):
        return "", "", False
    return str(operator), str(remark), True


def _moment(written: object) -> datetime | None:
    """The date of a row; anything may stand there once the card was written to elsewhere."""
    try:
        moment = datetime.fromisoformat(str(written))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _chained(previous: bytes, row: tuple[object, ...]) -> bytes:
    *clear, detail = row
    text = json.dumps(clear, separators=(",", ":")).encode()
    sealed = hashlib.sha256(detail if isinstance(detail, bytes) else b"").digest()
    return hashlib.sha256(previous + sealed + text).digest()


def _seal_head(connection: sqlite3.Connection, vault: Vault, seq: int, digest: bytes) -> None:
    payload = vault.seal("audit head", vault.vault_id, json.dumps([seq, digest.hex()]).encode())
    connection.execute("INSERT OR REPLACE INTO audit_head VALUES (1, ?)", (payload,))


def _head(connection: sqlite3.Connection, vault: Vault) -> tuple[int, bytes]:
    row = connection.execute("SELECT payload FROM audit_head").fetchone()
    if row is None:
        # Nothing was ever written while unlocked, or the row was taken away: the first is true of an empty log only.
        if connection.execute("SELECT 1 FROM audit LIMIT 1").fetchone() is not None:
            raise AuditDamagedError("audit", "no head")
        return 0, GENESIS
    try:
        seq, digest = json.loads(vault.unseal("audit head", vault.vault_id, row[0]))
    except RecordDamagedError:
        raise AuditDamagedError("audit", "head") from None
    return int(seq), bytes.fromhex(digest)
