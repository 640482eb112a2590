# SPDX-License-Identifier: Apache-2.0
"""Which database belongs to which key file: an identity, and a generation that only grows.

A database that is lost, emptied or put back from an older copy looks to a program like records with fewer exams, and
whatever lies beside it like leftovers. So the key file and the database carry the same random identity and a
generation, both sealed under the data key. The database's generation grows with every change; the key file learns it at
every opening, and a small file beside it, overwritten in place so that a full card can still take it, after every
change. Always the database first: after a power cut it is level or ahead, and never behind. A database that is behind,
or that has another identity or none, is not the one that these keys were used with.

Records made before there were marks have none; the first opening gives them one (:func:`verify`).
"""

from __future__ import annotations

import binascii
import contextlib
import json
import os
import secrets
import sqlite3
from pathlib import Path

from device.errors import StoreDamagedError, StoreLostError, StoreOlderError, VaultDamagedError
from device.files import write_atomically
from device.records.keys.store_mark import StoreMark, holds_files
from device.records.keys.vault import Vault

COUNTER_NAME = "generation"
COUNTER_BYTES = 512
"""One sector: a power cut leaves the old content or the new."""


def read_counter(folder: Path) -> StoreMark | None:
    """What was noted after the last change; ``None`` when it is not there or torn, the key file then counts alone."""
    try:
        with (folder / COUNTER_NAME).open("rb") as stream:
            return StoreMark.from_json(json.loads(stream.read(COUNTER_BYTES)))
    except (OSError, ValueError, TypeError, KeyError, RecursionError, binascii.Error):
        return None


def write_counter(folder: Path, mark: StoreMark) -> None:
    """Note the generation after a change; a card that does not take it costs the note, not the change."""
    content = json.dumps(mark.to_json()).encode().ljust(COUNTER_BYTES)
    path = folder / COUNTER_NAME
    with contextlib.suppress(OSError):
        if not path.exists():
            write_atomically(path, content)
            return
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(handle, content, 0)
            os.fsync(handle)
        finally:
            os.close(handle)


def read_row(connection: sqlite3.Connection) -> StoreMark | None:
    """The database's mark; ``None`` in one that was made before there were marks."""
    row = connection.execute("SELECT identity, generation, proof FROM store").fetchone()
    return None if row is None else StoreMark(*row)


def write_row(connection: sqlite3.Connection, mark: StoreMark) -> None:
    """Mark the database, inside the caller's transaction."""
    connection.execute(
        "INSERT INTO store (id, identity, generation, proof) VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " identity = excluded.identity, generation = excluded.generation, proof = excluded.proof",
        (mark.identity, mark.generation, mark.proof),
    )


def may_be_made(folder: Path, held: StoreMark | None) -> bool:
    """Whether a database that is not there is simply not there yet.

    Args:
        folder: The records folder.
        held: The key file's mark.
    """
    return held is None and not holds_files(folder)


def verify(connection: sqlite3.Connection, vault: Vault, folder: Path) -> StoreMark:
    """The mark of the database, which is the one that these keys were used with.

    Raises:
        StoreLostError: It is a fresh one beside files of exams.
        StoreOlderError: It is an older copy, or that of other records.
        StoreDamagedError: Its mark was changed.
        VaultDamagedError: That of the key file was changed.
    """
    held = vault.store_mark
    if held is not None and not held.is_authentic(vault):
        raise VaultDamagedError(folder, "store mark")
    counter = read_counter(folder)
    if held is not None and counter is not None and counter.is_authentic(vault):
        held = newer(held, counter)
    row = read_row(connection)
    if row is not None and not row.is_authentic(vault):
        raise StoreDamagedError(folder, "store mark")
    require_match(row, held, folder)
    if row is not None:
        return row
    if connection.execute("SELECT 1 FROM audit LIMIT 1").fetchone() is None and holds_files(folder):
        raise StoreLostError(folder, "it has no log")
    return StoreMark.make(vault, secrets.token_hex(16), 0)


def newer(held: StoreMark, counter: StoreMark | None) -> StoreMark:
    """The later of the key file's mark and the one beside it; one of other records does not count."""
    if counter is None or counter.identity != held.identity or counter.generation < held.generation:
        return held
    return counter


def require_match(row: StoreMark | None, held: StoreMark | None, folder: Path) -> None:
    """Nothing when a database is the one that the key file knows, and not an older copy of it.

    Args:
        row: The database's mark.
        held: The newest that lies beside it; read before ``row``, or a change between would look like an older copy.
        folder: Named in the error.

    Raises:
        StoreOlderError: It is not.
    """
    if held is None:
        return
    if row is None:
        raise StoreOlderError(folder, "no mark")
    if row.identity != held.identity:
        raise StoreOlderError(folder, "of other records")
    if row.generation < held.generation:
        raise StoreOlderError(folder, f"generation {row.generation}, known {held.generation}")
