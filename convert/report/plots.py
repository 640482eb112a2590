# SPDX-License-Identifier: Apache-2.0
"""Pictures of an evaluation: curves and tables that a reader can judge a model by, as PNG files.

Drawn without a window (Agg) and without pyplot's global state. Colours are those of Okabe and Ito, which people with
any colour vision can tell apart; curves differ in line style as well, so that a black-and-white print keeps them apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from convert.evaluate.metrics import MALIGNANT, auc, confusion_counts, decision_figures, once
from convert.evaluate.predictions import UNDECIDED, Predictions
from convert.evaluate.reliability import calibration_error, reliability_bins, risk_coverage
from device.inference.finding import CLASSES

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINES = ("-", "--", "-.", ":")
DOTS_PER_INCH = 140

FEWEST_IN_BIN = 5
"""Points of a reliability diagram from fewer images than this would show chance."""


def plot_training(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Training curves: losses on the left, accuracies on the right, the epoch of least validation loss marked.

    Args:
        history: One mapping of names to values an epoch, as ``convert.train.fit`` keeps it.
        path: The PNG file.

    Raises:
        ValueError: There is no epoch.
    """
    if not history:
        raise ValueError("a run without an epoch has no curves")
    canvas, (left, right) = _canvas(2, width=10)
    epochs = np.arange(1, len(history) + 1)
    names = [name for name in history[0] if "loss" in name or "accuracy" in name]
    for axes, kind in ((left, "loss"), (right, "accuracy")):
        for name, style in zip((n for n in names if kind in n), _styles(), strict=False):
            values = [epoch.get(name, np.nan) for epoch in history]
            axes.plot(epochs, values, label=_curve_name(name), marker="o", markersize=3, **style)
        axes.set(xlabel="epoch", ylabel=kind, title=f"{kind.capitalize()} by epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if all("val_loss" in epoch for epoch in history):
        best = int(np.argmin([epoch["val_loss"] for epoch in history])) + 1
        for axes in (left, right):
            axes.axvline(best, color="0.6", linewidth=1, zorder=0, label=f"least validation loss (epoch {best})")
    for axes in (left, right):
        _legend(axes, "best")
    _save(canvas, path)


def plot_roc(evaluations: Mapping[str, Predictions], path: Path) -> None:
    """ROC curves of malignant against the rest, one an evaluation, with what the operating point gave on each.

    Args:
        evaluations: Predictions by the name that the legend shows.
        path: The PNG file.
    """
    canvas, (axes,) = _canvas(1, width=6.4, height=5.6)
    axes.plot([0, 1], [0, 1], color="0.75", linewidth=1, zorder=0)
    for (name, predictions), style in zip(evaluations.items(), _styles(), strict=False):
        truth, score = predictions.labels == MALIGNANT, predictions.malignant
        if not truth.any() or truth.all():
            continue  # no curve without both kinds; the tables show the set all the same
        false_alarms, sensitivity, _ = roc_curve(truth, score)
        area = auc(truth, score, once(len(score)))[0]
        axes.plot(false_alarms, sensitivity, label=f"{name}: AUC {area:.3f} (n = {len(score)})", **style)
        called = predictions.suspicious
        if (predictions.decisions != UNDECIDED).all():
            _dot(axes, called[~truth].mean(), called[truth].mean(), style["color"])
    _explain_dots(axes, "operating point, chosen on other images")
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", title="Malignant against the rest", aspect="equal")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    _legend(axes, "lower right")
    _save(canvas, path)


def plot_reliability(evaluations: Mapping[str, Predictions], path: Path) -> None:
    """Reliability diagrams: what was stated against what came true, above how often it was stated.

    Left for the most probable class, right for the malignant probability itself.

    Args:
        evaluations: Predictions by the name that the legend shows.
        path: The PNG file.
    """
    canvas = Canvas(figsize=(10, 6.2), layout="constrained")
    grid = canvas.subplots(2, 2, height_ratios=(3, 1), sharex="col")
    kinds = ("confidence in the most probable class", "malignant probability")
    for column, kind in enumerate(kinds):
        upper, lower = grid[0, column], grid[1, column]
        upper.plot([0, 1], [0, 1], color="0.75", linewidth=1, zorder=0, label="perfectly calibrated")
        for (name, predictions), style in zip(evaluations.items(), _styles(), strict=False):
            label = name
            if column == 0:
                stated, true = predictions.probabilities.max(1), predictions.predicted == predictions.labels
                label = f"{name}: ECE {calibration_error(stated, true, once(len(stated)))[0]:.3f}"
            else:
                stated, true = predictions.malignant, predictions.labels == MALIGNANT
            bins = reliability_bins(stated, true)
            shown = bins.count >= FEWEST_IN_BIN
            upper.plot(bins.confidence[shown], bins.share[shown], marker="o", markersize=4, label=label, **style)
            lower.stairs(bins.count, bins.edges, color=style["color"], linestyle=style["linestyle"], linewidth=1.5)
        upper.set(ylabel=f"share that came true (bins of {FEWEST_IN_BIN} images or more)", title=kind.capitalize())
        upper.set(xlim=(0, 1), ylim=(-0.02, 1.02))
        _legend(upper, "lower right" if column else "best")
        lower.set(xlabel=kind, ylabel="images")
        for axes in (upper, lower):
            _plain(axes)
    _save(canvas, path)


def plot_risk_coverage(evaluations: Mapping[str, Predictions], path: Path) -> None:
    """Risk-coverage curves, one an evaluation, with what the uncertain band gave on each.

    Args:
        evaluations: Predictions by the name that the legend shows.
        path: The PNG file.
    """
    canvas, (axes,) = _canvas(1, width=6.8, height=4.8)
    for (name, predictions), style in zip(evaluations.items(), _styles(), strict=False):
        if not len(predictions):
            continue
        curve = risk_coverage(predictions.probabilities.max(1), predictions.predicted != predictions.labels)
        axes.plot(curve.coverage, curve.risk, label=f"{name}: AURC {curve.area:.3f}", **style)
        given = decision_figures(predictions, once(len(predictions)))
        _dot(axes, given["coverage"][0], 1 - given["accuracy_decided"][0], style["color"])
    _explain_dots(axes, "what the uncertain band gives")
    axes.set(xlabel="coverage: share of images answered", ylabel="risk: share of wrong answers among them")
    axes.set(title="What is gained by answering only the most certain images", xlim=(0, 1.02))
    axes.set_ylim(bottom=0)
    _legend(axes, "upper left")
    _save(canvas, path)


def plot_confusion(evaluations: Mapping[str, Predictions], path: Path) -> None:
    """Confusion matrices side by side: counts, and shaded by the share of the true class.

    Args:
        evaluations: Predictions by the title that each matrix gets.
        path: The PNG file.

    Raises:
        ValueError: There is no evaluation.
    """
    if not evaluations:
        raise ValueError("there is no evaluation to draw")
    columns = min(4, len(evaluations))
    rows = -(-len(evaluations) // columns)
    canvas = Canvas(figsize=(3.3 * columns + 0.6, 3.7 * rows + 0.2), layout="constrained")
    grid = canvas.subplots(rows, columns, squeeze=False).ravel()
    for axes, (name, predictions) in zip(grid, evaluations.items(), strict=False):
        counts = confusion_counts(predictions.labels, predictions.predicted, once(len(predictions)))[0]
        _draw_confusion(axes, counts, name)
    for axes in grid[len(evaluations) :]:
        axes.set_axis_off()
    _save(canvas, path)


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One picture of a contact sheet.

    Attributes:
        pixels: uint8 (h, w), grey.
        caption: A line or two under it.
        true_outline: Points of the lesion's true outline in pixels, may be empty.
        found_outline: Points of the outline that was found, may be empty.
    """

    pixels: NDArray[np.uint8]
    caption: str
    true_outline: Sequence[tuple[float, float]] = ()
    found_outline: Sequence[tuple[float, float]] = ()


def plot_contact_sheet(tiles: Sequence[Tile], path: Path, title: str, columns: int = 6) -> None:
    """A sheet of pictures, for instance of the worst failures. It shows data: it is made at run time and not shared.

    Args:
        tiles: The pictures, most telling first.
        path: The PNG file.
        title: Above all of them.
        columns: Pictures in a row.

    Raises:
        ValueError: There is no picture.
    """
    if not tiles:
        raise ValueError("there is no picture to show")
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    tallest = max(tile.pixels.shape[0] / tile.pixels.shape[1] for tile in tiles)
    canvas = Canvas(figsize=(2.3 * columns, (2.3 * tallest + 0.4) * rows + 0.5), layout="constrained")
    grid = canvas.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, tile in zip(grid, tiles, strict=False):
        axes.imshow(tile.pixels, cmap="gray", vmin=0, vmax=255)
        for outline, colour, line in ((tile.true_outline, COLOURS[4], "-"), (tile.found_outline, COLOURS[5], "--")):
            if outline:
                x, y = zip(*outline, outline[0], strict=True)
                axes.plot(x, y, color=colour, linestyle=line, linewidth=1.2)
        axes.text(0.5, -0.03, tile.caption, fontsize=7, ha="center", va="top", transform=axes.transAxes)
    outlined = any(tile.true_outline or tile.found_outline for tile in tiles)
    canvas.suptitle(
        f"{title}\noutlines: true (orange, solid), found (blue, dashed)" if outlined else title, fontsize=10
    )
    _save(canvas, path)


def _draw_confusion(axes: Axes, counts: NDArray[np.float64], title: str) -> None:
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(counts.shape):
        dark = shares[row, column] > 0.55
        share = f"{shares[row, column]:.0%}" if counts[row].sum() else "-"
        text = f"{counts[row, column]:.0f}\n{share}"
        axes.text(column, row, text, ha="center", va="center", fontsize=9, color="white" if dark else "black")
    axes.set(xticks=range(len(CLASSES)), yticks=range(len(CLASSES)), xlabel="predicted", ylabel="true", title=title)
    axes.set_xticklabels(CLASSES, fontsize=8)
    axes.set_yticklabels(CLASSES, fontsize=8, rotation=90, va="center")
    axes.title.set_fontsize(10)


def _curve_name(name: str) -> str:
    if name.startswith("val_"):
        return f"validation {name.removeprefix('val_').replace('_', ' ')}"
    return f"training {name.replace('_', ' ')}"


def _dot(axes: Axes, x: float, y: float, colour: str) -> None:
    """A mark on a curve, left out where it is unknown."""
    if np.isfinite([x, y]).all():
        axes.plot(x, y, "o", color=colour, markersize=8, markeredgecolor="black", gid="dot")


def _explain_dots(axes: Axes, meaning: str) -> None:
    """A legend entry for the dots that lie on several curves in their colours."""
    if axes.findobj(lambda artist: artist.get_gid() == "dot"):
        axes.plot([], [], "o", color="white", markersize=8, markeredgecolor="black", label=meaning)


def _legend(axes: Axes, place: Literal["best", "lower right", "upper left"]) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8, loc=place)


def _styles() -> Any:
    """Endless colours and line styles, told apart by both."""
    return ({"color": c, "linestyle": s, "linewidth": 1.8} for c, s in zip(cycle(COLOURS), cycle(LINES), strict=False))


def _canvas(columns: int, width: float, height: float = 4.2) -> tuple[Canvas, list[Axes]]:
    canvas = Canvas(figsize=(width, height), layout="constrained")
    every = list(canvas.subplots(1, columns, squeeze=False).ravel())
    for axes in every:
        _plain(axes)
    return canvas, every


def _plain(axes: Axes) -> None:
    axes.grid(color="0.92", zorder=0)
    axes.spines[["top", "right"]].set_visible(False)


def _save(canvas: Canvas, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.savefig(path, dpi=DOTS_PER_INCH)
