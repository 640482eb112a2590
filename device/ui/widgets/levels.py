# SPDX-License-Identifier: Apache-2.0
"""How much something matters, as ink and icon: the same everywhere, and never colour alone."""

from __future__ import annotations

from device.ui.status import Level
from device.ui.theme.palette import Ink

INKS = {Level.OK: Ink.GOOD, Level.INFO: Ink.INFO, Level.WARNING: Ink.WARNING, Level.ERROR: Ink.ERROR}
ICONS = {Level.OK: "check", Level.INFO: "info", Level.WARNING: "warning", Level.ERROR: "warning"}
