# SPDX-License-Identifier: Apache-2.0
"""Whether this device can make a finding at all: one frame goes the whole way from pixels to probabilities.

A runtime that can be imported proves nothing: built for another numpy or another processor, it fails or ends the
process only when it has to work. So it has to work here, on a frame of the phantom, through the code of the live view.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from device.errors import BundleError, BundleGoldenError, ProbeCrashedError, RuntimeMissingError
from device.operations.checks.model import LOADING_S
from device.system.check import CheckResult, CheckStatus
from device.system.child import run_in_child

INSTALL = (
    "Run the installer again; where it stays, this board or this Python is not one that the runtime was built for."
)


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one frame.

    Attributes:
        runtime: Module that ran the network.
        model: Name and version of the model.
        probabilities: By class; should sum to 1.
        latency_ms: From the frame to the finding, the second time, when everything is warm.
    """

    runtime: str
    model: str
    probabilities: tuple[float, ...]
    latency_ms: float


@dataclass(frozen=True, slots=True)
class RuntimeCheck:
    """The inference runtime works.

    Attributes:
        models: A bundle, or a folder of bundles.
    """

    models: Path
    name: str = "Runtime"

    def run(self) -> CheckResult:
        """Make a finding of a phantom frame in a process of its own, which a broken runtime may end."""
        try:
            tried = run_in_child(probe_inference, self.models, timeout_s=LOADING_S)
        except (RuntimeMissingError, ProbeCrashedError) as error:
            sentence = f"No finding can be made here: {error.detail or error.sentence}"
            return CheckResult(self.name, CheckStatus.FAIL, sentence, INSTALL)
        except BundleGoldenError as error:
            return CheckResult(self.name, CheckStatus.FAIL, f"It computes wrongly here: {error.detail}.", INSTALL)
        except BundleError:
            return CheckResult(self.name, CheckStatus.ABSENT, "Not tried, for want of a usable model; see Model.")
        if not math.isclose(sum(tried.probabilities), 1.0, abs_tol=1e-3):
            sentence = f"{tried.runtime} gives probabilities that do not sum to 1: {tried.probabilities}."
            return CheckResult(self.name, CheckStatus.FAIL, sentence, INSTALL)
        sentence = f"{tried.runtime} made a finding with {tried.model} in {tried.latency_ms:.0f} ms."
        return CheckResult(self.name, CheckStatus.OK, sentence)


def probe_inference(models: Path) -> Tried:
    """Classify one frame of the phantom, twice.

    Raises:
        BundleError: No bundle is usable.
        RuntimeMissingError: There is no working runtime.
    """
    from device.capture.phantom.frames import IN_DISTRIBUTION_SEED, phantom_frame  # heavy: for the child only
    from device.inference.bundle import newest_bundle
    from device.inference.classifier import Classifier

    bundle = newest_bundle(models)
    classifier, frame = Classifier(bundle), phantom_frame(IN_DISTRIBUTION_SEED, "benign")
    classifier.classify(frame)
    finding = classifier.classify(frame)
    shares = tuple((finding.probabilities or {}).values())
    return Tried(bundle.runtime.name, bundle.manifest.label, shares, finding.latency_ms)
