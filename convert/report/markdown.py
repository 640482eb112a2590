# SPDX-License-Identifier: Apache-2.0
"""Markdown tables and numbers, the same in the report, the model card and the table of targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

UNKNOWN = "–"
"""What stands where a set cannot give a figure, for instance a sensitivity without a malignant image."""

SET_NAMES = {
    "busi": "BUSI",
    "busbra": "BUS-BRA",
    "uclm": "BUS-UCLM",
    "joetao300": "JoeTao300",
    "oasbud": "OASBUD",
    "buv40": "BUV40",
    "bicat": "BiCAT",
    "stu": "STU",
}
"""Data sets as their authors write them, by the name that this project gives them."""


def set_name(name: str) -> str:
    """A data set as its authors write it; any other name (a scanner, ``all``) as it is."""
    return SET_NAMES.get(name, name)


def table(header: Sequence[str], rows: Iterable[Sequence[object]], numbers: bool = True) -> str:
    """A Markdown table.

    Args:
        header: Names of the columns.
        rows: Cells, as many as there are names.
        numbers: Whether all columns but the first hold numbers, which are aligned on the right.
    """
    lines = [header, [":---", *["---:" if numbers else ":---"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def number(value: float | None, digits: int = 3) -> str:
    """A number with fixed digits, or a dash where it is unknown."""
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def with_interval(figure: Mapping[str, Any] | None, digits: int = 3) -> str:
    """A figure as the report holds it, with its 95 % interval in brackets where it has one.

    Args:
        figure: ``value``, ``low`` and ``high``, each may be ``None``; ``None`` where there is no such figure.
        digits: After the point.
    """
    if figure is None or figure.get("value") is None:
        return UNKNOWN
    text = number(figure["value"], digits)
    if figure.get("low") is None or figure.get("high") is None:
        return text
    return f"{text} [{number(figure['low'], digits)}, {number(figure['high'], digits)}]"


def over_folds(spread: Mapping[str, Any] | None) -> str:
    """Mean and standard deviation over folds, as the report holds them."""
    if spread is None or spread.get("mean") is None:
        return UNKNOWN
    return f"{number(spread['mean'])} ± {number(spread.get('sd'))}"


def find(report: Mapping[str, Any], *path: str) -> Any:
    """The value at a path of keys of nested mappings, ``None`` where any of them is missing."""
    value: Any = report
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value
