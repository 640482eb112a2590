# SPDX-License-Identifier: Apache-2.0
"""Wireless networks through NetworkManager's own tool: which there are, and joining one.

``nmcli`` comes with Raspberry Pi OS; where it is missing the screen says so, and the network is set up in another way.
Passwords go to it on standard input, never on a command line that others could read in the list of processes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass

from device.errors import WifiError, WifiMissingError

_TOOL = "nmcli"
_LIST_S = 20
_JOIN_S = 60
_FIELD = re.compile(r"(?<!\\):")


@dataclass(frozen=True, slots=True)
class WifiNetwork:
    """A network that is in the air.

    Attributes:
        name: Its SSID.
        strength: Signal in per cent.
        protected: Whether it wants a password.
        connected: Whether this device is in it.
    """

    name: str
    strength: int
    protected: bool
    connected: bool


def networks(command: str = _TOOL) -> list[WifiNetwork]:
    """What is in the air now, the network in use first, then by strength; each name once.

    Raises:
        WifiMissingError: There is no NetworkManager on this machine.
        WifiError: It does not answer.
    """
    listed = _run(command, ["-t", "-f", "IN-USE,SIGNAL,SECURITY,SSID", "device", "wifi", "list"], "", _LIST_S)
    found: dict[str, WifiNetwork] = {}
    for network in (_parsed(line) for line in listed.splitlines()):
        if network is None:
            continue
        known = found.get(network.name)
        if known is None or (network.connected, network.strength) > (known.connected, known.strength):
            found[network.name] = network
    return sorted(found.values(), key=lambda n: (not n.connected, -n.strength, n.name))


def join(name: str, password: str = "", command: str = _TOOL) -> None:
    """Join a network, and remember it.

    Args:
        name: Its SSID.
        password: Empty for an open network, and for one that is known already.
        command: NetworkManager's tool.

    Raises:
        WifiMissingError: There is no NetworkManager on this machine.
        WifiError: The password is wrong, or the network is out of reach.
    """
    ask = ["--ask"] if password else []
    _run(command, [*ask, "device", "wifi", "connect", name], f"{password}\n" if password else "", _JOIN_S)


def _run(command: str, arguments: list[str], given: str, timeout_s: float) -> str:
    tool = shutil.which(command)
    if tool is None:
        raise WifiMissingError(command)
    try:
        done = subprocess.run(  # noqa: S603
            [tool, *arguments], input=given, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WifiError(command, type(error).__name__) from error
    if done.returncode != 0:
        raise WifiError(command, f"status {done.returncode}")
    return done.stdout


def _parsed(line: str) -> WifiNetwork | None:
    r"""One terse line; nmcli writes a colon inside of a field as ``\:``."""
    fields = [re.sub(r"\\(.)", r"\1", field) for field in _FIELD.split(line)]
    if len(fields) != 4 or not fields[3] or not fields[1].isdigit():
        return None
    return WifiNetwork(fields[3], int(fields[1]), fields[2] not in ("", "--"), fields[0] == "*")
