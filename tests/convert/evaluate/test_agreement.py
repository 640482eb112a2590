# SPDX-License-Identifier: Apache-2.0
"""What quantisation cost, and what the rejection limit turns away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from convert.evaluate.agreement import agreement, ood_detection, rejected
from convert.evaluate.metrics import apply_thresholds
from device.inference.manifest import Abstention
from tests.convert.made_up import make_predictions


def test_agreement_counts_changed_words_and_lost_area() -> None:
    band = Abstention(lower=0.3, upper=0.6)
    original = apply_thresholds(make_predictions(1, n=100), 0.4, band)
    probabilities = original.probabilities.copy()
    probabilities[:5] = np.roll(probabilities[:5], 1, axis=1)
    quantised = apply_thresholds(replace(original, probabilities=probabilities), 0.4, band)
    found = agreement(original, quantised)
    assert found["same_class"].value == pytest.approx(0.95)
    assert found["same_class"].low < 0.95 < found["same_class"].high
    assert found["same_assessment"].value == pytest.approx(np.mean(original.decisions == quantised.decisions))
    assert found["same_assessment"].value < 1
    assert found["auc_lost"].value > 0
    undecided = make_predictions(1, n=100)
    assert np.isnan(agreement(undecided, undecided)["same_assessment"].value)
    with pytest.raises(ValueError, match="same images"):
        agreement(original, quantised.where(np.arange(50)))


def test_rejection_by_kind() -> None:
    breast = np.linspace(0, 1, 100)
    groups = np.repeat([f"case {i}" for i in range(50)], 2)
    strange = {"photographs": np.array([2.0, 3.0, np.nan, np.inf]), "fetal": np.array([0.5, 2.0])}
    found = ood_detection(breast, groups, strange, limit=0.955)
    assert found["breast_lost"].value == pytest.approx(0.05)
    assert found["rejected"].value == pytest.approx(5 / 6)
    assert found["rejected_fetal"].value == pytest.approx(0.5)
    assert found["rejected_photographs"].value == 1.0
    assert found["rejected_photographs"].low < 0.7  # four of four is not certainty


def test_what_lies_on_the_limit_stays_and_what_is_no_number_goes() -> None:
    assert rejected(np.array([1.0, 1.0001, np.nan, -np.inf]), 1.0).tolist() == [False, True, True, False]
