"""Why an update is not installed, or was taken back."""

from __future__ import annotations

from device.errors.base import MammascopeError


class UpdateError(MammascopeError):
    """An update could not be made or installed; the release in use is untouched."""

    code = "update"
    sentence = "The update could not be installed; the software in use is untouched, try again or ask the technician."


class UpdateFileError(UpdateError):
    """What was given is no update, is incomplete, or differs from what was signed."""

    code = "update-file"
    sentence = "This update file is damaged or incomplete; nothing was changed, get it again."


class UpdateSignerError(UpdateError):
    """The file is signed by nobody whom this device trusts with its software."""

    code = "update-signer"
    sentence = "This device does not trust who signed the update; nothing was changed, ask your technician."


class UpdateOlderError(UpdateError):
    """The update is older than the software in use, or than one that has run well before."""

    code = "update-older"
    sentence = "This update is older than the software of this device; nothing was changed."


class UpdateFitError(UpdateError):
    """The update is for other machines, other versions of Python or of this software, or needs the installer."""

    code = "update-fit"
    sentence = "This update is not for this device as it is; nothing was changed, ask the technician for another one."


class UpdateTriedError(UpdateError):
    """This very release was tried here before and taken back."""

    code = "update-tried"
    sentence = "This update was tried here before and did not work; nothing was changed, wait for another one."


class UpdateTestError(UpdateError):
    """The new release failed its self-test and was removed."""

    code = "update-test"
    sentence = "The new software failed its self-test on this device; the software in use stays."


class UpdateBusyError(UpdateError):
    """Another update is being installed or tried out."""

    code = "update-busy"
    sentence = "Another update is being installed or tried out; wait until it is done."


class UpdateMissingError(UpdateError):
    """There is no update where one was looked for."""

    code = "update-missing"
    sentence = "No update was found here."


class UpdateRoomError(UpdateError):
    """The card has not enough room for another release."""

    code = "update-room"
    sentence = "The card has not enough room for the update; send or back up exams so that old ones can be removed."
