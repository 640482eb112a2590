# SPDX-License-Identifier: Apache-2.0
"""The table of targets: met where the figure reaches the target, never met where nothing was measured."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
from rich.console import Console

from convert.evaluate.evaluation import EvaluationInputs
from convert.report.report import evaluate
from convert.report.targets import TargetRow, check_targets, print_targets, to_markdown
from tests.convert.made_up import make_evidence


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return evaluate(make_evidence(), draws=30)


def named(rows: list[TargetRow], part: str) -> TargetRow:
    (row,) = [row for row in rows if part in row.what]
    return row


def test_without_measurements_no_target_is_met() -> None:
    rows = check_targets(evaluate(EvaluationInputs()))
    assert len(rows) == 18
    assert {row.verdict for row in rows} == {"not measured"}


@pytest.mark.parametrize(
    ("what", "path", "good", "bad"),
    [
        ("BUSI", "folds int8 sets busi figures auc_malignant_vs_rest", 0.95, 0.9499),
        ("BUS-UCLM left out", "left_out uclm int8 all figures auc_benign_vs_malignant", 0.86, 0.8599),
        ("AUC lost", "folds agreement auc_lost", 0.005, 0.0051),
        ("same assessment", "folds agreement same_assessment", 0.97, 0.9699),
        ("calibration error (ECE, 15 bins)", "folds int8 all figures ece", 0.06, 0.0601),
        ("lesion outline, Dice, grouped folds", "folds int8 all figures dice", 0.8, 0.7999),
        ("rejection", "rejection rejected", 0.95, 0.9499),
    ],
)
def test_a_target_is_met_exactly_from_its_limit_on(
    report: dict[str, Any], what: str, path: str, good: float, bad: float
) -> None:
    changed = copy.deepcopy(report)
    figure = changed
    for key in path.split():
        figure = figure[key]
    changed["rejection"]["breast_lost"]["value"] = 0.05
    figure["value"] = good
    assert named(check_targets(changed), what).verdict == "met"
    figure["value"] = bad
    row = named(check_targets(changed), what)
    assert row.verdict == "not met"
    assert f"{bad:.4f}" in row.found  # rounding must not hide why


def test_rejection_that_loses_too_many_breast_frames_is_not_met(report: dict[str, Any]) -> None:
    changed = copy.deepcopy(report)
    changed["rejection"]["rejected"]["value"] = 1.0
    changed["rejection"]["breast_lost"]["value"] = 0.051
    assert named(check_targets(changed), "rejection").verdict == "not met"


@pytest.mark.parametrize(
    ("what", "key", "good", "bad"),
    [
        ("one pass", "one_look_speedup", 40.0, 39.9),
        ("two passes", "two_looks_speedup", 20.0, 19.9),
        ("size of the bundle", "bundle_mb", 25.0, 25.01),
        ("frame in", "pipeline_overhead", 2.0, 2.01),
    ],
)
def test_costs(report: dict[str, Any], what: str, key: str, good: float, bad: float) -> None:
    for value, verdict in ((good, "met"), (bad, "not met")):
        changed = {**report, "cost": {key: value}}
        assert named(check_targets(changed), what).verdict == verdict


def test_every_set_or_scanner_left_out_gets_a_row(report: dict[str, Any]) -> None:
    changed = {**report, "left_out": {**report["left_out"], "Logiq 5": report["left_out"]["uclm"]}}
    rows = [row for row in check_targets(changed) if "left out" in row.what]
    assert [row.what.split(", ")[-1] for row in rows] == [
        "BUS-BRA left out of training",
        "BUS-UCLM left out of training",
        "Logiq 5 left out of training",
    ]
    assert rows[0].verdict == "not measured"
    assert rows[1].verdict == rows[2].verdict != "not measured"


def test_means_over_hospitals_never_seen_come_from_all_of_them(report: dict[str, Any]) -> None:
    changed = copy.deepcopy(report)
    other = copy.deepcopy(changed["left_out"]["uclm"])
    changed["left_out"]["oasbud"] = other
    for each, value in ((other, 0.8), (changed["left_out"]["uclm"], 0.98)):
        each["int8"]["all"]["figures"]["auc_benign_vs_malignant"]["value"] = value
    changed["sources"] = {"uclm": {"refused": {"value": 0.02}}, "oasbud": {"refused": {"value": 0.1}}}
    rows = check_targets(changed)
    mean = named(rows, "AUC, int8, mean over hospitals")
    assert "0.8900" in mean.found
    assert mean.verdict == "not met"
    assert "0.9400" in named(rows, "answered").found
    assert named(rows, "OASBUD left out").verdict == "not met"


def test_outline_and_calibration_are_judged_over_hospitals_never_seen_too(report: dict[str, Any]) -> None:
    changed = copy.deepcopy(report)
    figures = changed["left_out"]["uclm"]["int8"]["all"]["figures"]
    for figure, value in (("dice", 0.79), ("ece", 0.05), ("sensitivity_at_threshold", 0.95)):
        figures[figure]["value"] = value
    rows = check_targets(changed)
    assert named(rows, "outline, Dice, mean over hospitals").verdict == "not met"
    assert named(rows, "calibration error (ECE), mean over hospitals").verdict == "met"
    assert named(rows, "sensitivity at the operating point, mean over hospitals").verdict == "met"


def test_both_tables_show_every_row(report: dict[str, Any]) -> None:
    rows = check_targets(report)
    page = to_markdown(rows).splitlines()
    assert len(page) == len(rows) + 2
    screen = io.StringIO()
    print_targets(rows, Console(file=screen, width=200, no_color=True))
    for row, line in zip(rows, page[2:], strict=True):
        assert row.found in line
        assert line.endswith(f"| {row.verdict} |")
        assert row.what in screen.getvalue()
        assert row.found in screen.getvalue()
    assert screen.getvalue().count("not measured") >= 3
