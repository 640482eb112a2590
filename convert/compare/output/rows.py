# SPDX-License-Identifier: Apache-2.0
"""The figures of a comparison: one row a recipe, one block of figures a division, from the runs' results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from convert.compare.cost.measure import Cost
from convert.compare.protocols import Protocol
from convert.compare.result import Result
from convert.compare.task import Task
from convert.evaluate.intervals import DRAWS, Estimate, figures
from convert.evaluate.metrics import confusion_figures, discrimination_figures, ratio
from convert.evaluate.predictions import Predictions, joined
from convert.recipes.recipe import Recipe

Floats = Any


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What a recipe achieved on one division.

    Attributes:
        protocol: Which.
        unseen: Which set was left out, of the third.
        images: In the test parts together.
        figures: By name, with intervals that resample groups.
        predictions: Of all test parts, for curves and confusion matrices; ``None`` for a recipe that only outlines.
    """

    protocol: Protocol
    unseen: str
    images: int
    figures: dict[str, Estimate]
    predictions: Predictions | None

    @property
    def name(self) -> str:
        """``random``, ``grouped``, or ``unseen uclm``."""
        return f"{self.protocol} {self.unseen}".strip()


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A recipe.

    Attributes:
        recipe: What.
        weights: What its network began with, in words; empty where there is none.
        shortened: Whether it was cut short.
        blocks: By division.
        losses: Training loss after the first and the last epoch of the first run; ``None`` where nothing is trained so.
        epochs: Of its runs.
        components: That elimination kept, of the first run; 0 for other recipes.
        cost: Size, operations, speed.
    """

    recipe: Recipe
    weights: str
    shortened: bool
    blocks: dict[str, Block]
    losses: tuple[float, float] | None = None
    epochs: int = 0
    components: int = 0
    cost: Cost = field(default_factory=Cost)


def gather(
    recipe: Recipe, tasks: Sequence[Task], paths: Sequence[Path], shortened: bool, cost: Cost, draws: int = DRAWS
) -> Row:
    """A recipe's row from the files of its runs."""
    results = [Result.read(path) for path in paths]
    blocks: dict[str, Block] = {}
    for protocol, unseen in dict.fromkeys((task.protocol, task.unseen) for task in tasks):
        of_block = [
            result
            for task, result in zip(tasks, results, strict=True)
            if (task.protocol, task.unseen) == (protocol, unseen)
        ]
        block = _block(protocol, unseen, of_block, draws)
        blocks[block.name] = block
    notes = results[0].notes
    losses = [entry["loss"] for entry in notes.get("history", []) if "loss" in entry]
    return Row(
        recipe=recipe,
        weights=tasks[0].weights.label if hasattr(recipe, "picture") or hasattr(recipe, "backbone") else "",
        shortened=shortened,
        blocks=blocks,
        losses=(losses[0], losses[-1]) if losses else None,
        epochs=len(notes.get("history", [])),
        components=int(notes.get("components", 0)),
        cost=cost,
    )


def _block(protocol: Protocol, unseen: str, results: Sequence[Result], draws: int) -> Block:
    said = [result.predictions for result in results if result.predictions is not None]
    found: dict[str, Estimate] = {}
    together = joined(said) if said else None
    if together is not None:
        found = figures(together, (confusion_figures, discrimination_figures), draws=draws)
    dice = np.concatenate([result.dice for result in results])
    groups = np.concatenate([result.groups for result in results])
    if not np.isnan(dice).all():
        found |= overlap_figures(dice, groups, draws)
    return Block(protocol, unseen, len(dice), found, together)


def overlap_figures(dice: Floats, groups: Floats, draws: int) -> dict[str, Estimate]:
    """Mean Dice and Jaccard overlap, and the share of lesions found (overlap of at least one half), with intervals."""
    from convert.evaluate.intervals import draw_weights

    known = ~np.isnan(dice)
    values = {
        "dice": dice[known],
        "jaccard": dice[known] / (2 - dice[known]),
        "found": (dice[known] >= 0.5).astype(float),
    }
    drawn = draw_weights(groups[known], draws) if draws else np.zeros((0, known.sum()))
    result = {}
    for name, value in values.items():
        sampled = ratio(drawn @ value, drawn.sum(1))
        low, high = np.nanpercentile(sampled, [2.5, 97.5]) if len(sampled) else (np.nan, np.nan)
        result[name] = Estimate(float(value.mean()), float(low), float(high))
    return result
