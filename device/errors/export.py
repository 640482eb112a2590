# SPDX-License-Identifier: Apache-2.0
"""Why a copy for a stick was not made."""

from __future__ import annotations

from device.errors.base import MammascopeError


class ExportError(MammascopeError):
    """Exams cannot be written to a stick."""

    code = "export"


class StickFullError(ExportError):
    """There is not enough room on the stick; finished exams are whole."""

    code = "stick-full"


class StickGoneError(ExportError):
    """The stick was pulled, or does not answer any more."""

    code = "stick-gone"


class StickReadOnlyError(ExportError):
    """The stick is write-protected or mounted read-only."""

    code = "stick-read-only"


class ExportDamagedError(ExportError):
    """What was written reads back differently: the stick fails or is not as large as it claims."""

    code = "export-damaged"
