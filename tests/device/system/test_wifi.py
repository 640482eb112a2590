# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from device.errors import WifiError, WifiMissingError
from device.system.wifi import WifiNetwork, join, networks

LISTED = r"""*:62:WPA2:Clinic
:80:WPA2:Clinic
:90:WPA1 WPA2:Room 2\: east
:40::Open net
:99:WPA2:
nonsense
"""


def _tool(folder: Path, body: str) -> str:
    path = folder / "nmcli"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_networks_are_listed_once_each_the_one_in_use_first(tmp_path: Path) -> None:
    (tmp_path / "listed").write_text(LISTED)
    assert networks(_tool(tmp_path, f"cat {tmp_path}/listed")) == [
        WifiNetwork("Clinic", 62, True, True),
        WifiNetwork("Room 2: east", 90, True, False),
        WifiNetwork("Open net", 40, False, False),
    ]


def test_a_password_is_never_on_the_command_line(tmp_path: Path) -> None:
    tool = _tool(tmp_path, f'echo "$@" > {tmp_path}/arguments; cat > {tmp_path}/given')
    join("Clinic", "secret words", tool)
    assert (tmp_path / "given").read_text() == "secret words\n"
    arguments = (tmp_path / "arguments").read_text()
    assert "secret" not in arguments
    assert arguments.strip().endswith("connect Clinic")


def test_a_refusal_and_a_missing_tool_each_have_their_error(tmp_path: Path) -> None:
    with pytest.raises(WifiError):
        join("Clinic", "wrong", _tool(tmp_path, "echo wrong >&2; exit 4"))
    with pytest.raises(WifiMissingError):
        networks("no-such-tool-here")
