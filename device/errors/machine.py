"""What the machine around the program lacks: screen, fonts, a probe that answers."""

from __future__ import annotations

from device.errors.base import MammascopeError


class FontMissingError(MammascopeError):
    """The font that a language's script needs is not installed."""

    code = "font-missing"
    sentence = "The font for this language is not installed; run the installer again or choose another language."


class DisplayError(MammascopeError):
    """No window or full screen can be opened (no panel, no permission, another program holds it)."""

    code = "display"
    sentence = "The screen cannot be opened; check that no other program uses it and that this user may."


class ProbeCrashedError(MammascopeError):
    """A part that was tried in a process of its own crashed or hung there, instead of taking the program with it."""

    code = "probe-crashed"
    sentence = "This part crashed or hung when tried; restart the device, and run the installer again if it stays."


class BacklightError(MammascopeError):
    """The panel's brightness cannot be set."""

    code = "backlight"
    sentence = "The brightness of this screen cannot be set; the rest of the settings works."


class ClockSettingError(MammascopeError):
    """The system refuses to have its clock set."""

    code = "clock-setting"
    sentence = "The clock could not be set; connect a network, which sets it by itself, or ask a technician."


class WifiError(MammascopeError):
    """A wireless network cannot be listed or joined."""

    code = "wifi"
    sentence = "The network could not be joined; check the password and how far away it is, then try again."


class WifiMissingError(WifiError):
    """There is no NetworkManager on this machine."""

    code = "wifi-missing"
    sentence = "Wi-Fi cannot be set up from here; this system has no NetworkManager, ask a technician."
