"""The checks of ``doctor`` that need the model, the fonts or the settings, and the list of them all.

The command prints them, the diagnostics screen shows them; both get the same answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from device.config import Settings
from device.errors import BundleError, MammascopeError
from device.system.cameras import CameraCheck, GrabberCheck
from device.system.check import Check, CheckResult, CheckStatus
from device.system.child import run_in_child
from device.system.clock import ClockCheck
from device.system.machine import MemoryCheck, PythonCheck
from device.system.network import ClinicCheck, NetworkCheck
from device.system.power import SupplyCheck, TemperatureCheck
from device.system.screen import ScreenCheck
from device.system.storage import StorageCheck


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
        ModelCheck(settings.models),
        ScreenCheck(),
        FontCheck(),
        GrabberCheck(),
        CameraCheck(),
        NetworkCheck(),
        ClinicCheck(settings.site.clinic_url),
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


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """The runtime of this device runs the model and reproduces its golden vectors.

    Attributes:
        models: A bundle, or a folder of bundles.
    """

    models: Path
    name: str = "Model"

    def run(self) -> CheckResult:
        """Verify and run the newest bundle in a process of its own: a broken runtime may end it."""
        model, runtime, refused = run_in_child(probe_model, self.models, timeout_s=120)
        found = f"{model} gives its golden results with {runtime}"
        if refused:
            advice = "Findings go on with this model; install the newer one again."
            return CheckResult(self.name, CheckStatus.WARN, f"{found}, but a newer one is refused: {refused}", advice)
        return CheckResult(self.name, CheckStatus.OK, f"{found}.")


def probe_model(models: Path) -> tuple[str, str, str]:
    """Load the newest usable bundle, which runs its golden vectors.

    Returns:
        Names of the model and of the runtime, and why a newer bundle is refused (empty when none is).

    Raises:
        MammascopeError: No bundle or no runtime is usable.
    """
    from device.inference.bundle import find_bundles, load_bundle, newest_bundle  # heavy: for the child only

    bundle = newest_bundle(models)
    refused = ""
    for newest in find_bundles(models)[:1]:
        if newest != bundle.folder:
            try:
                load_bundle(newest)
            except BundleError as error:
                refused = str(error)
    return bundle.manifest.label, bundle.runtime.name, refused


@dataclass(frozen=True, slots=True)
class FontCheck:
    """Every language can be written."""

    folders: Sequence[Path] | None = None
    name: str = "Fonts"

    def run(self) -> CheckResult:
        """Look for the font files of every script."""
        missing = run_in_child(missing_fonts, self.folders)
        if not missing:
            return CheckResult(self.name, CheckStatus.OK, "Latin, Devanagari (Hindi) and Tamil are installed.")
        advice = "Install them with: sudo apt-get install --no-install-recommends fonts-noto-core"
        return CheckResult(self.name, CheckStatus.WARN, f"Not installed: {', '.join(missing)}.", advice)


def missing_fonts(folders: Sequence[Path] | None) -> list[str]:
    """Names of the font files that are not there."""
    from device.ui.theme.fonts import FOLDERS, FontBook  # pygame is for the child only

    return FontBook(folders or FOLDERS).missing()
