"""Calibration finds what the logits were distorted by; limits hold on the part that they were chosen on."""

from __future__ import annotations

import numpy as np
import pytest

from convert.calibrate import (
    fit_calibration,
    fit_temperature,
    log_loss,
    operating_point,
    probabilities,
    rejection_limit,
    uncertain_band,
)
from convert.metrics import MALIGNANT, Floats, once
from convert.reliability import calibration_error
from device.imaging.preprocess import Window
from device.inference.classifier import calibrated
from device.inference.looks import Looks
from device.inference.manifest import Calibration
from device.inference.runtime import Outputs


def make_looks(seed: int, n: int = 4000, alone: float = 0.2) -> tuple[Floats, Floats, np.ndarray]:
    """Logits of two looks whose true log-odds are 0.4 and 0.8 of them plus a bias; labels drawn from these odds."""
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
    first, second, labels = make_looks(0)
    how = fit_calibration(first, second, labels)
    assert (how.whole, how.lesion, how.single_whole) == pytest.approx((0.4, 0.8, 0.5), abs=0.06)
    assert how.bias[1] - how.bias[2] == pytest.approx(1.0, abs=0.2)
    assert how.single_bias[0] - how.single_bias[2] == pytest.approx(2.0, abs=0.3)
    fresh_first, fresh_second, fresh = make_looks(1)
    found = probabilities(fresh_first, fresh_second, how)
    raw = probabilities(
        fresh_first, fresh_second, Calibration(whole=1, lesion=1, bias=(0, 0, 0), single_whole=1, single_bias=(0, 0, 0))
    )

    def error(p: Floats) -> float:
        return float(calibration_error(p.max(1), p.argmax(1) == fresh, once(len(fresh)))[0])

    assert error(found) < 0.03 < error(raw)
    assert log_loss(found, fresh) < log_loss(raw, fresh)
    assert np.allclose(found.sum(1), 1)


def test_calibration_is_better_than_a_temperature_and_a_temperature_better_than_nothing() -> None:
    first, second, labels = make_looks(2)
    nothing = Calibration(whole=0.5, lesion=0.5, bias=(0, 0, 0), single_whole=1, single_bias=(0, 0, 0))
    temperature = fit_temperature(first, second, labels)
    assert temperature.whole == temperature.lesion
    assert temperature.bias == (0.0, 0.0, 0.0)
    losses = [
        log_loss(probabilities(first, second, how), labels)
        for how in (fit_calibration(first, second, labels), temperature, nothing)
    ]
    assert losses[0] < losses[1] < losses[2]


def test_a_temperature_keeps_the_most_probable_class() -> None:
    first, _, labels = make_looks(3, n=500, alone=1.0)
    found = probabilities(
        first, np.full_like(first, np.nan), fit_temperature(first, np.full_like(first, np.nan), labels)
    )
    assert np.array_equal(found.argmax(1), first.argmax(1))


def test_the_device_computes_the_same_probabilities_and_json_keeps_them() -> None:
    first, second, labels = make_looks(4, n=200)
    how = Calibration.model_validate_json(fit_calibration(first, second, labels).model_dump_json())

    def outputs(logits: Floats) -> Outputs:
        cam = np.broadcast_to(logits.astype(np.float32), (7, 7, 3))
        return Outputs(cam, np.zeros((2, 2), np.float32), np.zeros(1, np.float32))

    for index, ours in enumerate(probabilities(first, second, how)[:40]):
        near = None if np.isnan(second[index]).any() else outputs(second[index])
        looks = Looks(outputs(first[index]), near, None, Window(0, 0, 1))
        assert calibrated(looks, how) == pytest.approx(ours, abs=1e-5)


def test_few_single_looks_are_held_by_all_the_first_looks() -> None:
    first, second, labels = make_looks(5, n=600, alone=0.0)
    second[:2] = np.nan
    labels[:2] = MALIGNANT
    how = fit_calibration(first, second, labels)
    assert 0.05 < how.single_whole < 0.5  # it is 0.2 to 0.3 in all first looks
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
    first, second, labels = make_looks(7, n=400)
    copies = np.r_[np.arange(400), np.arange(100)]
    weights = np.r_[np.full(100, 2.0), np.ones(300)]
    weighted = fit_calibration(first, second, labels, weights, ridge=0.0, tie=0.0)
    copied = fit_calibration(first[copies], second[copies], labels[copies], ridge=0.0, tie=0.0)
    assert weighted.whole == pytest.approx(copied.whole, abs=1e-3)
    assert weighted.lesion == pytest.approx(copied.lesion, abs=1e-3)
    assert weighted.bias == pytest.approx(copied.bias, abs=2e-2)


def test_shapes_that_do_not_fit_are_refused() -> None:
    first, second, labels = make_looks(8, n=20)
    with pytest.raises(ValueError, match="shapes"):
        fit_calibration(first, second[:-1], labels)
    with pytest.raises(ValueError, match="shapes"):
        fit_temperature(first[:0], second[:0], labels[:0])


def test_the_operating_point_reaches_its_sensitivity_and_no_higher_threshold_does() -> None:
    generator = np.random.default_rng(9)
    labels = np.r_[np.full(40, MALIGNANT), np.zeros(60, np.int64)]
    malignant = np.clip(np.where(labels == MALIGNANT, 0.6, 0.3) + generator.normal(scale=0.2, size=100), 0.01, 0.99)
    point = operating_point(malignant, labels)
    assert point.name == "sensitivity_95"
    assert point.sensitivity == pytest.approx(38 / 40)
    assert point.specificity == pytest.approx(np.mean(malignant[40:] < point.malignant_threshold))
    higher = malignant[malignant > point.malignant_threshold]
    next_above = np.sort(higher)[np.flatnonzero(np.isin(np.sort(higher), malignant[:40]))[0]]
    assert np.mean(malignant[:40] > next_above) < 0.95
    assert operating_point(malignant, labels, 1.0).sensitivity == 1.0
    with pytest.raises(ValueError, match="malignant"):
        operating_point(malignant[:40], labels[:40])


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


def test_rejection_loses_no_more_than_allowed() -> None:
    distances = np.random.default_rng(3).gamma(4, size=333)
    limit, lost = rejection_limit(distances)
    assert np.mean(distances > limit) == pytest.approx(lost)
    assert 0.04 < lost <= 0.05
    assert rejection_limit(np.r_[distances, np.nan])[1] <= 0.05
    with pytest.raises(ValueError, match="finite"):
        rejection_limit(np.array([]))
    with pytest.raises(ValueError, match="finite"):
        rejection_limit(np.full(10, np.nan))


def test_the_rejection_limit_lies_as_far_out_as_strangers_allow() -> None:
    distances = np.random.default_rng(3).gamma(4, size=333)
    alone, lost = rejection_limit(distances)
    strangers = np.r_[np.full(1, 2 * alone), np.linspace(4 * alone, 9 * alone, 48), np.inf]
    limit, less = rejection_limit(distances, strangers)
    assert limit == pytest.approx(np.sqrt(2 * 4) * alone)  # one of 50 may pass, so between the nearest and the next
    assert less < lost
    few, _ = rejection_limit(distances, strangers[1:20])
    assert few == pytest.approx(2 * alone)  # of 19 none may pass: between the edge of what is familiar and the nearest
    # Strangers among the familiar do not cost more breast frames than allowed, and none at all change nothing.
    assert rejection_limit(distances, strangers / 8) == (alone, lost)
    assert rejection_limit(distances, np.full(5, np.inf)) == (alone, lost)
    assert rejection_limit(distances, np.zeros(0)) == (alone, lost)


def _graded(seed: int) -> tuple[Floats, np.ndarray]:
    """Probabilities that are true: each image is malignant with just the probability stated."""
    generator = np.random.default_rng(seed)
    malignant = generator.beta(0.5, 0.9, 1500)
    return malignant, np.where(generator.random(1500) < malignant, MALIGNANT, 1)
