# SPDX-License-Identifier: Apache-2.0
"""Why an update is not installed, or was taken back."""

from __future__ import annotations

from device.errors.base import MammascopeError


class UpdateError(MammascopeError):
    """An update could not be made or installed; the release in use is untouched."""

    code = "update"


class UpdateFileError(UpdateError):
    """What was given is no update, is incomplete, or differs from what was signed."""

    code = "update-file"


class UpdateSignerError(UpdateError):
    """The file is not signed by a signer whom this device trusts with its software."""

    code = "update-signer"


class UpdateOlderError(UpdateError):
    """The update is older than the software in use, or than one that has run well before."""

    code = "update-older"


class UpdateFitError(UpdateError):
    """The update is for other machines, other versions of Python or of this software, or needs the installer."""

    code = "update-fit"


class UpdateTriedError(UpdateError):
    """This very release was tried here before and taken back."""

    code = "update-tried"


class UpdateTestError(UpdateError):
    """The new release failed its self-test and was removed."""

    code = "update-test"


class UpdateBusyError(UpdateError):
    """Another update is being installed or tried out."""

    code = "update-busy"


class UpdateMissingError(UpdateError):
    """There is no update where one was looked for."""

    code = "update-missing"


class UpdateRoomError(UpdateError):
    """The card has not enough room for another release."""

    code = "update-room"
