# SPDX-License-Identifier: Apache-2.0
"""Why a site file does not connect this device with its site."""

from __future__ import annotations

from device.errors.base import MammascopeError


class EnrolmentError(MammascopeError):
    """The device could not be enrolled; what it had before is untouched."""

    code = "enrolment"


class SiteFileError(EnrolmentError):
    """What was given is no site file, or holds something that is not allowed in one."""

    code = "site-file"


class SiteSignatureError(EnrolmentError):
    """The signature does not fit: the file was changed or damaged on its way."""

    code = "site-signature"


class SiteSignerError(EnrolmentError):
    """The file is signed, but not by a signer whom this device trusts."""

    code = "site-signer"


class SiteExpiredError(EnrolmentError):
    """The file was valid once."""

    code = "site-expired"


class SiteOlderError(EnrolmentError):
    """The device already follows a newer file of the same signer."""

    code = "site-older"


class SiteCodeError(EnrolmentError):
    """Pictures or the camera showed no complete set of codes of one site file."""

    code = "site-code"
