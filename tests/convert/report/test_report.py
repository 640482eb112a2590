# SPDX-License-Identifier: Apache-2.0
"""The evaluation document: every number on the page is in it, and is what the formulas give."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from convert.evaluate.agreement import ood_detection
from convert.evaluate.evaluation import Evaluation, EvaluationInputs
from convert.evaluate.intervals import Estimate
from convert.evaluate.metrics import apply_thresholds
from convert.evaluate.predictions import Predictions
from convert.report.page import to_markdown
from convert.report.report import evaluate, summary, write_report
from device.inference.manifest import Abstention
from tests.convert.made_up import make_evidence, make_predictions


@pytest.fixture(scope="module")
def inputs() -> EvaluationInputs:
    return make_evidence()


@pytest.fixture(scope="module")
def report(inputs: EvaluationInputs) -> dict[str, Any]:
    return evaluate(inputs, draws=60)


def test_the_document_is_plain_json(report: dict[str, Any]) -> None:
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_rows_by_set_and_scanner_are_those_of_their_images(inputs: EvaluationInputs, report: dict[str, Any]) -> None:
    assert inputs.folds is not None
    predictions = inputs.folds.int8
    sections = report["folds"]["int8"]
    assert set(sections["sets"]) == {"busi", "busbra"}
    assert set(sections["scanners"]) == {"busi", "Logiq 5", "Logiq 7"}
    chosen = predictions.where(predictions.scanners == "Logiq 7")
    row = sections["scanners"]["Logiq 7"]
    assert row["images"] == len(chosen)
    assert row["groups"] == len(set(chosen.groups))
    assert row["figures"]["accuracy"]["value"] == pytest.approx(np.mean(chosen.predicted == chosen.labels), abs=1e-6)
    assert np.sum(row["confusion"]) == len(chosen)
    assert row["confusion"][2][1] == int(((chosen.labels == 2) & (chosen.predicted == 1)).sum())
    assert sections["sets"]["busbra"]["figures"]["sensitivity_normal"]["value"] is None
    assert sections["over_folds"]["accuracy"]["folds"] == 5
    assert sections["sets"]["busi"]["over_folds"]["auc_malignant_vs_rest"]["folds"] == 5


def test_int8_and_float_stand_beside_each_other(report: dict[str, Any]) -> None:
    int8, original = (report["folds"][network]["all"]["figures"] for network in ("int8", "float"))
    assert int8["auc_malignant_vs_rest"] != original["auc_malignant_vs_rest"]
    lost = original["auc_malignant_vs_rest"]["value"] - int8["auc_malignant_vs_rest"]["value"]
    assert report["folds"]["agreement"]["auc_lost"]["value"] == pytest.approx(lost, abs=3e-6)
    assert report["left_out"]["uclm"]["float"] is None
    assert report["left_out"]["uclm"]["agreement"] is None


def test_the_risk_coverage_curve_is_published(inputs: EvaluationInputs, report: dict[str, Any]) -> None:
    assert inputs.folds is not None
    predictions = inputs.folds.int8
    curve = report["folds"]["int8"]["risk_coverage"]
    assert curve["coverage"][0] == 0.3
    assert curve["coverage"][-1] == 1.0
    assert curve["risk"][-1] == pytest.approx(np.mean(predictions.predicted != predictions.labels), abs=1e-4)
    assert curve["risk"][0] < curve["risk"][-1]


def test_the_page_shows_what_the_document_holds(report: dict[str, Any]) -> None:
    page = to_markdown(report, {"ROC": "roc.png"})
    figure = report["folds"]["int8"]["sets"]["busi"]["figures"]["auc_malignant_vs_rest"]
    shown = f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"
    row = next(line for line in page.splitlines() if line.startswith("| BUSI | int8 |"))
    assert shown in row
    assert "| scanner Logiq 7 | float |" in page
    assert "BUS-UCLM left out" in page
    assert "breast lost" in page
    assert "text masked" in page
    assert "![ROC](roc.png)" in page
    assert not re.search(r"\bnan\b", page, re.IGNORECASE)


def test_files_are_written_and_plots_can_be_opened(inputs: EvaluationInputs, tmp_path: Path) -> None:
    report = write_report(inputs, tmp_path / "figures", draws=20)
    assert json.loads((tmp_path / "figures" / "evaluation.json").read_text()) == report
    page = (tmp_path / "figures" / "evaluation.md").read_text()
    for name in ("roc.png", "reliability.png", "risk_coverage.png", "confusion.png"):
        assert f"({name})" in page
        assert cv2.imread(str(tmp_path / "figures" / name)) is not None


def test_a_summary_for_the_manifest_is_small_and_keeps_the_headlines(report: dict[str, Any]) -> None:
    short = summary(report)
    row = short["folds"]["int8"]["busi"]
    assert row["auc_malignant_vs_rest"] == report["folds"]["int8"]["sets"]["busi"]["figures"]["auc_malignant_vs_rest"]
    assert short["left_out"]["uclm"]["int8"]["all"]["ece"]["value"] is not None
    assert len(json.dumps(short)) < 20_000


def test_nothing_measured_is_nothing_claimed() -> None:
    report = evaluate(EvaluationInputs())
    assert report["folds"] is None
    assert report["left_out"] == {}
    assert "AUC" not in to_markdown(report)


def test_one_image_alone_has_no_figures_but_a_row() -> None:
    one: Predictions = make_predictions(1, n=2).where([0])
    report = evaluate(EvaluationInputs(held_out=Evaluation("one image", one)), draws=20)
    assert report["held_out"]["int8"]["all"]["images"] == 1
    assert report["held_out"]["int8"]["all"]["figures"]["auc_macro"]["value"] is None
    json.dumps(report, allow_nan=False)


def test_limits_of_each_fold_are_kept_with_its_images() -> None:
    predictions = make_predictions(2)
    strict = apply_thresholds(predictions.where(predictions.folds == 0), 0.9, Abstention(lower=0.1, upper=0.9))
    loose = apply_thresholds(predictions.where(predictions.folds == 1), 0.1, Abstention(lower=0.5, upper=0.5))
    found = [
        evaluate(EvaluationInputs(held_out=Evaluation("", part)), draws=0)["held_out"]["int8"]["all"]["figures"]
        for part in (strict, loose)
    ]
    assert found[0]["sensitivity_at_threshold"]["value"] < found[1]["sensitivity_at_threshold"]["value"]
    assert found[0]["coverage"]["value"] < found[1]["coverage"]["value"] == 1.0


def test_rejection_and_shortcuts_pass_through() -> None:
    measured = ood_detection(np.arange(20.0), np.arange(20).astype(str), {"photographs": np.array([30.0])}, 18.5)
    shortcut = {"busbra_benign_called_normal_text_masked": Estimate(0.1, 0.05, 0.2)}
    report = evaluate(
        replace(EvaluationInputs(), ood_detection=measured, shortcuts=shortcut, cost={"bundle_mb": 3.14159})
    )
    assert report["rejection"]["breast_lost"]["value"] == 0.05
    assert report["shortcuts"]["busbra_benign_called_normal_text_masked"] == {"value": 0.1, "low": 0.05, "high": 0.2}
    assert report["cost"] == {"bundle_mb": 3.1416}
