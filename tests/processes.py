# SPDX-License-Identifier: Apache-2.0
"""Waiting for the end of a process that is not a child of the test."""

from __future__ import annotations

import os
import select

from tests.patience import PATIENT_S


def ends(pid: int) -> bool:
    """Whether the process ends, or has ended, within what a test waits."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], PATIENT_S)[0])
    finally:
        os.close(handle)
