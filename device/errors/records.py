"""Why an exam cannot be kept, found or restored."""

from __future__ import annotations

from device.errors.base import MammascopeError


class RecordsError(MammascopeError):
    """An exam cannot be saved or read."""

    code = "records"
    sentence = "The record could not be saved or read; try again, and run the self-check if it stays."


class StoreBusyError(RecordsError):
    """Another program has the records open for writing."""

    code = "store-busy"
    sentence = "The records are open in another program; close it first."


class StoreDamagedError(RecordsError):
    """The database fails its integrity check."""

    code = "store-damaged"
    sentence = "The records are damaged; do not use this card any more and restore from a backup stick."


class StoreNewerError(RecordsError):
    """The database was written by a later version of the software."""

    code = "store-newer"
    sentence = "The records were written by newer software; update this handheld."


class StoreTrialError(RecordsError):
    """A migration waits until the release in use has proved itself: the one before could not open the result."""

    code = "store-trial"
    sentence = "New software is being tried out on this handheld; the records open in a few minutes, then try again."


class RecordDamagedError(RecordsError):
    """One record or picture was changed or is unreadable; the others are not concerned."""

    code = "record-damaged"
    sentence = "This record is damaged; restore it from a backup stick."


class ExamMissingError(RecordsError):
    """No exam or view has this UID."""

    code = "exam-missing"
    sentence = "This exam is not on the handheld; search for it again."


class ExamFinalError(RecordsError):
    """A final exam cannot be changed."""

    code = "exam-final"
    sentence = "This exam is final and cannot be changed; write an addendum."


class ExamDraftError(RecordsError):
    """Only a final exam can have an addendum."""

    code = "exam-draft"
    sentence = "This exam is still a draft; change it directly or finalise it first."


class DiskFullError(RecordsError):
    """There is not enough room left; nothing that was saved before is concerned."""

    code = "disk-full"
    sentence = "The card is full; send or back up exams so that old ones can be removed, then try again."


class AuditDamagedError(RecordsError):
    """The audit log was changed or shortened behind the program's back."""

    code = "audit-damaged"
    sentence = "The log of who did what was changed from outside; tell the clinic and keep this card."


class SealError(RecordsError):
    """A sealed object for the clinic cannot be opened with this device's upload key."""

    code = "seal"
    sentence = "A sealed exam cannot be opened for sending; unlock the device and try again."


class BackupError(MammascopeError):
    """A backup cannot be written or read."""

    code = "backup"
    sentence = "The backup could not be finished; plug the stick in again and repeat."


class BackupMissingError(BackupError):
    """There is no backup where one was looked for."""

    code = "backup-missing"
    sentence = "There is no backup on this stick; choose another stick."


class BackupDamagedError(BackupError):
    """A file of the backup is missing or differs from what was written."""

    code = "backup-damaged"
    sentence = "The backup on this stick is incomplete or damaged; use another stick."


class BackupForeignError(BackupError):
    """The backup was made by a device with other keys."""

    code = "backup-foreign"
    sentence = "This backup belongs to another handheld; restore it onto an empty one."
