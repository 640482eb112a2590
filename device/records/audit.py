"""The log of who did what: append-only, chained, and with nobody's name in clear.

Every row's hash covers the row before it, so a row cannot be changed or taken out of the middle unseen. The newest hash
is sealed under the data key whenever the device is unlocked: rewriting or shortening the chain up to there would need a
PIN. What stays in clear is the kind of event, its time and the random UID of the exam; who did it, and any remark, is
sealed. The uploader writes to the same chain while the device is locked.

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
from device.records.vault import Vault

GENESIS = bytes(32)


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
        operator: Who; empty for what the device did by itself.
        subject: UID of the exam concerned, or empty.
    """

    seq: int
    at: datetime
    clock_trusted: bool
    event: str
    operator: str
    subject: str
    remark: str = field(repr=False)


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
    row = (seq, clock.now().isoformat(), int(clock.trusted()), event.value, subject, detail)
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


def entries(connection: sqlite3.Connection, vault: Vault, limit: int) -> Iterator[AuditEntry]:
    """The newest rows, newest first, opened.

    Raises:
        RecordDamagedError: A row's sealed part was changed.
    """
    rows = connection.execute(
        "SELECT seq, at, clock_trusted, event, subject, detail FROM audit ORDER BY seq DESC LIMIT ?", (limit,)
    )
    for seq, at, trusted, event, subject, detail in rows.fetchall():
        operator, remark = json.loads(vault.unseal("audit", str(seq), detail)) if detail else ("", "")
        yield AuditEntry(seq, datetime.fromisoformat(at), bool(trusted), event, operator, subject, remark)


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
