# SPDX-License-Identifier: Apache-2.0
"""The contact sheet shows what failed, worst first, and nothing that did not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from convert.evaluate.metrics import apply_thresholds
from convert.report.failures import failure_sheet, worst_failures
from convert.report.plots import Tile
from device.inference.manifest import Abstention
from tests.convert.made_up import make_predictions


def test_the_most_confident_mistake_comes_first() -> None:
    predictions = make_predictions(1)
    worst = worst_failures(predictions, 10)
    assert (predictions.predicted[worst] != predictions.labels[worst]).all()
    given = predictions.probabilities[np.arange(len(predictions)), predictions.labels]
    assert given[worst[0]] == given.min()
    assert (np.diff(given[worst]) >= 0).all()
    assert len(worst) == 10


def test_silence_is_no_failure() -> None:
    predictions = apply_thresholds(make_predictions(2), 0.2, Abstention(lower=0.1, upper=0.9))
    silent = predictions.decisions > 2
    assert silent.any()
    assert not silent[worst_failures(predictions, 1000)].any()
    assert len(worst_failures(predictions, 1000)) < (predictions.predicted != predictions.labels).sum()


def test_the_sheet_asks_for_the_failed_images_only(tmp_path: Path) -> None:
    predictions = make_predictions(3)
    asked: list[tuple[str, str]] = []

    def tile(key: str, caption: str) -> Tile:
        asked.append((key, caption))
        return Tile(np.full((40, 60), 90, np.uint8), caption)

    assert failure_sheet(predictions, tile, tmp_path / "sheet.png", 6) == 6
    assert [key for key, _ in asked] == [str(predictions.keys[i]) for i in worst_failures(predictions, 6)]
    assert all("true: " in caption and key in caption for key, caption in asked)
    assert cv2.imread(str(tmp_path / "sheet.png")) is not None
    perfect = replace(predictions, probabilities=np.eye(3)[predictions.labels])
    assert failure_sheet(perfect, tile, tmp_path / "none.png") == 0
    assert not (tmp_path / "none.png").exists()
