# SPDX-License-Identifier: Apache-2.0
"""Calibration and abstention figures against hand-counted cases and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from convert.evaluate.metrics import once
from convert.evaluate.reliability import (
    area_under_risk,
    calibration_error,
    calibration_figures,
    reliability_bins,
    risk_coverage,
)
from tests.convert.made_up import make_predictions


def test_calibration_error_counted_by_hand() -> None:
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55])
    true = np.array([True, True, True, False, True, False])
    expected = 4 / 6 * abs(0.75 - 0.95) + 2 / 6 * abs(0.5 - 0.55)
    assert calibration_error(confidence, true, once(6)) == pytest.approx([expected])
    twice = np.array([[2.0, 2, 2, 2, 0, 0]])
    assert calibration_error(confidence, true, twice) == pytest.approx([0.2])


def test_a_stated_probability_that_comes_true_as_often_has_hardly_any_error() -> None:
    generator = np.random.default_rng(0)
    stated = generator.uniform(size=20_000)
    true = generator.random(20_000) < stated
    assert calibration_error(stated, true, once(20_000))[0] < 0.02
    assert calibration_error(stated**0.3, true, once(20_000))[0] > 0.1
    bins = reliability_bins(stated, true)
    assert bins.count.sum() == 20_000
    assert np.abs(bins.confidence - bins.share).max() < 0.05


def test_bins_own_their_upper_edge_and_the_ends_are_inside() -> None:
    bins = reliability_bins(np.array([0.0, 1 / 15, 1 / 15 + 1e-9, 1.0]), np.array([True] * 4))
    assert bins.count[[0, 1, 14]].tolist() == [2, 1, 1]
    assert np.isnan(bins.share[5])


def test_brier_scores() -> None:
    predictions = make_predictions(4)
    figures = calibration_figures(predictions, once(len(predictions)))
    binary = brier_score_loss(predictions.labels == 2, predictions.malignant)
    assert figures["brier_malignant"][0] == pytest.approx(binary)
    truth = np.eye(3)[predictions.labels]
    assert figures["brier"][0] == pytest.approx(((predictions.probabilities - truth) ** 2).sum(1).mean())


def test_risk_coverage_curve_counted_by_hand() -> None:
    curve = risk_coverage(np.array([0.6, 0.9, 0.8, 0.7]), np.array([True, False, True, False]))
    assert curve.confidence.tolist() == [0.9, 0.8, 0.7, 0.6]
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.risk == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert curve.area == pytest.approx(np.mean([0, 1 / 2, 1 / 3, 1 / 2]))


def test_images_of_equal_confidence_are_answered_together() -> None:
    curve = risk_coverage(np.array([0.9, 0.5, 0.5, 0.5]), np.array([False, True, False, False]))
    assert curve.coverage.tolist() == [0.25, 1.0]
    assert curve.risk.tolist() == [0.0, 0.25]
    assert curve.area == pytest.approx(0.25 * 0 + 0.75 * 0.25)


def test_weights_count_like_copies() -> None:
    generator = np.random.default_rng(2)
    confidence, wrong = np.round(generator.random(50), 1), generator.random(50) < 0.3
    weights = generator.integers(0, 3, (5, 50))
    for row, area in zip(weights, area_under_risk(confidence, wrong, weights.astype(np.float64)), strict=True):
        copies = np.repeat(np.arange(50), row)
        assert area == pytest.approx(risk_coverage(confidence[copies], wrong[copies]).area)
