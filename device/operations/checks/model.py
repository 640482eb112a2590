# SPDX-License-Identifier: Apache-2.0
"""Whether the installed model is the one that was released, and which one is in use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.errors import BundleError
from device.system.check import CheckResult, CheckStatus
from device.system.child import run_in_child

LOADING_S: Final = 120.0
"""Seconds that loading and trying a model may take; a Zero 2 W needs about ten."""


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """Files, signature and golden vectors of the bundle are right on this very device.

    Attributes:
        models: A bundle, or a folder of bundles.
    """

    models: Path
    name: str = "Model"

    def run(self) -> CheckResult:
        """Verify the newest bundle in a process of its own: a broken runtime may end it."""
        model, runtime, refused = run_in_child(probe_model, self.models, timeout_s=LOADING_S)
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
