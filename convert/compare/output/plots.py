# SPDX-License-Identifier: Apache-2.0
"""The plots of a comparison: accuracy against time and size, ROC curves on top of each other, confusion matrices."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure as Canvas
from PIL import Image
from sklearn.metrics import roc_curve

from convert.compare.output.rows import Row
from convert.compare.output.table import block_title, headings, marked
from convert.evaluate.metrics import MALIGNANT, confusion_counts, once
from convert.recipes.recipe import OwnRecipe
from convert.report.plots import COLOURS, DOTS_PER_INCH, LINES
from device.inference.finding import CLASSES

_MARKS = "osD^vPX*<>hp"


def draw_plots(rows: Sequence[Row], folder: Path) -> dict[str, str]:
    """Draw all plots.

    Returns:
        File names by caption.
    """
    drawn: dict[str, str] = {}
    names = [name for name in headings(rows) if any(_classifies(row, name) for row in rows)]
    if not names:
        return drawn
    main = "grouped" if "grouped" in names else names[0]
    for axis, label in (("int8_ratio", "time of a pass / ours (int8)"), ("int8_mb", "size of the int8 file (MB)")):
        what = "latency" if axis == "int8_ratio" else "size"
        caption = f"Accuracy against {what}, {block_title(main)}"
        drawn[caption] = f"accuracy-{what}.png"
        _against_cost(rows, main, axis, label, caption, folder / drawn[caption])
    for name in names:
        caption = f"ROC curves, malignant against the rest, {block_title(name)}"
        drawn[caption] = f"roc-{name.replace(' ', '-')}.png"
        _roc(rows, name, caption, folder / drawn[caption])
        caption = f"Confusion matrices, {block_title(name)}"
        drawn[caption] = f"confusion-{name.replace(' ', '-')}.png"
        _confusion(rows, name, caption, folder / drawn[caption])
    return drawn


def _numbered(rows: Sequence[Row], name: str) -> list[tuple[int, Row]]:
    """Rows of a division with their places among all rows: a recipe looks the same in every plot."""
    return [(number, row) for number, row in enumerate(rows) if _classifies(row, name)]


def _classifies(row: Row, name: str) -> bool:
    return name in row.blocks and row.blocks[name].predictions is not None


def _against_cost(rows: Sequence[Row], name: str, axis: str, label: str, caption: str, path: Path) -> None:
    canvas = Canvas(figsize=(9, 5.6), layout="constrained")
    axes = canvas.subplots()
    shown: list[float] = []
    for number, row in _numbered(rows, name):
        cost, found = getattr(row.cost, axis), row.blocks[name].figures["accuracy"]
        if cost is None:
            continue
        shown.append(cost)
        spread = None if math.isnan(found.low) else [[found.value - found.low], [found.high - found.value]]
        axes.errorbar(
            cost, found.value, yerr=spread, fmt=_MARKS[number % len(_MARKS)], color=_colour(number), markersize=8,
            capsize=3, elinewidth=1, label=marked(row), zorder=3 if isinstance(row.recipe, OwnRecipe) else 2,
        )  # fmt: skip
    # A logarithm's marks crowd where all rows lie within one power of ten.
    if shown and max(shown) > 10 * min(shown):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    axes.set(xlabel=label, ylabel="accuracy of three classes", title=caption)
    axes.grid(alpha=0.25)
    # Marks alone: bars in a legend look like the bars of a point.
    points, labels = axes.get_legend_handles_labels()
    _legend(canvas, [(cast(ErrorbarContainer, each)[0], label) for each, label in zip(points, labels, strict=True)])
    _save(canvas, path)


def _roc(rows: Sequence[Row], name: str, caption: str, path: Path) -> None:
    canvas = Canvas(figsize=(9.4, 5.8), layout="constrained")
    axes = canvas.subplots()
    axes.plot([0, 1], [0, 1], color="0.75", linewidth=1, zorder=0)
    drawn: list[tuple[float, Any, str]] = []
    for number, row in _numbered(rows, name):
        block = row.blocks[name]
        assert block.predictions is not None  # noqa: S101 - chosen so above; this tells the type checker
        truth = block.predictions.labels == MALIGNANT
        if not truth.any() or truth.all():
            continue
        alarms, sensitivity, _ = roc_curve(truth, block.predictions.malignant)
        own = isinstance(row.recipe, OwnRecipe)
        (curve,) = axes.plot(
            alarms, sensitivity, color=_colour(number), linestyle=LINES[number % len(LINES)],
            linewidth=2.6 if own else 1.3, zorder=3 if own else 2,
        )  # fmt: skip
        area = block.figures["auc_malignant_vs_rest"].value
        drawn.append((area, curve, f"{area:.2f}  {marked(row)}"))
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", aspect="equal")
    canvas.suptitle(caption)
    # In the order of the areas, so that a curve is found where it runs.
    _legend(canvas, [(curve, label) for _, curve, label in sorted(drawn, key=lambda each: -each[0])])
    _save(canvas, path)


def _confusion(rows: Sequence[Row], name: str, caption: str, path: Path) -> None:
    shown = [row for row in rows if _classifies(row, name)]
    columns = min(5, max(3, len(shown)))
    lines = math.ceil(len(shown) / columns)
    canvas = Canvas(figsize=(2.5 * columns + 1.0, 2.8 * lines + 1.0), layout="constrained")
    grid = canvas.subplots(lines, columns, squeeze=False)
    for number, axes in enumerate(grid.ravel()):
        if number >= len(shown):
            axes.set_axis_off()
            continue
        predictions = shown[number].blocks[name].predictions
        assert predictions is not None  # noqa: S101 - chosen so above; this tells the type checker
        counts = confusion_counts(predictions.labels, predictions.predicted, once(len(predictions)))[0]
        shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for y in range(len(CLASSES)):
            for x in range(len(CLASSES)):
                ink = "white" if shares[y, x] > 0.55 else "black"
                axes.text(x, y, f"{counts[y, x]:.0f}", ha="center", va="center", color=ink, fontsize=10)
        axes.set_title(marked(shown[number]), fontsize=10)
        letters = [label[0] for label in CLASSES]
        axes.set_xticks(range(len(CLASSES)), letters)
        axes.set_yticks(range(len(CLASSES)), letters)
    canvas.suptitle(f"{caption}\n(rows actual, columns said: n normal, b benign, m malignant)", fontsize=11)
    _save(canvas, path)


def _legend(canvas: Canvas, entries: Sequence[tuple[Any, str]]) -> None:
    """Beside the axes, which leave it the room that it needs."""
    if entries:
        handles, labels = zip(*entries, strict=True)
        canvas.legend(handles, labels, loc="outside right center", fontsize=9, frameon=False, handlelength=3)


def _save(canvas: Canvas, path: Path) -> None:
    """With few colours: lines and areas lose nothing, and a document that shows a dozen plots stays small."""
    content = io.BytesIO()
    canvas.savefig(content, dpi=DOTS_PER_INCH, format="png")
    picture = Image.open(content).convert("RGB").quantize(128)
    picture.save(path, format="PNG", optimize=True)


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]
