# SPDX-License-Identifier: Apache-2.0
"""How long tests wait for what must happen, and the limits of the program that they widen so that it can.

A limit protects the person before the handheld from waiting. On a machine with two busy cores it would end what is
merely slow, and a test would fail that has found nothing. So every limit is wide here; a test of what happens when one
runs out sets that one, and nothing else, to a short time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import pytest

PATIENT_S: Final = 240.0
"""Seconds for what happens at once unless it is broken; a test that passes never takes that long."""

LIMITS: Final = (
    "device.capture.sandbox.reader._READY_S",
    "device.capture.sources.process_source.OPEN_S",
    "device.capture.sources.supervisor.OPEN_S",
    "device.capture.sources.supervisor.SILENCE_S",
    "device.capture.sources.usb_stick.ANSWER_S",
    "device.records.store.database.BUSY_TIMEOUT_S",
    "device.records.keys.device_secret._TIMEOUT_S",
    "device.system.child.ANSWER_S",
    "device.system.clock_setting._TIMEOUT_S",
    "device.system.journal._ANSWER_S",
    "device.system.power._ANSWER_S",
    "device.system.services._ANSWER_S",
    "device.system.stick_mount._LIMIT_S",
    "device.system.wifi._JOIN_S",
    "device.system.wifi._LIST_S",
    "device.operations.checks.model.LOADING_S",
    "device.operations.checks.runtime.LOADING_S",
    "device.upload.comparison.PATIENCE_S",
    "device.upload.link.CONNECT_TIMEOUT_S",
    "device.upload.link.SILENCE_TIMEOUT_S",
)


def widen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every limit of this process wide."""
    from device.capture.files.limits import (
        DEFAULT,  # not before a test needs it: some prove that starting up loads little
    )

    for limit in LIMITS:
        monkeypatch.setattr(limit, PATIENT_S)
    patient = replace(DEFAULT, timeout_s=PATIENT_S)
    monkeypatch.setattr("device.capture.sandbox.reader.board_limits", lambda: patient)


def patient_device(*words: str, besides: Iterable[str] = ()) -> list[str]:
    """The command ``python -m device`` with every limit made wide, and those besides."""
    code = (
        "import dataclasses, importlib, sys\n"
        "from device.__main__ import main\n"
        f"for limit in {(*LIMITS, *besides)!r}:\n"
        "    module, _, name = limit.rpartition('.')\n"
        f"    setattr(importlib.import_module(module), name, {PATIENT_S})\n"
        "from device.capture.sandbox import reader as sandbox\n"
        f"patient = dataclasses.replace(sandbox.board_limits(), timeout_s={PATIENT_S})\n"
        "sandbox.board_limits = lambda: patient\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    return [sys.executable, "-c", code, *words]
