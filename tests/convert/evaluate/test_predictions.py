# SPDX-License-Identifier: Apache-2.0
"""Predictions refuse what would give a wrong figure in silence, and come back from a file as they were."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from convert.evaluate.metrics import apply_thresholds
from convert.evaluate.predictions import Predictions, joined
from device.inference.manifest import Abstention
from tests.convert.made_up import make_predictions


def test_saved_predictions_come_back_the_same(tmp_path: Path) -> None:
    before = apply_thresholds(make_predictions(1, n=40), 0.3, Abstention(lower=0.2, upper=0.6))
    before.save(tmp_path / "fold.npz")
    after = Predictions.load(tmp_path / "fold.npz")
    for field in fields(Predictions):
        assert np.array_equal(getattr(before, field.name), getattr(after, field.name), equal_nan=field.name == "dice")


def test_rows_that_are_no_probabilities_are_refused() -> None:
    good = make_predictions(1, n=10)
    with pytest.raises(ValueError, match="summing to 1"):
        replace(good, probabilities=good.probabilities * 2)
    with pytest.raises(ValueError, match="summing to 1"):
        replace(good, probabilities=good.probabilities * np.nan)
    with pytest.raises(ValueError, match="indices"):
        replace(good, labels=good.labels + 3)
    with pytest.raises(ValueError, match="groups has the shape"):
        replace(good, groups=good.groups[:-1])


def test_folds_join_and_an_image_tested_twice_is_found() -> None:
    whole = make_predictions(2, n=60)
    parts = [whole.where(whole.folds == fold) for fold in range(5)]
    assert sorted(joined(parts).keys) == sorted(whole.keys)
    assert sum(len(part) for part in parts) == len(whole)
    with pytest.raises(ValueError, match="twice"):
        joined([parts[0], parts[0]])
    with pytest.raises(ValueError, match="no predictions"):
        joined([])
