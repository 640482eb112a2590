# SPDX-License-Identifier: Apache-2.0
"""All checks of ``doctor``, in their order, and running them.

The command prints them, the diagnostics screen shows them, an update tries some of them; all get the same answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from device.config import Settings
from device.errors import MammascopeError
from device.operations.checks.clinic import ClinicCheck
from device.operations.checks.decoders import DecodersCheck
from device.operations.checks.fonts import FontCheck
from device.operations.checks.model import ModelCheck
from device.operations.checks.records import RecordsCheck
from device.operations.checks.runtime import RuntimeCheck
from device.operations.checks.stick import StickCheck
from device.system.cameras import CameraCheck, GrabberCheck
from device.system.check import Check, CheckResult, CheckStatus
from device.system.clock import ClockCheck
from device.system.display.screen import ScreenCheck
from device.system.display.touch import TouchCheck
from device.system.machine import MemoryCheck, PythonCheck
from device.system.network import NetworkCheck
from device.system.power import PowerSupplyCheck, TemperatureCheck
from device.system.services import ServicesCheck
from device.system.storage import StorageCheck

if TYPE_CHECKING:
    from device.records.keys.hpke import HpkeOpener

__all__ = ["FontCheck", "ModelCheck", "all_checks", "run_checks"]


def all_checks(settings: Settings, *, screen: bool = True, opener: HpkeOpener | None = None) -> tuple[Check, ...]:
    """Every check, in the order in which a technician would look.

    Args:
        settings: Of this device.
        screen: Whether to look for a screen too; not from the program that has it.
        opener: The upload key where the program has it; the access to the clinic is sealed under it.
    """
    checks: tuple[Check, ...] = (
        PythonCheck(),
        MemoryCheck(),
        StorageCheck(settings.data_dir),
        RecordsCheck(settings.data_dir),
        PowerSupplyCheck(),
        TemperatureCheck(),
        ClockCheck(),
        RuntimeCheck(settings.models),
        ModelCheck(settings.models),
        DecodersCheck(),
        ScreenCheck(),
        TouchCheck(),
        FontCheck(),
        GrabberCheck(),
        CameraCheck(),
        StickCheck(),
        NetworkCheck(),
        ClinicCheck(settings, opener),
        ServicesCheck(),
    )
    return tuple(check for check in checks if screen or not isinstance(check, ScreenCheck))


def run_checks(checks: Iterable[Check]) -> list[CheckResult]:
    """Run checks one after the other; an error of one is its result and does not keep the others from running."""
    results = []
    for check in checks:
        try:
            results.append(check.run())
        except MammascopeError as error:
            results.append(CheckResult(check.name, CheckStatus.FAIL, str(error)))
        except OSError as error:
            sentence = f"It could not be checked: {error.strerror or type(error).__name__}."
            results.append(CheckResult(check.name, CheckStatus.FAIL, sentence))
    return results
