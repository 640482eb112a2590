# SPDX-License-Identifier: Apache-2.0
"""Of the journal only lines that cannot hold a name leave the device."""

from __future__ import annotations

import json
from pathlib import Path

from device.system.journal import read_journal

CODES = {"empty-file", "source-lost"}


def journal(folder: Path, **answers: list[dict[str, str]]) -> str:
    """A program in the place of journalctl, with answers about units (``systemd``), the kernel and the app."""
    for name in ("systemd", "kernel", "app"):
        lines = "\n".join(json.dumps(entry) for entry in answers.get(name, []))
        (folder / name).write_text(f"{lines}\nno JSON\n")
    tool = folder / "journalctl"
    asked = f'*" UNIT="*) cat "{folder}/systemd" ;; *" -k "*) cat "{folder}/kernel" ;; *) cat "{folder}/app" ;;'
    tool.write_text(f'#!/bin/sh\ncase " $* " in {asked} esac\n')
    tool.chmod(0o755)
    return str(tool)


def test_what_systemd_and_the_kernel_noted_is_told(tmp_path: Path) -> None:
    tool = journal(
        tmp_path,
        systemd=[
            {"MESSAGE": "Watchdog timeout!", "_PID": "1", "__REALTIME_TIMESTAMP": "1700000000000000"},
            {"MESSAGE": "the app itself", "_PID": "812"},
        ],
        kernel=[
            {"MESSAGE": "mmc0: Timeout waiting for hardware interrupt."},
            {"MESSAGE": "hwmon hwmon1: Undervoltage detected!"},
            {"MESSAGE": "audit: type=1400 name=/media/x/Wanjiru.png"},
            {"MESSAGE": "FAT-fs (sda1): error in /media/x/Wanjiru.png"},
            {"MESSAGE": "brcmfmac: lost b8:27:eb:01:02:03"},
        ],
    )
    found = read_journal(CODES, tool)
    assert found.units == ("2023-11-14T22:13:20+00:00 Watchdog timeout!",)
    assert len(found.kernel) == 4
    told = " ".join(found.kernel)
    assert "Timeout waiting" in told
    assert "Undervoltage" in told
    assert "Wanjiru" not in told
    assert "b8:27" not in told
    assert found.note == ""


def test_of_the_apps_own_lines_only_known_codes_are_counted(tmp_path: Path) -> None:
    lines = [
        "empty-file: Wanjiru.png: The file is empty",
        "empty-file: b.png: ...",
        "wanjiru-mueller: x",
        "source lost",
    ]
    found = read_journal(CODES, journal(tmp_path, app=[{"MESSAGE": line} for line in lines]))
    assert found.codes == {"empty-file": 2}
    assert (found.units, found.kernel) == ((), ())


def test_a_journal_that_is_not_there_or_tells_nothing_is_said(tmp_path: Path) -> None:
    assert "no journal" in read_journal(CODES, "no-such-tool-here").note
    assert "sudo" in read_journal(CODES, journal(tmp_path)).note
