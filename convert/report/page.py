# SPDX-License-Identifier: Apache-2.0
"""The evaluation document as a Markdown page for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from convert.report.markdown import find, number, over_folds, set_name, table, with_interval
from device.inference.finding import CLASSES

_COLUMNS = {
    "AUC malignant/rest": "auc_malignant_vs_rest",
    "AUC benign/malignant": "auc_benign_vs_malignant",
    "accuracy": "accuracy",
    "balanced accuracy": "balanced_accuracy",
    "ECE": "ece",
    "Dice": "dice",
}
_DECISIONS = {
    "sensitivity": "sensitivity_at_threshold",
    "specificity": "specificity_at_threshold",
    "answered": "coverage",
    "accuracy of these": "accuracy_decided",
    "malignant called normal or benign": "malignant_missed",
    "not evaluable": "not_evaluable",
}
_SHORTCUT = {"benign called normal": "benign_called_normal", "malignant called normal": "malignant_called_normal"}


def to_markdown(report: Mapping[str, Any], plots: Mapping[str, str] | None = None) -> str:
    """The page.

    Args:
        report: As from ``convert.report.report.evaluate``.
        plots: File names by caption, shown at the end.
    """
    interval = report["interval"]
    lines = [
        "# Evaluation",
        "",
        f"In brackets: {interval['level']:.0%} intervals by {interval['method']}, {interval['draws']} draws. "
        "“–” stands where the images cannot give a figure.",
        "",
    ]
    for evaluation in (report["folds"], report["held_out"], *report["left_out"].values()):
        if evaluation is not None:
            lines += _evaluation(evaluation)
    for heading, key in (("Rejection of what is not breast ultrasound", "rejection"), ("Shortcuts", "shortcuts")):
        if report[key]:
            rows = [[_words(name), with_interval(figure)] for name, figure in report[key].items()]
            lines += [f"## {heading}", "", table(["measure", "figure"], rows), ""]
    if report["cost"]:
        rows = [[_words(name), number(value, 2)] for name, value in report["cost"].items()]
        lines += ["## Cost", "", table(["measure", "figure"], rows), ""]
    for caption, name in (plots or {}).items():
        lines += [f"## {caption}", "", f"![{caption}]({name})", ""]
    return "\n".join(lines)


def _evaluation(evaluation: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"## {evaluation['title']}", "")
    yield from ("### Figures", "", _by_part(evaluation, _COLUMNS), "")
    yield from ("### At the operating point and outside the uncertain band", "", _by_part(evaluation, _DECISIONS), "")
    yield from ("### Each class against the rest", "", _by_class(evaluation), "")
    yield from (
        "### Lesions called normal: a scanner taken for healthy tissue?",
        "",
        _by_part(evaluation, _SHORTCUT),
        "",
    )
    yield from ("### Confusion (rows: true, columns: most probable class)", "", _confusion(evaluation["int8"]), "")
    if evaluation["int8"]["over_folds"]:
        yield from ("### Over folds: mean ± standard deviation", "", _folds(evaluation), "")
    if evaluation["agreement"] is not None:
        rows = [[_words(name), with_interval(figure, 4)] for name, figure in evaluation["agreement"].items()]
        yield from ("### int8 against float", "", table(["measure", "figure"], rows), "")
    yield from ("### Risk when only the most certain images are answered", "", _risk(evaluation), "")


def _networks(evaluation: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "int8", evaluation["int8"]
    if evaluation["float"] is not None:
        yield "float", evaluation["float"]


def _parts(sections: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Rows of a table: everything, each set, each scanner that is not a set of its own."""
    yield "all", sections["all"]
    if len(sections["sets"]) > 1:
        yield from sections["sets"].items()
    scanners = {name: row for name, row in sections["scanners"].items() if name not in sections["sets"]}
    yield from ((f"scanner {name}", row) for name, row in scanners.items())


def _by_part(evaluation: Mapping[str, Any], columns: Mapping[str, str]) -> str:
    """int8 and float under each other for each part, so that the eye compares them."""
    found = {name: dict(_parts(sections)) for name, sections in _networks(evaluation)}
    rows = [
        [set_name(part), network, row["images"], *(with_interval(row["figures"][key]) for key in columns.values())]
        for part in found["int8"]
        for network, row in ((network, rows[part]) for network, rows in found.items())
    ]
    return table(["part", "network", "images", *columns], rows)


def _by_class(evaluation: Mapping[str, Any]) -> str:
    measures = ("sensitivity", "specificity", "precision", "f1")
    rows = [
        [name, network, *(with_interval(sections["all"]["figures"][f"{m}_{name}"]) for m in measures)]
        for name in CLASSES
        for network, sections in _networks(evaluation)
    ]
    return table(["class", "network", *measures], rows)


def _confusion(sections: Mapping[str, Any]) -> str:
    rows = [
        [f"{set_name(part)}: {name}", *row["confusion"][index]]
        for part, row in _parts(sections)
        for index, name in enumerate(CLASSES)
        if row["labels"][name]
    ]
    return table(["int8", *CLASSES], rows)


def _folds(evaluation: Mapping[str, Any]) -> str:
    rows = [
        [set_name(part), network, *(over_folds(find(row, "over_folds", key)) for key in _COLUMNS.values())]
        for network, sections in _networks(evaluation)
        for part, row in _parts(sections)
        if row["over_folds"]
    ]
    return table(["part", "network", *_COLUMNS], rows)


def _risk(evaluation: Mapping[str, Any]) -> str:
    curves = {name: sections["risk_coverage"] for name, sections in _networks(evaluation)}
    coverage = curves["int8"]["coverage"]
    shown = range(0, len(coverage), 2)
    header = ["network", *(f"{coverage[i]:.0%} answered" for i in shown)]
    return table(header, [[name, *(number(curve["risk"][i]) for i in shown)] for name, curve in curves.items()])


def _words(name: str) -> str:
    return name.replace("_", " ")
