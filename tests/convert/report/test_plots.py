# SPDX-License-Identifier: Apache-2.0
"""What a reader must find in a plot: the curves, what they are called, and the figures beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure as Canvas
from matplotlib.text import Text

import convert.report.plots as plots
from convert.evaluate.metrics import apply_thresholds
from convert.evaluate.predictions import Predictions
from device.inference.manifest import Abstention
from tests.convert.made_up import make_predictions

Texts = Callable[[], set[str]]


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> Texts:
    """Every text of the last saved plot; the plot is written to its file all the same."""
    saved: list[Canvas] = []
    save = plots._save

    def keep(canvas: Canvas, path: Path) -> None:
        saved.append(canvas)
        save(canvas, path)

    monkeypatch.setattr(plots, "_save", keep)
    return lambda: {text.get_text() for text in saved[-1].findobj(Text)}


@pytest.fixture(scope="module")
def evaluations() -> dict[str, Predictions]:
    predictions = apply_thresholds(make_predictions(1), 0.25, Abstention(lower=0.2, upper=0.5))
    return {"BUSI": predictions, "benign only": predictions.where(predictions.labels == 1)}


def picture(path: Path) -> np.ndarray:
    pixels = cv2.imread(str(path))
    assert pixels is not None
    return pixels


def holds_colour(pixels: np.ndarray, colour: str) -> bool:
    wanted = [int(colour[i : i + 2], 16) for i in (5, 3, 1)]
    return bool((np.abs(pixels.astype(int) - wanted).max(axis=2) <= 4).sum() > 30)


def test_training_curves_mark_the_epoch_that_was_kept(tmp_path: Path, texts: Texts) -> None:
    history = [{"loss": 2.0 - 0.1 * e, "val_loss": abs(e - 3) + 0.5, "val_accuracy": 0.1 * e} for e in range(6)]
    plots.plot_training(history, tmp_path / "new" / "training.png")
    assert {"training loss", "validation loss", "validation accuracy"} <= texts()
    assert "least validation loss (epoch 4)" in texts()
    pixels = picture(tmp_path / "new" / "training.png")
    assert holds_colour(pixels, plots.COLOURS[0])
    assert holds_colour(pixels, plots.COLOURS[1])
    with pytest.raises(ValueError, match="epoch"):
        plots.plot_training([], tmp_path / "none.png")


def test_roc_shows_area_and_operating_point_and_leaves_out_what_has_no_curve(
    tmp_path: Path, texts: Texts, evaluations: dict[str, Predictions]
) -> None:
    plots.plot_roc(evaluations, tmp_path / "roc.png")
    assert "operating point, chosen on other images" in texts()
    assert any(text.startswith("BUSI: AUC 0.") and "(n = 300)" in text for text in texts())
    assert not any("benign only" in text for text in texts())
    assert holds_colour(picture(tmp_path / "roc.png"), plots.COLOURS[0])


def test_reliability_names_the_calibration_error(
    tmp_path: Path, texts: Texts, evaluations: dict[str, Predictions]
) -> None:
    plots.plot_reliability(evaluations, tmp_path / "reliability.png")
    assert any(text.startswith("BUSI: ECE 0.") for text in texts())
    pixels = picture(tmp_path / "reliability.png")
    assert holds_colour(pixels, plots.COLOURS[0])
    assert holds_colour(pixels, plots.COLOURS[1])


def test_risk_coverage_names_its_area_and_the_band(
    tmp_path: Path, texts: Texts, evaluations: dict[str, Predictions]
) -> None:
    plots.plot_risk_coverage(evaluations, tmp_path / "risk.png")
    assert "what the uncertain band gives" in texts()
    assert sum("AURC" in text for text in texts()) == 2
    nothing = evaluations["BUSI"].where(np.zeros(300, bool))
    plots.plot_risk_coverage({"empty": nothing}, tmp_path / "empty.png")
    assert not any("AURC" in text or "uncertain" in text for text in texts())


def test_confusion_matrices_show_counts_and_shares(
    tmp_path: Path, texts: Texts, evaluations: dict[str, Predictions]
) -> None:
    plots.plot_confusion(evaluations, tmp_path / "confusion.png")
    only = evaluations["benign only"]
    hit = int((only.predicted == 1).sum())
    assert f"{hit}\n{hit / len(only):.0%}" in texts()
    assert "0\n-" in texts()  # no normal image in this one, so there is no share
    with pytest.raises(ValueError, match="no evaluation"):
        plots.plot_confusion({}, tmp_path / "none.png")


def test_contact_sheet_shows_every_picture_with_caption_and_outlines(tmp_path: Path, texts: Texts) -> None:
    grey = np.full((60, 90), 128, np.uint8)
    outline = [(10.0, 10.0), (60.0, 12.0), (50.0, 50.0)]
    shifted = [(x + 12, y + 5) for x, y in outline]
    tiles = [plots.Tile(grey, f"image {i}\ncalled benign", outline, shifted) for i in range(5)]
    plots.plot_contact_sheet(tiles, tmp_path / "sheet.png", "Missed", columns=3)
    assert {f"image {i}\ncalled benign" for i in range(5)} <= texts()
    assert any(text.startswith("Missed\noutlines") for text in texts())
    pixels = picture(tmp_path / "sheet.png")
    assert holds_colour(pixels, plots.COLOURS[4])
    assert holds_colour(pixels, plots.COLOURS[5])
    with pytest.raises(ValueError, match="no picture"):
        plots.plot_contact_sheet([], tmp_path / "none.png", "Nothing")
