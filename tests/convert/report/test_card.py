# SPDX-License-Identifier: Apache-2.0
"""The model card says what the manifest and the report say, and owns up to what was not measured."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from convert.evaluate.evaluation import EvaluationInputs
from convert.report.card import model_card
from convert.report.report import evaluate
from tests.convert.made_up import make_evidence

MANIFEST: dict[str, Any] = {
    "name": "tiny",
    "version": "0.1.0",
    "created": "2026-11-21T04:00:00+00:00",
    "classes": ["normal", "benign", "malignant"],
    "preprocessing": {"input_size": 224, "margin": 1.8, "smallest_window": 32},
    "calibration": {"whole": 0.4, "lesion": 0.6, "bias": [0.1, 0, -0.1], "single_whole": 1, "single_bias": [0, 0, 0]},
    "operating_points": [
        {
            "name": "sensitivity_95",
            "malignant_threshold": 0.2178,
            "target_sensitivity": 0.95,
            "sensitivity": 0.957,
            "specificity": 0.803,
        }
    ],
    "abstention": {"lower": 0.2011, "upper": 0.5123},
    "rejection": {"file": "rejection.npz", "limit": 1.875, "breast_loss": 0.049},
    "lesion": {"threshold": 0.5, "smallest_share": 0.0025},
    "training": {
        "datasets": {"busi": 611, "uclm": 497},
        "split": "0123456789abcdef",
        "seed": 3,
        "settings": {"network": {"backbone": "mobilenet_v2"}},
        "software": {"keras": "3.15.1"},
    },
}


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return evaluate(make_evidence(), draws=30)


def shown(figure: dict[str, float]) -> str:
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def test_sections_of_the_applied_model_card_are_there(report: dict[str, Any]) -> None:
    card = model_card(MANIFEST, report)
    headings = re.findall(r"^#+ (.+)$", card, re.MULTILINE)
    assert headings[0] == "tiny 0.1.0: model card"
    for section in (
        "Release information",
        "Uses and directions",
        "Warnings",
        "Trust ingredients",
        "Usefulness, usability and efficacy",
        "Fairness and equity",
        "Safety and reliability",
        "Bibliography",
    ):
        assert section in headings
    assert "never makes a diagnosis" in card.replace("\n", " ")
    assert "$" not in card


def test_numbers_are_those_of_manifest_and_report(report: dict[str, Any]) -> None:
    card = model_card(MANIFEST, report)
    for value in (
        "0.2178",
        "0.957",
        "0.803",
        "0.2011",
        "0.5123",
        "1.8750",
        "4.9%",
        "1108 images",
        "224 x 224",
        "3.15.1",
    ):
        assert value in card
    busi = report["folds"]["int8"]["sets"]["busi"]["figures"]
    row = next(line for line in card.splitlines() if line.startswith("| 5 grouped folds: BUSI |"))
    assert shown(busi["auc_malignant_vs_rest"]) in row
    scanner = report["folds"]["int8"]["scanners"]["Logiq 7"]["figures"]["auc_benign_vs_malignant"]
    assert shown(scanner) in card
    left_out = report["left_out"]["uclm"]["int8"]["all"]["figures"]["sensitivity_at_threshold"]
    assert f"it gave {shown(left_out)}\n  on BUS-UCLM" in card
    assert shown(report["rejection"]["breast_lost"]) in card


def test_the_first_table_is_that_of_hospitals_never_seen(report: dict[str, Any]) -> None:
    refused, cautious = {"value": 0.0123, "low": 0.0, "high": 0.03}, {"value": 0.456, "low": 0.4, "high": 0.5}
    shares = {"refused": refused, "unfamiliar": cautious}
    card = model_card(MANIFEST, {**report, "sources": {"uclm": shares, "stu": shares}})
    table = card[card.index("took no part in training") : card.index("## Uses and directions")]
    row = next(line for line in table.splitlines() if line.startswith("| BUS-UCLM |"))
    figures = report["left_out"]["uclm"]["int8"]["all"]["figures"]
    for figure in (refused, cautious, figures["coverage"], figures["auc_benign_vs_malignant"]):
        assert shown(figure) in row
    assert shown(refused) in next(line for line in table.splitlines() if line.startswith("| STU |"))
    assert card.index("took no part in training") < card.index("## Key metrics")
    assert "mean of these" not in table
    assert "**Not measured**" in model_card(MANIFEST, {**report, "left_out": {}, "sources": {}})


def test_the_first_table_ends_with_the_mean_over_hospitals(report: dict[str, Any]) -> None:
    other = copy.deepcopy(report["left_out"]["uclm"])
    for each, value in ((report["left_out"]["uclm"], 0.9), (other, 0.8)):
        each["int8"]["all"]["figures"]["auc_benign_vs_malignant"] = {"value": value, "low": None, "high": None}
    nothing, some = ({"refused": {"value": v}, "unfamiliar": {"value": v}} for v in (0.0, 0.25))
    both = {"left_out": {"uclm": report["left_out"]["uclm"], "busi": other}, "sources": {"uclm": nothing, "busi": some}}
    row = next(x for x in model_card(MANIFEST, {**report, **both}).splitlines() if x.startswith("| **mean of these**"))
    assert row.startswith("| **mean of these** | – | 0.125 | 0.125 |")
    assert row.endswith("| 0.850 |")


def test_both_tiers_and_careful_consideration_are_told(report: dict[str, Any]) -> None:
    band = {"lower": 0.0816, "upper": 0.6899}
    source = {"refuse_below": -3.868, "familiar_from": 1.84, "familiar_distance": 1.69, "abstention": band}
    careful = {"further": [], "mirrored": True, "zooms": [1.0, 0.9], "abstention": band, "spread_limit": 0.645}
    careful["operating_points"] = MANIFEST["operating_points"]
    views = {"operating_point": MANIFEST["operating_points"][0]}
    card = model_card(
        {**MANIFEST, "source": {**source, "breast_loss": 0.0192}, "careful": careful, "views": views}, report
    )
    for words in (
        "-3.87",
        "1.84",
        "1.69",
        "0.0816",
        "0.6899",
        "1.9%",
        "variants: 4",
        "0.65",
        "Two views",
    ):
        assert words in card
    assert "4.9%" not in card


def test_a_worse_model_gets_a_worse_card(report: dict[str, Any]) -> None:
    worse = copy.deepcopy(report)
    figure = worse["folds"]["int8"]["sets"]["busi"]["figures"]["auc_malignant_vs_rest"]
    figure["value"] = 0.5
    better = copy.deepcopy(report)
    better["folds"]["int8"]["sets"]["busi"]["figures"]["auc_malignant_vs_rest"]["value"] = 0.99

    def verdict(document: dict[str, Any]) -> str:
        card = model_card(MANIFEST, document)
        line = next(line for line in card.splitlines() if line.startswith("| malignant against the rest"))
        return line.split("|")[-2].strip()

    assert (verdict(worse), verdict(better)) == ("not met", "met")


def test_terms_of_the_data_bind_the_bundle(report: dict[str, Any]) -> None:
    assert "Trained with BUS-UCLM, whose terms are treated as non-commercial" in model_card(MANIFEST, report)
    without = copy.deepcopy(MANIFEST)
    without["training"]["datasets"] = {"busi": 611, "my-clinic": 20}
    card = model_card(without, report)
    assert "non-commercial: so is this bundle" not in card
    assert "Vallez" not in card
    assert "| my-clinic | 20 |" in card


def test_what_was_not_measured_is_said() -> None:
    card = model_card(MANIFEST, evaluate(EvaluationInputs()))
    assert "nothing was tested" in card
    assert card.count("**not measured**") == 2
    assert "| not met |" not in card
    assert "| met |" not in card
