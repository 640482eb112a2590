# SPDX-License-Identifier: Apache-2.0
"""Several views of one lesion, judged together: two orthogonal ones are what examiners take.

Each view is evidence of its own, so calibrated log-odds are averaged: the noise of a single view counts for less, and
no view decides alone. What is averaged lies less far out than single views do, so where more than one view was combined
the bundle's limits for views take the place of those for one (``Manifest.views``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from device.imaging.quality import Reason
from device.inference.decision import decide
from device.inference.finding import CLASSES, Caution, Finding, ModelResult
from device.inference.manifest import Abstention
from device.inference.pooling import mean_of_log_odds


@dataclass(frozen=True, slots=True)
class Combined:
    """What the views of one lesion say together.

    Attributes:
        result: The word shown to the clinician.
        reason: Why there is none; ``None`` exactly when at least one view is evaluable.
        probabilities: By class name, summing to 1; ``None`` where no view is evaluable.
        uncertain_band: The band that was applied.
        caution: The gravest caution of the views; ``SINGLE_VIEW`` where only one of several could be used.
        used: Number of views that took part.
        model: ``name@version`` of the bundle.
    """

    result: ModelResult
    reason: Reason | None
    probabilities: dict[str, float] | None
    uncertain_band: tuple[float, float]
    caution: Caution | None
    used: int
    model: str


def combine(findings: Sequence[Finding], several: Abstention | None = None) -> Combined:
    """One result from the findings of the views of one lesion.

    Args:
        findings: Of the views, all by the same model.
        several: The uncertain band for two and more views (``Manifest.views``); that of the single views if not given.

    Raises:
        ValueError: There is no finding, or they are of different models.
    """
    models = {finding.model for finding in findings}
    if len(models) != 1:
        raise ValueError(f"views of one lesion need findings of one model, not of {sorted(models) or 'none'}")
    used = [f for f in findings if f.evaluable and f.probabilities is not None]
    if not used:
        first = findings[0]
        band, reason = first.uncertain_band, first.reason
        return Combined(ModelResult.NOT_EVALUABLE, reason, None, band, _gravest(findings), 0, first.model)
    probabilities = mean_of_log_odds(np.array([[f.probabilities[c] for c in CLASSES] for f in used if f.probabilities]))
    band = used[0].uncertain_band
    if len(used) > 1:
        # A view with the caution ``unfamiliar_source`` brings its wider band along.
        lower, upper = zip(*(f.uncertain_band for f in used), strict=True)
        band = (min(lower), max(upper))
        if several is not None and not any(f.caution is Caution.UNFAMILIAR_SOURCE for f in used):
            band = (several.lower, several.upper)
    alone = Caution.SINGLE_VIEW if len(used) == 1 and len(findings) > 1 else None
    return Combined(
        decide(probabilities, None, Abstention(lower=band[0], upper=band[1])),
        None,
        {name: float(p) for name, p in zip(CLASSES, probabilities, strict=True)},
        band,
        _gravest(used) or alone,
        len(used),
        used[0].model,
    )


def _gravest(findings: Sequence[Finding]) -> Caution | None:
    """The first of the cautions in the order in which they are declared, which is that of their gravity."""
    found = {finding.caution for finding in findings}
    return next((caution for caution in Caution if caution in found), None)
