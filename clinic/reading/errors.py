# SPDX-License-Identifier: Apache-2.0
"""Why a reader cannot do what they wanted to do; each has a code, under which the catalogues hold its sentence."""

from __future__ import annotations

from typing import ClassVar

from clinic.errors import ClinicError


class ReadingError(ClinicError):
    """Base; ``code`` is the key of the sentence in the catalogues, ``errors.<code>``."""

    code: ClassVar[str] = "reading"


class NoSuchExamError(ReadingError):
    """There is no exam of this name."""

    code = "no_such_exam"


class NotWaitingError(ReadingError):
    """The exam waits for no reading, or not for one by this reader."""

    code = "not_waiting"


class ClaimedByOtherError(ReadingError):
    """Another reader has it at this moment."""

    code = "claimed_by_other"


class ClaimEndedError(ReadingError):
    """The reader's own claim has ended and another reader has taken the exam, or has read it, meanwhile."""

    code = "claim_ended"


class OwnReadingError(ReadingError):
    """No reader reads an exam twice: a second opinion is another reader's."""

    code = "own_reading"


class NotReadBlindError(ReadingError):
    """A decision in sight of the model's result comes after the reader's own category, never before."""

    code = "not_read_blind"


class AlreadyDecidedError(ReadingError):
    """The reading was finished before; what was decided is not changed."""

    code = "already_decided"


class ChangedMeanwhileError(ReadingError):
    """Another user has changed the exam between looking and writing; nothing was overwritten."""

    code = "changed_meanwhile"


class NotAllowedValueError(ReadingError):
    """A category, descriptor or advice that does not exist."""

    code = "not_allowed_value"
