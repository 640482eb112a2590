# SPDX-License-Identifier: Apache-2.0
"""Intervals: as wide as a plain resampling loop makes them, wider where images of a group repeat each other."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from convert.evaluate.intervals import Estimate, difference, draw_weights, figures, over_folds
from tests.convert.made_up import make_predictions


def test_whole_groups_are_drawn() -> None:
    groups = np.array(["a", "b", "a", "c", "b", "a"])
    weights = draw_weights(groups, draws=50)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 1] == weights[:, 4]).all()
    assert (weights[:, [0, 1, 3]].sum(1) == 3).all()
    assert np.array_equal(weights, draw_weights(groups, draws=50))
    assert not np.array_equal(weights, draw_weights(groups, draws=50, seed=1))


def test_interval_of_the_area_agrees_with_a_plain_loop() -> None:
    predictions = make_predictions(5, n=200)
    ours = figures(predictions)["auc_malignant_vs_rest"]
    generator = np.random.default_rng(9)
    names = np.unique(predictions.groups)
    members = {name: np.flatnonzero(predictions.groups == name) for name in names}
    loop = []
    for _ in range(400):
        index = np.concatenate([members[name] for name in generator.choice(names, len(names))])
        loop.append(roc_auc_score(predictions.labels[index] == 2, predictions.malignant[index]))
    low, high = np.percentile(loop, [2.5, 97.5])
    assert ours.value == pytest.approx(roc_auc_score(predictions.labels == 2, predictions.malignant))
    assert ours.low == pytest.approx(low, abs=0.012)
    assert ours.high == pytest.approx(high, abs=0.012)


def test_copies_do_not_narrow_the_interval() -> None:
    once = make_predictions(6, n=100, views=1)
    copied = once.where(np.repeat(np.arange(100), 4))
    copied = replace(copied, keys=np.char.add(copied.keys, np.tile(list("abcd"), 100)))
    honest, plain = figures(copied)["accuracy"], figures(once)["accuracy"]
    fooled = figures(replace(copied, groups=copied.keys))["accuracy"]
    assert honest == pytest.approx(plain)
    assert fooled.high - fooled.low < 0.7 * (honest.high - honest.low)


def test_unknown_figures_are_null_in_json() -> None:
    benign_only = make_predictions(7).where(make_predictions(7).labels == 1)
    found = figures(benign_only, draws=50)
    assert found["auc_malignant_vs_rest"].to_json() == {"value": None, "low": None, "high": None}
    json.dumps({name: figure.to_json() for name, figure in found.items()}, allow_nan=False)


def test_mean_and_deviation_over_folds() -> None:
    predictions = make_predictions(8)
    each = [
        np.mean(part.predicted == part.labels)
        for part in (predictions.where(predictions.folds == fold) for fold in range(5))
    ]
    spread = over_folds(predictions)["accuracy"]
    assert (spread.mean, spread.sd, spread.folds) == pytest.approx((np.mean(each), np.std(each, ddof=1), 5))
    assert over_folds(replace(predictions, folds=np.full(len(predictions), -1))) == {}


def test_the_interval_of_a_calibration_error_contains_it() -> None:
    for seed in range(5):
        found = figures(make_predictions(seed, n=120), draws=300)
        for name in ("ece", "ece_malignant"):
            assert 0 <= found[name].low < found[name].value < found[name].high


def test_a_difference_is_paired() -> None:
    one = make_predictions(10, n=200)
    nearly = replace(one, probabilities=0.999 * one.probabilities + 0.001 / 3)
    same = difference(one, nearly, "auc_malignant_vs_rest")
    assert same == Estimate(0.0, 0.0, 0.0)
    worse = replace(one, probabilities=make_predictions(11, n=200, strength=0.0).probabilities)
    lost = difference(one, worse, "auc_malignant_vs_rest")
    assert lost.low > 0.1
    with pytest.raises(ValueError, match="same images"):
        difference(one, make_predictions(10, n=100), "accuracy")
    with pytest.raises(ValueError, match="none of the figures"):
        difference(one, one, "luck")
