"""All checks of ``doctor``, in their order, and running them.

The command prints them, the diagnostics screen shows them, an update tries some of them; all get the same answers.
"""

from __future__ import annotations

from collections.abc import Iterable

from device.config import Settings
from device.errors import MammascopeError
from device.system.cameras import CameraCheck, GrabberCheck
from device.system.check import Check, CheckResult, CheckStatus
from device.system.clock import ClockCheck
from device.system.machine import MemoryCheck, PythonCheck
from device.system.network import NetworkCheck
from device.system.power import SupplyCheck, TemperatureCheck
from device.system.screen import ScreenCheck
from device.system.services import ServicesCheck
from device.system.storage import StorageCheck
from device.system.touch import TouchCheck
from device.ui.checks.clinic import ClinicCheck
from device.ui.checks.fonts import FontCheck
from device.ui.checks.model import ModelCheck
from device.ui.checks.runtime import RuntimeCheck
from device.ui.checks.stick import StickCheck

__all__ = ["FontCheck", "ModelCheck", "all_checks", "run_checks"]


def all_checks(settings: Settings, *, screen: bool = True) -> tuple[Check, ...]:
    """Every check, in the order in which a technician would look.

    Args:
        settings: Of this device.
        screen: Whether to look for a screen too; not from the program that has it.
    """
    checks: tuple[Check, ...] = (
        PythonCheck(),
        MemoryCheck(),
        StorageCheck(settings.data_dir),
        SupplyCheck(),
        TemperatureCheck(),
        ClockCheck(),
        RuntimeCheck(settings.models),
        ModelCheck(settings.models),
        ScreenCheck(),
        TouchCheck(),
        FontCheck(),
        GrabberCheck(),
        CameraCheck(),
        StickCheck(),
        NetworkCheck(),
        ClinicCheck(settings),
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
