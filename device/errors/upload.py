# SPDX-License-Identifier: Apache-2.0
"""Why an exam is not at the clinic yet."""

from __future__ import annotations

from device.errors.base import MammascopeError


class UploadError(MammascopeError):
    """An exam could not be brought to the clinic; it waits in the outbox, and nothing of it is lost."""

    code = "upload"


class NotEnrolledError(UploadError):
    """No clinic is set, so nothing is sent."""

    code = "not-enrolled"


class ClinicAddressError(UploadError):
    """The clinic's address in the settings cannot be one."""

    code = "clinic-address"


class AccessError(UploadError):
    """The stored access to the clinic (certificate, password, key) cannot be used."""

    code = "clinic-access"


class UploaderBusyError(UploadError):
    """Another program on this device is sending."""

    code = "uploader-busy"


class UploadFaultError(UploadError):
    """The program met something while sending that it does not know."""

    code = "upload-fault"


class UploadLockedError(UploadError):
    """The device has not been unlocked since power-on, and its hardware has no secret to open the outbox with."""

    code = "upload-locked"


class UploadStoppedError(UploadError):
    """Sending was stopped on purpose (shutting down); it goes on where it was."""

    code = "upload-stopped"


class ArchiveUnreachableError(UploadError):
    """No connection to the clinic, or it broke: the normal case in the field."""

    code = "archive-unreachable"


class ArchiveUntrustedError(UploadError):
    """Who answers cannot prove to be the clinic that this device was enrolled with."""

    code = "archive-untrusted"


class ArchiveRefusedError(UploadError):
    """The clinic does not know this device, or shut it out (401, 403)."""

    code = "archive-refused"


class ArchiveAnswerError(UploadError):
    """The answer is not what an archive says: an overload, another kind of server, an answer of absurd size."""

    code = "archive-answer"


class ArchiveRejectedError(UploadError):
    """The archive says that it will not store this instance."""

    code = "archive-rejected"


class NotStoredError(UploadError):
    """The archive said that it had stored an instance, and does not have it."""

    code = "not-stored"


class ContentConflictError(UploadError):
    """The archive has something else under the name of this instance: never resolved by the device alone."""

    code = "content-conflict"


class VerdictKeyMissingError(UploadError):
    """The clinic answers readings, and this device was enrolled before the clinic had a key to sign them with."""

    code = "verdict-key-missing"


class VerdictSignatureError(UploadError):
    """Something that claims to be a verdict is not signed by the clinic that this device was enrolled with."""

    code = "verdict-signature"


class VerdictUnknownError(UploadError):
    """A verdict of the clinic says something that this version does not know."""

    code = "verdict-unknown"


class AnotherHandheldError(UploadError):
    """The clinic keeps answers from this device, because another handheld has sent their exams.

    So it is where records were restored to another handheld and the clinic was not told that it is used in its place.
    """

    code = "another-handheld"
