# SPDX-License-Identifier: Apache-2.0
"""What an evaluation has measured: predictions of both networks for each way of testing, and everything beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from convert.evaluate.intervals import Estimate
from convert.evaluate.predictions import Predictions


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """One way of testing: the int8 network's predictions and those of its float original on the same images.

    Attributes:
        title: What was done, for headings, for instance ``5 grouped folds``.
        int8: Of the network that the device runs, with its decisions (``convert.evaluate.metrics.apply_thresholds``).
        original: Of the float network, with the same limits; ``None`` where it was not run.
    """

    title: str
    int8: Predictions
    original: Predictions | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationInputs:
    """Everything that was measured.

    Attributes:
        folds: Grouped folds over the development data; ``None`` while only a single split was tested.
        left_out: By name of the data set or scanner that was left out of training as a whole.
        held_out: A single grouped test part, for a bundle whose folds were not trained.
        ood_detection: What the OOD limit does (``convert.evaluate.agreement.ood_detection``).
        sources: Shares of the breast frames of each set never seen that are ``refused`` and that get the caution of an
            ``unfamiliar`` source.
        shortcuts: Measures of shortcuts by name, for instance what changes when burned-in text is masked.
        cost: Measured costs by name: ``bundle_mb``, ``one_look_speedup``, ``two_looks_speedup``, ``pipeline_overhead``.
    """

    folds: Evaluation | None = None
    left_out: Mapping[str, Evaluation] = field(default_factory=dict)
    held_out: Evaluation | None = None
    ood_detection: Mapping[str, Estimate] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    shortcuts: Mapping[str, Estimate] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)
