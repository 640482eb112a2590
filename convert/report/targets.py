# SPDX-License-Identifier: Apache-2.0
"""The targets that concern the model, each beside what was measured: met, not met, or not measured.

``python -m convert evaluate`` prints this table. Every figure comes from the report (``convert.report.report``); a
target whose figure is missing there is shown as not measured and never as met.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from convert.report import markdown
from convert.report.markdown import find, number, over_folds, set_name, with_interval

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One target and what became of it.

    Attributes:
        what: What is measured.
        wanted: The target in words.
        found: The figure with its interval, or what is missing.
        met: Whether the figure (not its interval) reaches the target, ``None`` where it was not measured.
    """

    what: str
    wanted: str
    found: str
    met: bool | None

    @property
    def verdict(self) -> str:
        """``met``, ``not met`` or ``not measured``."""
        return "not measured" if self.met is None else "met" if self.met else "not met"


def check_targets(report: Report) -> list[TargetRow]:
    """Every target that concerns the model, in the order of the design.

    Args:
        report: As from ``convert.report.report.evaluate``.
    """
    return [row for check in _CHECKS for row in check(report)]


def to_markdown(rows: Sequence[TargetRow]) -> str:
    """The table for a file."""
    cells = [[row.what, row.wanted, row.found, row.verdict] for row in rows]
    return markdown.table(["what", "target", "measured", "verdict"], cells, numbers=False)


def print_targets(rows: Sequence[TargetRow], console: Console) -> None:
    """The table for a terminal; the verdict is a word and not only a colour."""
    table = Table(title="Targets of the model", show_lines=True)
    for heading in ("what", "target", "measured", "verdict"):
        table.add_column(heading, overflow="fold")
    colours = {"met": "green", "not met": "red", "not measured": "yellow"}
    for row in rows:
        style = colours[row.verdict]
        table.add_row(row.what, row.wanted, row.found, f"[{style}]{row.verdict}[/{style}]")
    console.print(table)


def _at_least(what: str, limit: float, figure: Any, note: str = "") -> TargetRow:
    value = None if figure is None else figure.get("value")
    return TargetRow(what, f"{limit:.2f} or more", _found(figure, note), None if value is None else value >= limit)


def _at_most(what: str, limit: float, figure: Any) -> TargetRow:
    value = None if figure is None else figure.get("value")
    return TargetRow(what, f"{limit:.3f} or less", _found(figure), None if value is None else value <= limit)


def _found(figure: Any, note: str = "") -> str:
    """The figure with a digit more than its target, so that rounding never hides why a target is not met."""
    if figure is None or figure.get("value") is None:
        return "not measured"
    return with_interval(figure, 4) + (f"; {note}" if note else "")


def _own_set(report: Report) -> list[TargetRow]:
    row = find(report, "folds", "int8", "sets", "busi") or {}
    spread = over_folds(find(row, "over_folds", "auc_malignant_vs_rest"))
    return [
        _at_least(
            "malignant against the rest, AUC, int8, grouped folds on BUSI",
            0.95,
            find(row, "figures", "auc_malignant_vs_rest"),
            f"over folds {spread}",
        )
    ]


def _other_hospitals(report: Report) -> list[TargetRow]:
    """Every hospital that was left out has its floor; means over them are what a new user may expect."""
    names = dict.fromkeys(["busbra", "uclm", *report["left_out"]])

    def figure(name: str, what: str) -> Any:
        return find(report, "left_out", name, "int8", "all", "figures", what)

    rows = [
        _at_least(
            f"benign against malignant, AUC, int8, {set_name(name)} left out of training",
            0.86,
            figure(name, "auc_benign_vs_malignant"),
        )
        for name in names
    ]
    means = (
        ("benign against malignant, AUC, int8", "auc_benign_vs_malignant", 0.90),
        ("sensitivity at the operating point", "sensitivity_at_threshold", 0.95),
        ("specificity at the operating point", "specificity_at_threshold", 0.55),
        ("lesion outline, Dice", "dice", 0.80),
    )
    rows += [
        _at_least(f"{what}, mean over hospitals never seen", limit, _mean([figure(name, key) for name in names]))
        for what, key, limit in means
    ]
    rows.append(
        _at_most(
            "calibration error (ECE), mean over hospitals never seen",
            0.06,
            _mean([figure(name, "ece") for name in names]),
        )
    )
    answered = [_complement(each.get("refused")) for each in report.get("sources", {}).values()]
    rows.append(_at_least("breast frames answered, mean over hospitals never seen", 0.95, _mean(answered)))
    return rows


def _complement(figure: Any) -> Any:
    return None if figure is None or figure["value"] is None else {"value": 1 - figure["value"]}


def _mean(figures: Sequence[Any]) -> Any:
    """The mean of the measured ones; no interval, since hospitals are few and no sample of all."""
    values = [figure["value"] for figure in figures if figure is not None and figure.get("value") is not None]
    return {"value": sum(values) / len(values), "low": None, "high": None} if values else None


def _quantisation(report: Report) -> list[TargetRow]:
    base = report["folds"] or report["held_out"]
    lost = find(base or {}, "agreement", "auc_lost")
    return [
        _at_most("AUC lost by int8 against float, malignant against the rest", 0.005, lost),
        _at_least("same assessment, int8 and float", 0.97, find(base or {}, "agreement", "same_assessment")),
    ]


def _calibration(report: Report) -> list[TargetRow]:
    return [
        _at_most(
            "calibration error (ECE, 15 bins), int8, grouped folds",
            0.06,
            find(report, "folds", "int8", "all", "figures", "ece"),
        )
    ]


def _outline(report: Report) -> list[TargetRow]:
    sections = find(report, "folds", "int8") or {}
    busi = with_interval(find(sections, "sets", "busi", "figures", "dice"))
    everything = find(sections, "all", "figures", "dice")
    return [_at_least("lesion outline, Dice, grouped folds", 0.80, everything, f"BUSI alone {busi}")]


def _ood_detection(report: Report) -> list[TargetRow]:
    rejected, lost = (find(report, "rejection", name) for name in ("rejected", "breast_lost"))
    what, wanted = "rejection of what is not breast ultrasound", "95 % at 5 % of breast frames lost"
    if not rejected or not lost or rejected["value"] is None or lost["value"] is None:
        return [TargetRow(what, wanted, "not measured", None)]
    found = f"{with_interval(rejected, 4)} at {with_interval(lost, 4)} lost"
    return [TargetRow(what, wanted, found, rejected["value"] >= 0.95 and lost["value"] <= 0.05)]


def _speed(report: Report) -> list[TargetRow]:
    rows = []
    for what, key, limit in (
        ("one pass, times faster than EfficientNet-B7 at 256 in float, one core", "one_look_speedup", 40.0),
        ("two passes, times faster than EfficientNet-B7 at 256 in float, one core", "two_looks_speedup", 20.0),
    ):
        value = find(report, "cost", key)
        met = None if value is None else value >= limit
        rows.append(TargetRow(what, f"{limit:.0f} or more", _cost(value, ""), met))
    for what, key, limit, unit in (
        ("size of the bundle", "bundle_mb", 25.0, " MB"),
        ("frame in, finding out, against the bare network", "pipeline_overhead", 2.0, " times"),
    ):
        value = find(report, "cost", key)
        met = None if value is None else value <= limit
        rows.append(TargetRow(what, f"{limit:.0f}{unit} or less", _cost(value, unit), met))
    return rows


def _cost(value: float | None, unit: str) -> str:
    return "not measured" if value is None else f"{number(value, 2)}{unit}"


_CHECKS: tuple[Callable[[Report], list[TargetRow]], ...] = (
    _own_set,
    _other_hospitals,
    _quantisation,
    _calibration,
    _outline,
    _ood_detection,
    _speed,
)
