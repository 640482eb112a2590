"""Which images the model got most confidently wrong, for a contact sheet made at run time.

The sheet shows real images: it is written where the user says and never becomes part of the project.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convert.plots import Tile, plot_contact_sheet
from convert.predictions import UNCERTAIN, UNDECIDED, Predictions
from device.inference.finding import CLASSES

TileMaker = Callable[[str, str], Tile]
"""From the key of an image and a caption to its tile."""


def worst_failures(predictions: Predictions, count: int) -> NDArray[np.int64]:
    """Positions of the wrong answers, the one with the least probability for the true class first.

    Where decisions were applied, an image counts as wrong if it was answered with another class than its own: being
    called uncertain or not evaluable is no failure.

    Args:
        predictions: n images.
        count: At most so many.

    Returns:
        int64 (k,), k at most ``count``.
    """
    answer = np.where(predictions.words == UNDECIDED, predictions.predicted, predictions.words)
    wrong = np.flatnonzero((answer != predictions.labels) & (answer < UNCERTAIN))
    true_class = predictions.probabilities[wrong, predictions.labels[wrong]]
    return np.asarray(wrong[np.argsort(true_class, kind="stable")][:count], np.int64)


def failure_sheet(predictions: Predictions, tile: TileMaker, path: Path, count: int = 24) -> int:
    """Draw the worst failures.

    Args:
        predictions: n images.
        tile: Makes the tile of an image, with outlines if there are any.
        path: The PNG file.
        count: At most so many.

    Returns:
        How many were drawn; nothing is written where nothing failed.
    """
    worst = worst_failures(predictions, count)
    if len(worst):
        tiles = [tile(str(predictions.keys[i]), _caption(predictions, int(i))) for i in worst]
        plot_contact_sheet(tiles, path, "Most confident mistakes")
    return len(worst)


def _caption(predictions: Predictions, index: int) -> str:
    stated = ", ".join(f"{name[0]} {p:.2f}" for name, p in zip(CLASSES, predictions.probabilities[index], strict=True))
    return f"{predictions.keys[index]}\ntrue: {CLASSES[predictions.labels[index]]}; said: {stated}"
