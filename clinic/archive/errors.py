# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between the web application and the archive."""

from __future__ import annotations

from clinic.errors import ClinicError


class ArchiveError(ClinicError):
    """Base: the archive could not be asked, or its answer is of no use."""


class ArchiveSilentError(ArchiveError):
    """No connection, or it broke, or the archive is overloaded; trying again later may help."""


class ArchiveDeniedError(ArchiveError):
    """The archive does not accept the web application's user and password."""


class ArchiveNonsenseError(ArchiveError):
    """The answer is none that an archive gives, or far too large."""


class NotInArchiveError(ArchiveError):
    """The archive has no such study or instance, or cannot show it as a picture."""
