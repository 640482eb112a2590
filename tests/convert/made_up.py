# SPDX-License-Identifier: Apache-2.0
"""Predictions made up for tests: a model that is right to a known degree, over two sets, three scanners and folds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from convert.evaluate.agreement import ood_detection
from convert.evaluate.evaluation import Evaluation, EvaluationInputs
from convert.evaluate.intervals import Estimate
from convert.evaluate.metrics import apply_thresholds
from convert.evaluate.predictions import Predictions
from device.inference.finding import CLASSES
from device.inference.manifest import Abstention


def make_predictions(seed: int = 0, n: int = 300, strength: float = 1.5, views: int = 2) -> Predictions:
    """Softmax of noise plus ``strength`` for the true class; ``views`` images a group share the label."""
    generator = np.random.default_rng(seed)
    groups = np.arange(n) // views
    labels = generator.integers(0, len(CLASSES), groups.max() + 1)[groups]
    noise = generator.normal(size=(groups.max() + 1, 3))[groups] + generator.normal(size=(n, 3))
    logits = noise + strength * np.eye(3)[labels]
    busbra = groups % 3 == 0
    labels = np.where(busbra & (labels == 0), 1, labels)  # no normal image in BUS-BRA
    odds = np.exp(logits)
    dice = np.where(labels > 0, generator.uniform(0.6, 1.0, n), np.nan)
    return Predictions(
        probabilities=odds / odds.sum(1, keepdims=True),
        labels=labels,
        groups=np.array([f"g{g}" for g in groups]),
        sets=np.where(busbra, "busbra", "busi"),
        scanners=np.where(busbra, np.where(groups % 2 == 0, "Logiq 5", "Logiq 7"), "busi"),
        keys=np.array([f"image {i}" for i in range(n)]),
        folds=groups % 5,
        dice=dice,
    )


def make_evidence() -> EvaluationInputs:
    """Folds on two sets with their float original, a set left out, rejection, a shortcut and a size."""
    band = Abstention(lower=0.2, upper=0.5)
    original = make_predictions(20, strength=2.5)
    moved = np.abs(original.probabilities + np.random.default_rng(1).normal(scale=0.01, size=(len(original), 3)))
    quantised = replace(original, probabilities=moved / moved.sum(1, keepdims=True))
    other = make_predictions(21, n=120, strength=1.5)
    single = {"folds": np.full(120, -1), "sets": np.full(120, "uclm"), "scanners": np.full(120, "uclm")}
    generator = np.random.default_rng(22)
    return EvaluationInputs(
        folds=Evaluation(
            "5 grouped folds", apply_thresholds(quantised, 0.25, band), apply_thresholds(original, 0.25, band)
        ),
        left_out={"uclm": Evaluation("BUS-UCLM left out", apply_thresholds(replace(other, **single), 0.25, band))},
        ood_detection=ood_detection(
            generator.random(300), original.groups, {"photographs": 0.9 + generator.random(20)}, 0.96
        ),
        shortcuts={"accuracy_text_masked": Estimate(0.8, 0.75, 0.85)},
        cost={"bundle_mb": 3.2},
    )
