# SPDX-License-Identifier: Apache-2.0
"""The migration that hides the UIDs of all rows: every table that has one is written anew, and the old one dropped.

Changed in place, pages would keep remains of the old text (``secure_delete`` overwrites what is deleted, and not what
is moved about inside a page); the pages of a dropped table are overwritten as a whole. Children are dropped before
their parents, for dropping a parent deletes its children. What was sealed for a row stays as it is.

Tables and rules stand here once more although ``schema`` has them: a released migration never changes, and text that
two of them share would change both.
"""

from __future__ import annotations

from typing import Final

_TABLES: Final = """
CREATE TABLE new_exams (
    uid TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('draft', 'final')),
    revision INTEGER NOT NULL,
    payload BLOB NOT NULL
) STRICT;
CREATE TABLE new_views (
    uid TEXT PRIMARY KEY,
    exam_uid TEXT NOT NULL REFERENCES new_exams (uid) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    payload BLOB NOT NULL,
    thumbnail BLOB NOT NULL
) STRICT;
CREATE TABLE new_files (
    id TEXT PRIMARY KEY,
    view_uid TEXT NOT NULL REFERENCES new_views (uid) ON DELETE CASCADE,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL
) STRICT;
CREATE TABLE new_addenda (
    id TEXT PRIMARY KEY,
    exam_uid TEXT NOT NULL REFERENCES new_exams (uid) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    payload BLOB NOT NULL
) STRICT;
CREATE TABLE new_outbox (
    exam_uid TEXT PRIMARY KEY REFERENCES new_exams (uid) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_try TEXT,
    queued_at TEXT NOT NULL,
    sent_at TEXT,
    sent_at_trusted INTEGER NOT NULL DEFAULT 0,
    receipt TEXT NOT NULL DEFAULT '',
    reason_code TEXT NOT NULL DEFAULT '',
    reason_detail TEXT NOT NULL DEFAULT '',
    CHECK (state <> 'sent' OR (sent_at IS NOT NULL AND receipt <> ''))
) STRICT;
CREATE TABLE new_outbox_instances (
    sop_uid TEXT PRIMARY KEY,
    exam_uid TEXT NOT NULL REFERENCES new_outbox (exam_uid) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    file TEXT,
    confirmed_at TEXT
) STRICT;
CREATE TABLE new_training_exams (
    exam_uid TEXT PRIMARY KEY REFERENCES new_exams (uid) ON DELETE CASCADE
) STRICT;
CREATE TABLE new_verdicts (
    id TEXT PRIMARY KEY,
    exam_uid TEXT NOT NULL REFERENCES new_exams (uid) ON DELETE CASCADE,
    come_at TEXT NOT NULL,
    taken_in INTEGER NOT NULL DEFAULT 0,
    shown_at TEXT,
    told_at TEXT,
    payload BLOB NOT NULL,
    CHECK (shown_at IS NULL OR taken_in = 1),
    CHECK (told_at IS NULL OR shown_at IS NOT NULL)
) STRICT;
CREATE TABLE new_ended_call_backs (
    exam_uid TEXT PRIMARY KEY REFERENCES new_exams (uid) ON DELETE CASCADE,
    ended_at TEXT NOT NULL,
    here INTEGER NOT NULL DEFAULT 0
) STRICT;
"""

_ROWS: Final = """
INSERT INTO new_exams SELECT hidden(uid), state, revision, payload FROM exams;
INSERT INTO new_views SELECT hidden(uid), hidden(exam_uid), position, payload, thumbnail FROM views;
INSERT INTO new_files SELECT id, hidden(view_uid), size, sha256 FROM files;
INSERT INTO new_addenda SELECT id, hidden(exam_uid), position, payload FROM addenda;
INSERT INTO new_outbox
    SELECT hidden(exam_uid), state, attempts, next_try, queued_at, sent_at, sent_at_trusted, hidden(receipt),
        reason_code, hidden(reason_detail) FROM outbox;
INSERT INTO new_outbox_instances
    SELECT hidden(sop_uid), hidden(exam_uid), kind, size, sha256, file, confirmed_at FROM outbox_instances;
INSERT INTO new_training_exams SELECT hidden(exam_uid) FROM training_exams;
INSERT INTO new_verdicts SELECT id, hidden(exam_uid), come_at, taken_in, shown_at, told_at, payload FROM verdicts;
INSERT INTO new_ended_call_backs SELECT hidden(exam_uid), ended_at, here FROM ended_call_backs;
"""

_CHILDREN_FIRST: Final = (
    "ended_call_backs",
    "verdicts",
    "training_exams",
    "outbox_instances",
    "outbox",
    "addenda",
    "files",
    "views",
    "exams",
)

_INDEXES_AND_RULES: Final = """
CREATE INDEX views_by_exam ON views (exam_uid, position);
CREATE INDEX files_by_view ON files (view_uid);
CREATE INDEX addenda_by_exam ON addenda (exam_uid, position);
CREATE INDEX outbox_instances_by_exam ON outbox_instances (exam_uid, size);
CREATE INDEX verdicts_by_exam ON verdicts (exam_uid);

CREATE TRIGGER final_exam_unchanged BEFORE UPDATE ON exams WHEN OLD.state = 'final'
BEGIN SELECT RAISE(ABORT, 'a final exam cannot change'); END;
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
CREATE TRIGGER final_exam_kept BEFORE DELETE ON exams
WHEN OLD.state = 'final' AND NOT EXISTS (SELECT 1 FROM outbox WHERE exam_uid = OLD.uid AND state = 'sent')
BEGIN SELECT RAISE(ABORT, 'a final exam without a receipt cannot be deleted'); END;
CREATE TRIGGER addendum_unchanged BEFORE UPDATE ON addenda
BEGIN SELECT RAISE(ABORT, 'an addendum cannot change'); END;
CREATE TRIGGER addendum_not_replaced BEFORE INSERT ON addenda
WHEN EXISTS (SELECT 1 FROM addenda WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'an addendum cannot change'); END;
CREATE TRIGGER sent_only_when_confirmed BEFORE UPDATE OF state ON outbox
WHEN NEW.state = 'sent'
    AND EXISTS (SELECT 1 FROM outbox_instances WHERE exam_uid = NEW.exam_uid AND confirmed_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'an exam is sent only when every instance is confirmed'); END;
CREATE TRIGGER verdict_unchanged BEFORE UPDATE OF id, exam_uid, payload ON verdicts WHEN OLD.taken_in = 1
BEGIN SELECT RAISE(ABORT, 'a verdict cannot change'); END;
CREATE TRIGGER verdict_not_replaced BEFORE INSERT ON verdicts
WHEN EXISTS (SELECT 1 FROM verdicts WHERE id = NEW.id AND taken_in = 1)
BEGIN SELECT RAISE(ABORT, 'a verdict cannot change'); END;
"""

HIDDEN_UIDS: Final = (
    _TABLES
    + _ROWS
    + "".join(f"DROP TABLE {name};\n" for name in _CHILDREN_FIRST)
    + "".join(f"ALTER TABLE new_{name} RENAME TO {name};\n" for name in _CHILDREN_FIRST)
    + _INDEXES_AND_RULES
)
"""The migration; the connection needs the function ``hidden`` (``hidden.RowNames``)."""
