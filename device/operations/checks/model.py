# SPDX-License-Identifier: Apache-2.0
"""Whether the installed model is the one that was released, which one is in use, and whether the site's profile is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.errors import BundleError, SiteProfileError
from device.system.check import CheckResult, CheckStatus
from device.system.child import run_in_child

LOADING_S: Final = 120.0
"""Seconds that loading and trying a model may take; a Zero 2 W needs about ten."""


@dataclass(frozen=True, slots=True)
class ModelFound:
    """The model that is in use.

    Attributes:
        label: Name and version, with the site's profile behind it where one is used.
        runtime: What runs it.
        refused: Why a newer bundle is refused, empty when none is.
        profile_refused: Why the site's profile is not used, empty when it is or there is none.
    """

    label: str
    runtime: str
    refused: str = ""
    profile_refused: str = ""


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """Files, signature and golden vectors of the bundle are right on this very device, and the site's profile fits it.

    Attributes:
        models: A bundle, or a folder of bundles.
    """

    models: Path
    name: str = "Model"

    def run(self) -> CheckResult:
        """Verify the newest bundle in a process of its own: a broken runtime may end it."""
        model = run_in_child(probe_model, self.models, timeout_s=LOADING_S)
        found = f"{model.label} gives its golden results with {model.runtime}"
        if model.refused:
            advice = "Findings go on with this model; install the newer one again."
            sentence = f"{found}, but a newer one is refused: {model.refused}"
            return CheckResult(self.name, CheckStatus.WARN, sentence, advice)
        if model.profile_refused:
            advice = "Findings go on without what was fitted to this site."
            sentence = f"{found}, but without the site's profile: {model.profile_refused}"
            return CheckResult(self.name, CheckStatus.WARN, sentence, advice)
        return CheckResult(self.name, CheckStatus.OK, f"{found}.")


def probe_model(models: Path) -> ModelFound:
    """Load the newest usable bundle, which runs its golden vectors, and the site's profile.

    Raises:
        MammascopeError: No bundle or no runtime is usable.
    """
    # Heavy: for the child only.
    from device.inference.bundle import find_bundles, load_bundle, newest_bundle
    from device.inference.site import profile_path, read_site_profile

    bundle = newest_bundle(models)
    refused = ""
    for newest in find_bundles(models)[:1]:
        if newest != bundle.folder:
            try:
                load_bundle(newest)
            except BundleError as error:
                refused = str(error)
    label, profile_refused = bundle.manifest.label, ""
    if profile_path().exists():
        try:
            label += f"+{read_site_profile(profile_path(), label).label}"
        except SiteProfileError as error:
            profile_refused = str(error)
    return ModelFound(label, bundle.runtime.name, refused, profile_refused)
