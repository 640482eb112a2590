# SPDX-License-Identifier: Apache-2.0
"""A shipped bundle in the comparison: the figures of its own report, and what its network costs.

The comparison trains our recipe on the same few images as all others, and never tests shipped weights on images that
they were trained on. What the recipe is worth when it is trained as it is released stands in the bundle's report:
grouped folds or a part that was held out, and networks that never saw the set which they are tested on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convert.compare.cost.measure import Cost
from convert.evaluate.intervals import Estimate
from convert.report.markdown import set_name


@dataclass(frozen=True, slots=True)
class Reported:
    """Figures of one set in a bundle's report.

    Attributes:
        title: The set and how it was kept apart, in words.
        division: That of the comparison which asks the same question: ``grouped``, or ``unseen`` and the set.
        dataset: The set.
        images: Number.
        figures: By name.
    """

    title: str
    division: str
    dataset: str
    images: int
    figures: dict[str, Estimate]


@dataclass(frozen=True, slots=True)
class Shipped:
    """A bundle.

    Attributes:
        name: Of its folder, ``mammascope-0.6.0``.
        network: Its network's file.
        trained_on: Sets that its weights were trained on.
        reported: What its report says.
        cost: Size, and time beside ours.
    """

    name: str
    network: Path
    trained_on: frozenset[str]
    reported: tuple[Reported, ...]
    cost: Cost = field(default_factory=Cost)

    def of(self, division: str, dataset: str = "") -> Reported | None:
        """What the report says on a division; of ``dataset``, where a division has several sets."""
        found = [each for each in self.reported if each.division == division]
        return next((each for each in found if not dataset or each.dataset == dataset), None)


def read_bundle(bundle: Path) -> Shipped:
    """A bundle's report.

    Raises:
        ValueError: There is no bundle with a report in this folder.
    """
    try:
        report = json.loads((bundle / "figures.json").read_text(encoding="utf-8"))
        manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
        trained_on = frozenset(manifest["training"]["datasets"])
        return Shipped(bundle.name, bundle / manifest["network"], trained_on, tuple(_reported(report)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{bundle}: there is no bundle with a figures.json to read") from error


def _reported(report: Mapping[str, Any]) -> Iterator[Reported]:
    folds, held_out = report.get("folds"), report.get("held_out")
    if folds:
        for name, row in folds["int8"]["sets"].items():
            yield _one(f"{set_name(name)}, grouped folds", "grouped", name, row)
    elif held_out:
        for name, row in held_out["int8"]["sets"].items():
            yield _one(f"{set_name(name)}, {held_out['title']}", "grouped", name, row)
    for name, evaluation in report.get("left_out", {}).items():
        yield _one(f"{set_name(name)}, left out", f"unseen {name}", name, evaluation["int8"]["all"])


def _one(title: str, division: str, dataset: str, row: Mapping[str, Any]) -> Reported:
    read = {name: _estimate(figure) for name, figure in row["figures"].items()}
    return Reported(title, division, dataset, row["images"], {k: v for k, v in read.items() if v is not None})


def _estimate(figure: Mapping[str, float | None] | None) -> Estimate | None:
    if figure is None or figure.get("value") is None:
        return None
    bounds = (float("nan") if figure.get(key) is None else float(figure[key] or 0.0) for key in ("low", "high"))
    return Estimate(float(figure["value"] or 0.0), *bounds)
