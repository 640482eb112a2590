# SPDX-License-Identifier: Apache-2.0
"""Calibration finds what the logits were distorted by; limits hold on the part that they were chosen on."""

from __future__ import annotations

import numpy as np
import pytest

from convert.evaluate.metrics import MALIGNANT, Floats, once
from convert.evaluate.reliability import calibration_error
from convert.release.calibrate import (
    fit_calibration,
    operating_point,
    uncertain_band,
    unfamiliar_band,
)
from device.imaging.preprocess import Window
from device.inference.calibration import calibrated, calibrated_probabilities
from device.inference.manifest import Abstention, Calibration
from device.inference.runtime import Outputs
from device.inference.two_stage import TwoStageOutputs


def make_passes(seed: int, n: int = 4000, alone: float = 0.2) -> tuple[Floats, Floats, np.ndarray]:
    """Logits of two passes whose true log-odds are 0.4 and 0.8 of them plus a bias; labels drawn from these odds."""
    generator = np.random.default_rng(seed)
    first, second = generator.normal(scale=3, size=(2, n, 3))
    single = generator.random(n) < alone
    scores = np.where(single[:, None], 0.5 * first + [1.0, 0, -1.0], 0.4 * first + 0.8 * second + [0, 0.5, -0.5])
    odds = np.exp(scores)
    odds /= odds.sum(1, keepdims=True)
    labels = (odds.cumsum(1) < generator.random((n, 1))).sum(1)
    second[single] = np.nan
    return first, second, labels


def test_calibration_finds_the_distortion_and_its_probabilities_come_true() -> None:
    first, second, labels = make_passes(0)
    how = fit_calibration(first, second, labels)
    assert (how.whole, how.lesion, how.single_whole) == pytest.approx((0.4, 0.8, 0.5), abs=0.06)
    assert how.bias[1] - how.bias[2] == pytest.approx(1.0, abs=0.2)
    assert how.single_bias[0] - how.single_bias[2] == pytest.approx(2.0, abs=0.3)
    fresh_first, fresh_second, fresh = make_passes(1)
    found = calibrated_probabilities(fresh_first, fresh_second, how)
    raw = calibrated_probabilities(
        fresh_first, fresh_second, Calibration(whole=1, lesion=1, bias=(0, 0, 0), single_whole=1, single_bias=(0, 0, 0))
    )

    def error(p: Floats) -> float:
        return float(calibration_error(p.max(1), p.argmax(1) == fresh, once(len(fresh)))[0])

    assert error(found) < 0.03 < error(raw)
    assert np.allclose(found.sum(1), 1)


def test_the_device_computes_the_same_probabilities_and_json_keeps_them() -> None:
    first, second, labels = make_passes(4, n=200)
    how = Calibration.model_validate_json(fit_calibration(first, second, labels).model_dump_json())

    def outputs(logits: Floats) -> Outputs:
        cam = np.broadcast_to(logits.astype(np.float32), (7, 7, 3))
        return Outputs(cam, np.zeros((2, 2), np.float32), np.zeros(1, np.float32))

    for index, ours in enumerate(calibrated_probabilities(first, second, how)[:40]):
        near = None if np.isnan(second[index]).any() else outputs(second[index])
        passes = TwoStageOutputs(outputs(first[index]), near, None, Window(0, 0, 1))
        assert calibrated(passes, how) == pytest.approx(ours, abs=1e-5)


def test_few_single_looks_are_held_by_all_the_first_looks() -> None:
    first, second, labels = make_passes(5, n=600, alone=0.0)
    second[:2] = np.nan
    labels[:2] = MALIGNANT
    how = fit_calibration(first, second, labels)
    assert 0.05 < how.single_whole < 0.5  # it is 0.2 to 0.3 in all first passes
    assert np.ptp(how.single_bias) < 2  # two images alone would drive the malignant bias towards infinity
    none = fit_calibration(first[2:], second[2:], labels[2:])
    assert 0.05 < none.single_whole < 0.5


def test_an_informative_look_counts_more_than_a_useless_one() -> None:
    generator = np.random.default_rng(6)
    labels = generator.integers(0, 3, 900)
    good = 2 * np.eye(3)[labels] + generator.normal(size=(900, 3))
    how = fit_calibration(-good, good, labels)
    assert how.whole == pytest.approx(0.0, abs=1e-6)  # never turned round
    assert how.lesion > 0.5


def test_weights_count_like_copies() -> None:
    first, second, labels = make_passes(7, n=400)
    copies = np.r_[np.arange(400), np.arange(100)]
    weights = np.r_[np.full(100, 2.0), np.ones(300)]
    weighted = fit_calibration(first, second, labels, weights, ridge=0.0, tie=0.0)
    copied = fit_calibration(first[copies], second[copies], labels[copies], ridge=0.0, tie=0.0)
    assert weighted.whole == pytest.approx(copied.whole, abs=1e-3)
    assert weighted.lesion == pytest.approx(copied.lesion, abs=1e-3)
    assert weighted.bias == pytest.approx(copied.bias, abs=2e-2)


def test_shapes_that_do_not_fit_are_refused() -> None:
    first, second, labels = make_passes(8, n=20)
    with pytest.raises(ValueError, match="shapes"):
        fit_calibration(first, second[:-1], labels)
    with pytest.raises(ValueError, match="shapes"):
        fit_calibration(first[:0], second[:0], labels[:0])


def test_the_operating_point_reaches_its_sensitivity_and_no_higher_threshold_does() -> None:
    generator = np.random.default_rng(9)
    labels = np.r_[np.full(40, MALIGNANT), np.zeros(60, np.int64)]
    malignant = np.clip(np.where(labels == MALIGNANT, 0.6, 0.3) + generator.normal(scale=0.2, size=100), 0.01, 0.99)
    point = operating_point(malignant, labels, 0.95)
    assert point.name == "sensitivity_95"
    assert point.sensitivity == pytest.approx(38 / 40)
    assert point.specificity == pytest.approx(np.mean(malignant[40:] < point.malignant_threshold))
    higher = malignant[malignant > point.malignant_threshold]
    next_above = np.sort(higher)[np.flatnonzero(np.isin(np.sort(higher), malignant[:40]))[0]]
    assert np.mean(malignant[:40] > next_above) < 0.95
    assert operating_point(malignant, labels, 1.0).sensitivity == 1.0
    with pytest.raises(ValueError, match="malignant"):
        operating_point(malignant[:40], labels[:40])


def test_at_home_more_is_asked_than_a_hospital_never_seen_shall_get() -> None:
    malignant, labels = _graded(0)
    at_home, wished = operating_point(malignant, labels), operating_point(malignant, labels, 0.95)
    assert at_home.name == "sensitivity_97"
    assert at_home.sensitivity >= 0.97
    assert at_home.malignant_threshold <= wished.malignant_threshold


def test_the_band_reaches_from_the_operating_point_to_more_likely_than_not() -> None:
    malignant, labels = _graded(0)
    point = operating_point(malignant, labels)
    band = uncertain_band(malignant, labels, point.malignant_threshold)
    lower, upper = band.abstention.lower, band.abstention.upper
    assert (lower, upper) == (point.malignant_threshold, 0.5)
    assert np.mean(labels[malignant < lower] != MALIGNANT) == pytest.approx(band.npv)
    assert np.mean(labels[malignant > upper] == MALIGNANT) == pytest.approx(band.ppv)
    assert np.mean((malignant < lower) | (malignant > upper)) == pytest.approx(band.coverage)


def test_the_band_is_empty_where_the_operating_point_lies_high() -> None:
    malignant, labels = _graded(1)
    band = uncertain_band(malignant, labels, 0.8)
    assert band.abstention.lower == band.abstention.upper == 0.8
    with pytest.raises(ValueError, match="calibration part"):
        uncertain_band(malignant[:0], labels[:0], 0.8)


def _graded(seed: int) -> tuple[Floats, np.ndarray]:
    """Probabilities that are true: each image is malignant with just the probability stated."""
    generator = np.random.default_rng(seed)
    malignant = generator.beta(0.5, 0.9, 1500)
    return malignant, np.where(generator.random(1500) < malignant, MALIGNANT, 1)


def test_the_band_of_unfamiliar_sources_holds_that_of_familiar_ones() -> None:
    band = unfamiliar_band(Abstention(lower=0.165, upper=0.5))
    assert band.lower == pytest.approx(0.0816, abs=1e-3)
    assert band.upper == pytest.approx(0.69, abs=1e-2)
    edge = unfamiliar_band(Abstention(lower=0.0, upper=1.0))
    assert 0 <= edge.lower < edge.upper <= 1
