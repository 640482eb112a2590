# SPDX-License-Identifier: Apache-2.0
"""The database's tables, as numbered migrations that are never changed once released.

What stands here in clear is what a thief of the card can read without a PIN: states, times of the queue and of the
log, sizes, and which exams show a phantom and no patient. UIDs are hidden (``hidden``), and everything about a person
is inside a sealed ``payload``. Rules that must hold whatever the program does (a final exam never changes, the log only
grows, nothing final goes without a receipt) are triggers, so that a mistake in any caller ends in an error and not in a
loss.
"""

from __future__ import annotations

import sqlite3

from device.errors import StoreNewerError, StoreTrialError
from device.records.store.hidden import FORM
from device.records.store.hidden_form import HIDDEN_UIDS

_EXAMS_AND_AUDIT = """
CREATE TABLE exams (
    uid TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('draft', 'final')),
    revision INTEGER NOT NULL,
    payload BLOB NOT NULL
) STRICT;
CREATE TABLE views (
    uid TEXT PRIMARY KEY,
    exam_uid TEXT NOT NULL REFERENCES exams (uid) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    payload BLOB NOT NULL,
    thumbnail BLOB NOT NULL
) STRICT;
CREATE INDEX views_by_exam ON views (exam_uid, position);
CREATE TABLE files (
    id TEXT PRIMARY KEY,
    view_uid TEXT NOT NULL REFERENCES views (uid) ON DELETE CASCADE,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL
) STRICT;
CREATE INDEX files_by_view ON files (view_uid);
CREATE TABLE addenda (
    id TEXT PRIMARY KEY,
    exam_uid TEXT NOT NULL REFERENCES exams (uid) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    payload BLOB NOT NULL
) STRICT;
CREATE INDEX addenda_by_exam ON addenda (exam_uid, position);
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    clock_trusted INTEGER NOT NULL,
    event TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail BLOB,
    hash BLOB NOT NULL
) STRICT;
CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    payload BLOB NOT NULL
) STRICT;

CREATE TRIGGER final_exam_unchanged BEFORE UPDATE ON exams WHEN OLD.state = 'final'
BEGIN SELECT RAISE(ABORT, 'a final exam cannot change'); END;
-- INSERT OR REPLACE deletes without asking the triggers for deletion, so insertion asks as well.
CREATE TRIGGER final_exam_not_replaced BEFORE INSERT ON exams
WHEN (SELECT state FROM exams WHERE uid = NEW.uid) = 'final'
BEGIN SELECT RAISE(ABORT, 'a final exam cannot change'); END;
CREATE TRIGGER final_exam_no_new_view BEFORE INSERT ON views
WHEN (SELECT state FROM exams WHERE uid = NEW.exam_uid) = 'final'
BEGIN SELECT RAISE(ABORT, 'a final exam cannot change'); END;
CREATE TRIGGER final_exam_view_unchanged BEFORE UPDATE ON views
WHEN (SELECT state FROM exams WHERE uid = OLD.exam_uid) = 'final'
BEGIN SELECT RAISE(ABORT, 'a final exam cannot change'); END;
CREATE TRIGGER final_exam_view_kept BEFORE DELETE ON views
WHEN (SELECT state FROM exams WHERE uid = OLD.exam_uid) = 'final'
BEGIN SELECT RAISE(ABORT, 'a final exam cannot change'); END;
CREATE TRIGGER addendum_unchanged BEFORE UPDATE ON addenda
BEGIN SELECT RAISE(ABORT, 'an addendum cannot change'); END;
CREATE TRIGGER addendum_not_replaced BEFORE INSERT ON addenda
WHEN EXISTS (SELECT 1 FROM addenda WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'an addendum cannot change'); END;
CREATE TRIGGER audit_only_appended BEFORE INSERT ON audit
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
"""

_OUTBOX = """
CREATE TABLE outbox (
    exam_uid TEXT PRIMARY KEY REFERENCES exams (uid) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_try TEXT,
    reason TEXT NOT NULL DEFAULT '',
    queued_at TEXT NOT NULL,
    sent_at TEXT,
    sent_at_trusted INTEGER NOT NULL DEFAULT 0,
    receipt TEXT NOT NULL DEFAULT '',
    CHECK (state <> 'sent' OR (sent_at IS NOT NULL AND receipt <> ''))
) STRICT;
CREATE TABLE outbox_instances (
    sop_uid TEXT PRIMARY KEY,
    exam_uid TEXT NOT NULL REFERENCES outbox (exam_uid) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    file TEXT,
    confirmed_at TEXT
) STRICT;
CREATE INDEX outbox_instances_by_exam ON outbox_instances (exam_uid, size);

CREATE TRIGGER final_exam_kept BEFORE DELETE ON exams
WHEN OLD.state = 'final' AND NOT EXISTS (SELECT 1 FROM outbox WHERE exam_uid = OLD.uid AND state = 'sent')
BEGIN SELECT RAISE(ABORT, 'a final exam without a receipt cannot be deleted'); END;
CREATE TRIGGER sent_only_when_confirmed BEFORE UPDATE OF state ON outbox
WHEN NEW.state = 'sent'
    AND EXISTS (SELECT 1 FROM outbox_instances WHERE exam_uid = NEW.exam_uid AND confirmed_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'an exam is sent only when every instance is confirmed'); END;
"""

_MARK_AND_REASON = """
CREATE TABLE store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    identity TEXT NOT NULL,
    generation INTEGER NOT NULL,
    proof BLOB NOT NULL
) STRICT;
CREATE TRIGGER generation_only_grows BEFORE UPDATE ON store WHEN NEW.generation <= OLD.generation
BEGIN SELECT RAISE(ABORT, 'the generation only grows'); END;
ALTER TABLE outbox ADD COLUMN reason_code TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN reason_detail TEXT NOT NULL DEFAULT '';
UPDATE outbox SET
    reason_code = CASE WHEN instr(reason, ' ') = 0 THEN reason ELSE substr(reason, 1, instr(reason, ' ') - 1) END,
    reason_detail = CASE WHEN instr(reason, ' ') = 0 THEN '' ELSE substr(reason, instr(reason, ' ') + 1) END;
ALTER TABLE outbox DROP COLUMN reason;
"""

_TRAINING = """
CREATE TABLE training_exams (
    exam_uid TEXT PRIMARY KEY REFERENCES exams (uid) ON DELETE CASCADE
) STRICT;
"""

_INBOX = """
CREATE TABLE verdicts (
    id TEXT PRIMARY KEY,
    exam_uid TEXT NOT NULL REFERENCES exams (uid) ON DELETE CASCADE,
    come_at TEXT NOT NULL,
    taken_in INTEGER NOT NULL DEFAULT 0,
    shown_at TEXT,
    told_at TEXT,
    payload BLOB NOT NULL,
    CHECK (shown_at IS NULL OR taken_in = 1),
    CHECK (told_at IS NULL OR shown_at IS NOT NULL)
) STRICT;
CREATE INDEX verdicts_by_exam ON verdicts (exam_uid);
CREATE TABLE planned_days (
    day TEXT PRIMARY KEY,
    come_at TEXT NOT NULL,
    payload BLOB NOT NULL
) STRICT;

CREATE TRIGGER verdict_unchanged BEFORE UPDATE OF id, exam_uid, payload ON verdicts WHEN OLD.taken_in = 1
BEGIN SELECT RAISE(ABORT, 'a verdict cannot change'); END;
CREATE TRIGGER verdict_not_replaced BEFORE INSERT ON verdicts
WHEN EXISTS (SELECT 1 FROM verdicts WHERE id = NEW.id AND taken_in = 1)
BEGIN SELECT RAISE(ABORT, 'a verdict cannot change'); END;
"""

_LESIONS = ""
# No table: lesions lie in the exam's sealed payload. Software that does not know them would drop them whenever it saves
# a draft, so it must refuse the store.

_STREAMS = ""
# No table: what waits for the clinic is sealed in chunks from here on (keys.stream). Software that does not know them
# would call these files damaged, so it must refuse the store.

_CALL_BACKS = """
CREATE TABLE ended_call_backs (
    exam_uid TEXT PRIMARY KEY REFERENCES exams (uid) ON DELETE CASCADE,
    ended_at TEXT NOT NULL
) STRICT;
"""
# Not in a backup's merge and not in a rebuilt record: a patient who is listed once too often is asked once too often.

_COME_BACK = """
ALTER TABLE ended_call_backs ADD COLUMN here INTEGER NOT NULL DEFAULT 0;
"""
# Whether it was ended on this device, so that the clinic is told; not what the clinic itself has ended.

MIGRATIONS: tuple[str, ...] = (
    _EXAMS_AND_AUDIT,
    _OUTBOX,
    _MARK_AND_REASON,
    _TRAINING,
    _INBOX,
    _LESIONS,
    _STREAMS,
    _CALL_BACKS,
    _COME_BACK,
    HIDDEN_UIDS,
)
"""Migration n (from 1) leads from version n - 1 to n; new ones are appended. That to ``hidden.FORM`` needs a key."""


def migrate(
    connection: sqlite3.Connection,
    where: object,
    migrations: tuple[str, ...] = MIGRATIONS,
    *,
    held: bool = False,
    keyed: bool = False,
) -> int:
    """Bring a database to the newest version that can be reached, each migration as one transaction.

    Args:
        connection: In autocommit mode (``isolation_level=None``).
        where: Named in the error.
        migrations: All that are known, in order.
        held: Apply none: this software may yet be taken back, and the one before could not open the result.
        keyed: Whether ``connection`` can hide UIDs (``hidden.RowNames``); else the database stays at the version
            before, which works like the newest one.

    Returns:
        How many migrations were applied.

    Raises:
        StoreNewerError: The database is newer than this software.
        StoreTrialError: There is something to apply, and it is held.
        sqlite3.Error: A migration failed; the database is as before it.
    """
    applied = 0
    while True:
        # The version is read again under the write lock: the uploader may be opening the same database.
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            if version > len(migrations):
                raise StoreNewerError(where, f"version {version}, known {len(migrations)}")
            if version == len(migrations) or (version == FORM - 1 and not keyed):
                connection.execute("ROLLBACK")
                return applied
            if held:
                raise StoreTrialError(where)
            for statement in _statements(migrations[version]):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        applied += 1


def _statements(script: str) -> list[str]:
    """Single statements of a script; ``executescript`` would commit in between."""
    found, current = [], ""
    for line in script.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current):
            found.append(current)
            current = ""
    return found
