# SPDX-License-Identifier: Apache-2.0
"""What can go wrong on the clinic's machine, said so that the person at it knows what to do."""

from __future__ import annotations


class ClinicError(Exception):
    """Base of every error that the clinic's commands report as one line."""


class OrthancMissingError(ClinicError):
    """The archive, or its DICOMweb plug-in, is not installed."""


class ArchiveStartError(ClinicError):
    """The archive ended, or did not answer, while it was started."""


class StateError(ClinicError):
    """The state folder cannot be used."""
