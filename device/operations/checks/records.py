# SPDX-License-Identifier: Apache-2.0
"""Whether the records are whole, as far as that can be seen without a PIN, and what the last unlocking has found."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from device.errors import MammascopeError
from device.system.check import CheckResult, CheckStatus
from device.system.child import run_in_child

_RESTORE = "Restore what is missing from a backup stick; python -m device records --check names the exams."
_LOG = "Tell the clinic, and keep this card as it is."


@dataclass(frozen=True, slots=True)
class RecordsFound:
    """What was seen.

    Attributes:
        exams: How many there are; ``None`` where no records were made yet.
        damaged: Exams that cannot be read, or of which a picture is missing.
        missing: Final exams that are gone although they were not deleted.
        audit_intact: Whether the log of who did what was whole.
    """

    exams: int | None
    damaged: int = 0
    missing: int = 0
    audit_intact: bool = True


@dataclass(frozen=True, slots=True)
class RecordsCheck:
    """Every exam can be read.

    Attributes:
        data_dir: Folder of this device's data.
    """

    data_dir: Path
    name: str = "Records"

    def run(self) -> CheckResult:
        """Look at database, key file and pictures.

        Raises:
            MammascopeError: The list of exams or the key file is lost, older or damaged.
        """
        found = run_in_child(probe_records, self.data_dir / "records")
        if found.exams is None:
            return CheckResult(self.name, CheckStatus.ABSENT, "No records were made on this device yet.")
        wrong = []
        if found.damaged:
            wrong.append(f"exams that cannot be read: {found.damaged}")
        if found.missing:
            wrong.append(f"final exams that are gone although they were not deleted: {found.missing}")
        if wrong:
            return CheckResult(self.name, CheckStatus.FAIL, f"{'; '.join(wrong).capitalize()}.", _RESTORE)
        if not found.audit_intact:
            return CheckResult(self.name, CheckStatus.FAIL, "The log of who did what was changed from outside.", _LOG)
        return CheckResult(self.name, CheckStatus.OK, f"{found.exams} exams; list, pictures and keys belong together.")


def probe_records(folder: Path) -> RecordsFound:
    """Look without a PIN; changes nothing.

    Raises:
        MammascopeError: What is lost, older or damaged.
    """
    from device.errors import StoreDamagedError, StoreLostError, VaultMissingError
    from device.records.keys.key_file import read_key_file
    from device.records.recovery import identity
    from device.records.recovery.start_note import read_note
    from device.records.store.blobs import BlobFile, BlobFolder
    from device.records.store.database import FILE_NAME

    try:
        held = read_key_file(folder).store
    except VaultMissingError:
        return RecordsFound(None)
    counter, path = identity.read_counter(folder), folder / FILE_NAME
    if not path.exists() or path.stat().st_size == 0:
        if identity.may_be_made(folder, held):
            return RecordsFound(None)
        raise StoreLostError(path)
    note = read_note(folder)
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise StoreDamagedError(path)
            if held is not None:
                identity.require_match(identity.read_row(connection), identity.newer(held, counter), folder)
            exams = connection.execute("SELECT count(*) FROM exams").fetchone()[0]
            files = connection.execute(
                "SELECT f.id, f.size, f.sha256, v.exam_uid FROM files f JOIN views v ON v.uid = f.view_uid"
            ).fetchall()
        finally:
            connection.close()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise _translated(path, error) from error
    frames = BlobFolder(folder / "frames")
    bare = {exam for *file, exam in files if not frames.present(BlobFile(*file))}
    if note is None:
        return RecordsFound(exams, len(bare))
    return RecordsFound(exams, max(note.damaged, len(bare)), note.missing, note.audit_intact)


def _translated(path: Path, error: Exception) -> MammascopeError:
    from device.errors import RecordsError, StoreBusyError, StoreDamagedError

    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    causes: dict[int, type[RecordsError]] = {
        sqlite3.SQLITE_BUSY: StoreBusyError,
        sqlite3.SQLITE_LOCKED: StoreBusyError,
        sqlite3.SQLITE_CANTOPEN: RecordsError,
    }
    return causes.get(code, StoreDamagedError)(path, type(error).__name__)
