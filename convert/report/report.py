# SPDX-License-Identifier: Apache-2.0
"""The evaluation as one JSON document, a Markdown page and plots: int8 and float side by side, nothing left out.

``evaluate`` makes the document from predictions; everything that prints figures afterwards (the page, the model card,
the table of targets, the manifest's figures) reads that document and nothing else, so no number is typed by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from convert.evaluate.agreement import agreement
from convert.evaluate.evaluation import Evaluation, EvaluationInputs
from convert.evaluate.intervals import DRAWS, Estimate, figures, over_folds
from convert.evaluate.metrics import confusion_counts, once
from convert.evaluate.predictions import Predictions
from convert.evaluate.reliability import risk_coverage
from convert.report import plots
from convert.report.markdown import set_name
from convert.report.page import to_markdown
from device.inference.finding import CLASSES

REPORT_VERSION = 1

COVERAGES = tuple(round(0.3 + 0.05 * step, 2) for step in range(15))
"""Coverages from 30 % to 100 % at which the risk-coverage curve is written down."""


def evaluate(inputs: EvaluationInputs, draws: int = DRAWS) -> dict[str, Any]:
    """All figures.

    Args:
        inputs: What was measured.
        draws: Bootstrap draws behind each interval.

    Returns:
        Nested mappings of plain JSON values: ``folds``, ``held_out`` and ``left_out.<name>`` each hold ``title``,
        ``int8``, ``float`` (both with ``all``, ``sets``, ``scanners``, ``over_folds``) and ``agreement``; beside them
        ``rejection``, ``shortcuts``, ``cost`` and ``interval``. Figures are ``{"value", "low", "high"}``.
    """
    return {
        "report_version": REPORT_VERSION,
        "interval": {"level": 0.95, "method": "percentile bootstrap over groups", "draws": draws},
        "folds": None if inputs.folds is None else _evaluation(inputs.folds, draws),
        "held_out": None if inputs.held_out is None else _evaluation(inputs.held_out, draws),
        "left_out": {name: _evaluation(each, draws) for name, each in inputs.left_out.items()},
        "rejection": _plain(inputs.ood_detection),
        "sources": {name: _plain(shares) for name, shares in inputs.sources.items()},
        "shortcuts": _plain(inputs.shortcuts),
        "cost": {name: round(float(value), 4) for name, value in inputs.cost.items()},
    }


def write_report(inputs: EvaluationInputs, folder: Path, draws: int = DRAWS) -> dict[str, Any]:
    """Write ``evaluation.json``, ``evaluation.md`` and the plots that it shows.

    Args:
        inputs: What was measured.
        folder: Where to; made if it does not exist.
        draws: Bootstrap draws behind each interval.

    Returns:
        The document, as ``evaluate`` gives it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    report = evaluate(inputs, draws)
    drawn = draw_plots(inputs, folder)
    (folder / "evaluation.json").write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    (folder / "evaluation.md").write_text(to_markdown(report, drawn), encoding="utf-8")
    return report


def draw_plots(inputs: EvaluationInputs, folder: Path) -> dict[str, str]:
    """Draw ROC, reliability, risk-coverage and confusion plots of the int8 network; file names by their captions."""
    curves = _curves(inputs)
    if not curves:
        return {}
    drawn = {}
    for name, caption, draw in (
        ("roc.png", "ROC of malignant against the rest", plots.plot_roc),
        ("reliability.png", "Reliability of the stated probabilities", plots.plot_reliability),
        ("risk_coverage.png", "Risk against coverage", plots.plot_risk_coverage),
        ("confusion.png", "Confusion matrices", plots.plot_confusion),
    ):
        draw(curves, folder / name)
        drawn[caption] = name
    return drawn


def summary(report: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that belong into a manifest: the headline ones of every evaluation, without matrices and curves."""

    def section(evaluation: Mapping[str, Any] | None) -> dict[str, Any] | None:
        if evaluation is None:
            return None
        rows = {"all": evaluation["int8"]["all"], **evaluation["int8"]["sets"]}
        return {
            "title": evaluation["title"],
            "int8": {name: _headline(row) for name, row in rows.items()},
            "agreement": evaluation["agreement"],
        }

    return {
        "interval": report["interval"],
        "folds": section(report["folds"]),
        "held_out": section(report["held_out"]),
        "left_out": {name: section(each) for name, each in report["left_out"].items()},
        "rejection": report["rejection"],
        "sources": report["sources"],
        "shortcuts": report["shortcuts"],
        "cost": report["cost"],
    }


HEADLINES = (
    "auc_malignant_vs_rest",
    "auc_benign_vs_malignant",
    "accuracy",
    "balanced_accuracy",
    "sensitivity_malignant",
    "specificity_malignant",
    "benign_called_normal",
    "sensitivity_at_threshold",
    "specificity_at_threshold",
    "coverage",
    "accuracy_decided",
    "ece",
    "dice",
)
"""Figures that a manifest carries."""


def _headline(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"images": row["images"], **{name: row["figures"][name] for name in HEADLINES}}


def _evaluation(evaluation: Evaluation, draws: int) -> dict[str, Any]:
    original = evaluation.original
    return {
        "title": evaluation.title,
        "int8": _sections(evaluation.int8, draws),
        "float": None if original is None else _sections(original, draws),
        "agreement": None if original is None else _plain(agreement(original, evaluation.int8)),
    }


def _sections(predictions: Predictions, draws: int) -> dict[str, Any]:
    spread = over_folds(predictions)
    return {
        "all": _row(predictions, draws),
        "sets": _by(predictions, predictions.sets, draws),
        "scanners": _by(predictions, predictions.scanners, draws),
        "over_folds": {name: value.to_json() for name, value in spread.items()},
        "risk_coverage": _curve(predictions),
    }


def _by(predictions: Predictions, names: np.ndarray[Any, np.dtype[np.str_]], draws: int) -> dict[str, Any]:
    return {str(name): _row(predictions.where(names == name), draws) for name in np.unique(names)}


def _row(predictions: Predictions, draws: int) -> dict[str, Any]:
    matrix = confusion_counts(predictions.labels, predictions.predicted, once(len(predictions)))[0]
    return {
        "images": len(predictions),
        "groups": len(np.unique(predictions.groups)),
        "labels": {name: int((predictions.labels == index).sum()) for index, name in enumerate(CLASSES)},
        "figures": _plain(figures(predictions, draws=draws)),
        "over_folds": {name: value.to_json() for name, value in over_folds(predictions).items()},
        "confusion": matrix.astype(int).tolist(),
    }


def _curve(predictions: Predictions) -> dict[str, list[float]]:
    """The risk-coverage curve at ``COVERAGES``."""
    wrong = predictions.predicted != predictions.labels
    curve = risk_coverage(predictions.probabilities.max(1), wrong)
    if not len(curve.coverage):
        return {"coverage": [], "risk": []}
    at = np.minimum(np.searchsorted(curve.coverage, np.array(COVERAGES) - 1e-9), len(curve.coverage) - 1)
    return {"coverage": list(COVERAGES), "risk": [round(float(value), 4) for value in curve.risk[at]]}


def _curves(inputs: EvaluationInputs) -> dict[str, Predictions]:
    """What the plots show: each data set in the folds (or the held-out part), and whatever was left out."""
    base = inputs.folds or inputs.held_out
    curves = {}
    if base is not None:
        for name in np.unique(base.int8.sets):
            curves[f"{set_name(str(name))}, {base.title}"] = base.int8.where(base.int8.sets == name)
    return curves | {each.title: each.int8 for each in inputs.left_out.values()}


def _plain(found: Mapping[str, Estimate]) -> dict[str, dict[str, float | None]]:
    return {name: figure.to_json() for name, figure in found.items()}
