"""Why a copy for a stick was not made."""

from __future__ import annotations

from device.errors.base import MammascopeError


class ExportError(MammascopeError):
    """Exams cannot be written to a stick."""

    code = "export"
    sentence = "The export could not be finished; plug the stick in again and repeat."


class StickFullError(ExportError):
    """There is not enough room on the stick; finished exams are whole."""

    code = "stick-full"
    sentence = "There is not enough room on the stick; delete something from it or take another one."


class StickGoneError(ExportError):
    """The stick was pulled, or does not answer any more."""

    code = "stick-gone"
    sentence = "The stick is gone or does not answer; plug it in again and repeat the export."


class StickReadOnlyError(ExportError):
    """The stick is write-protected or mounted read-only."""

    code = "stick-read-only"
    sentence = "Nothing can be written to the stick; open its write protection or take another one."


class ExportDamagedError(ExportError):
    """What was written reads back differently: the stick fails or is not as large as it claims."""

    code = "export-damaged"
    sentence = "What was written to the stick reads back differently; the stick is failing, take another one."


class ExportStoppedError(ExportError):
    """The export was stopped on purpose."""

    code = "export-stopped"
    sentence = "The export was stopped; the exams that were finished are on the stick."
