# SPDX-License-Identifier: Apache-2.0
"""What the machine around the program lacks: screen, fonts, a probe that answers."""

from __future__ import annotations

from device.errors.base import MammascopeError


class FontMissingError(MammascopeError):
    """The font that a language's script needs is not installed."""

    code = "font-missing"


class DisplayError(MammascopeError):
    """No window or full screen can be opened (no panel, no permission, another program holds it)."""

    code = "display"


class ProbeCrashedError(MammascopeError):
    """A part that was tried in a process of its own crashed or hung there, instead of taking the program with it."""

    code = "probe-crashed"


class BacklightError(MammascopeError):
    """The panel's brightness cannot be set."""

    code = "backlight"


class ClockSettingError(MammascopeError):
    """The system refuses to have its clock set."""

    code = "clock-setting"


class WifiError(MammascopeError):
    """A wireless network cannot be listed or joined."""

    code = "wifi"


class WifiMissingError(WifiError):
    """There is no NetworkManager on this machine."""

    code = "wifi-missing"
