"""Why a site file does not connect this device with its site."""

from __future__ import annotations

from device.errors.base import MammascopeError


class EnrolmentError(MammascopeError):
    """The device could not be enrolled; what it had before is untouched."""

    code = "enrolment"
    sentence = "This device could not be enrolled; nothing was changed, ask the technician for a new site file."


class SiteFileError(EnrolmentError):
    """What was given is no site file, or holds something that is not allowed in one."""

    code = "site-file"
    sentence = "This is not a site file that can be used; nothing was changed, ask for a new one."


class SiteSignatureError(EnrolmentError):
    """The signature does not fit: the file was changed or damaged on its way."""

    code = "site-signature"
    sentence = "This site file was changed or damaged after it was signed; nothing was changed, ask for a new one."


class SiteSignerError(EnrolmentError):
    """The file is signed, but by nobody whom this device trusts."""

    code = "site-signer"
    sentence = "Nobody said that this signer may be trusted; compare the fingerprint with the clinic, then name it."


class SiteExpiredError(EnrolmentError):
    """The file was valid once."""

    code = "site-expired"
    sentence = "This site file is no longer valid; nothing was changed, ask for a new one."


class SiteOlderError(EnrolmentError):
    """The device already follows a newer file of the same signer."""

    code = "site-older"
    sentence = "This device already follows a newer site file; nothing was changed, ask for the newest one."


class SiteCodeError(EnrolmentError):
    """Pictures or the camera showed no complete set of codes of one site file."""

    code = "site-code"
    sentence = "Not all codes of the site file were seen; show each of them sharp, straight and without reflections."
