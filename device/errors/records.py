# SPDX-License-Identifier: Apache-2.0
"""Why an exam cannot be kept, found or restored."""

from __future__ import annotations

from device.errors.base import MammascopeError


class RecordsError(MammascopeError):
    """An exam cannot be saved or read."""

    code = "records"


class StoreBusyError(RecordsError):
    """Another program has the records open for writing."""

    code = "store-busy"


class StoreDamagedError(RecordsError):
    """The database fails its integrity check."""

    code = "store-damaged"


class StoreLostError(RecordsError):
    """The database is missing or empty, although exams were kept here; nothing is deleted."""

    code = "store-lost"


class StoreOlderError(RecordsError):
    """The database is an older copy, or that of other records; nothing is deleted."""

    code = "store-older"


class StoreNewerError(RecordsError):
    """The database was written by a later version of the software."""

    code = "store-newer"


class StoreTrialError(RecordsError):
    """A migration waits until the release in use has proved itself: the one before could not open the result."""

    code = "store-trial"


class RecordDamagedError(RecordsError):
    """One record or picture was changed or is unreadable; the others are not concerned."""

    code = "record-damaged"


class ExamMissingError(RecordsError):
    """No exam or view has this UID."""

    code = "exam-missing"


class ExamFinalError(RecordsError):
    """A final exam cannot be changed."""

    code = "exam-final"


class ExamDraftError(RecordsError):
    """Only a final exam can have an addendum."""

    code = "exam-draft"


class DiskFullError(RecordsError):
    """There is not enough room left; nothing that was saved before is concerned."""

    code = "disk-full"


class CardReadOnlyError(RecordsError):
    """The card takes nothing any more: its file system was mounted, or has become, read-only."""

    code = "card-read-only"


class AuditDamagedError(RecordsError):
    """The audit log was changed or shortened behind the program's back."""

    code = "audit-damaged"


class SealError(RecordsError):
    """A sealed object for the clinic cannot be opened with this device's upload key."""

    code = "seal"


class BackupError(MammascopeError):
    """A backup cannot be written or read."""

    code = "backup"


class BackupMissingError(BackupError):
    """There is no backup where one was looked for."""

    code = "backup-missing"


class BackupDamagedError(BackupError):
    """A file of the backup is missing or differs from what was written."""

    code = "backup-damaged"


class BackupForeignError(BackupError):
    """The backup was made by a device with other keys."""

    code = "backup-foreign"
