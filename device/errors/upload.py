"""Why an exam is not at the clinic yet."""

from __future__ import annotations

from device.errors.base import MammascopeError


class UploadError(MammascopeError):
    """An exam could not be brought to the clinic; it waits in the outbox, and nothing of it is lost."""

    code = "upload"
    sentence = "The exam could not be sent; it stays on this device and is tried again by itself."


class NotEnrolledError(UploadError):
    """No clinic is set, so nothing is sent."""

    code = "not-enrolled"
    sentence = "This device is not enrolled with a clinic; nothing is sent until it is."


class AccessError(UploadError):
    """The stored access to the clinic (certificate, password, key) cannot be used."""

    code = "clinic-access"
    sentence = "The stored access to the clinic cannot be used; enrol this device again."


class UploaderBusyError(UploadError):
    """Another program on this device is sending."""

    code = "uploader-busy"
    sentence = "Another program on this device is sending already; wait for it, or stop it."


class UploadLockedError(UploadError):
    """After power-on nobody has unlocked the device yet, and its hardware has no secret to open the outbox with."""

    code = "upload-locked"
    sentence = "Exams wait to be sent; unlock the device once, and sending goes on."


class UploadStoppedError(UploadError):
    """Sending was stopped on purpose (shutting down); it goes on where it was."""

    code = "upload-stopped"
    sentence = "Sending was stopped; it goes on where it was."


class ArchiveUnreachableError(UploadError):
    """No connection to the clinic, or it broke: the normal case in the field."""

    code = "archive-unreachable"
    sentence = "The clinic cannot be reached; exams wait on this device and are sent when there is a network."


class ArchiveUntrustedError(UploadError):
    """Who answers cannot prove to be the clinic that this device was enrolled with."""

    code = "archive-untrusted"
    sentence = (
        "What answers is not the clinic of this device, or the clock is wrong; check the clock, then enrol again."
    )


class ArchiveRefusedError(UploadError):
    """The clinic does not know this device, or shut it out (401, 403)."""

    code = "archive-refused"
    sentence = "The clinic refuses this device; ask the clinic to enrol it again."


class ArchiveAnswerError(UploadError):
    """The answer is not what an archive says: an overload, another kind of server, an answer of absurd size."""

    code = "archive-answer"
    sentence = "The clinic gave an answer that makes no sense; it is tried again, tell the clinic if it stays."


class ArchiveRejectedError(UploadError):
    """The archive says that it will not store this instance."""

    code = "archive-rejected"
    sentence = "The clinic's archive does not accept this exam; tell the clinic, it is tried again later."


class NotStoredError(UploadError):
    """The archive said that it had stored an instance, and does not have it."""

    code = "not-stored"
    sentence = "The clinic said that it has the exam, but it has not; it is sent again."


class ContentConflictError(UploadError):
    """The archive has something else under the name of this instance: never resolved by the device alone."""

    code = "content-conflict"
    sentence = "The clinic has other data under the name of this exam; tell the clinic before anybody relies on it."
