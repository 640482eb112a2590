# SPDX-License-Identifier: Apache-2.0
"""``compare --quick`` as a user starts it, and what its folder must hold for the rows that were asked for."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from convert.recipes.library import load_recipe
from convert.recipes.recipe import OutlineRecipe

DIVISIONS = ("grouped", "random", "unseen uclm")
COSTS = {"parameters", "multiply_adds", "float_mb", "int8_mb", "float_ratio", "int8_ratio", "float_memory_mb"}


def compare(*words: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own, without a connection."""
    closed = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    return subprocess.run(
        [sys.executable, "-m", "convert", "compare", *words],
        capture_output=True, text=True, timeout=seconds, check=False, env=os.environ | closed,
    )  # fmt: skip


def check_row(folder: Path, name: str) -> None:
    """A recipe, given by name or file, was trained, tested on every division, and its costs were measured."""
    recipe = load_recipe(name)
    with (folder / "comparison.csv").open(encoding="utf-8") as file:
        own = [line for line in csv.DictReader(file) if line["recipe"] == recipe.name]
    wanted = "dice" if isinstance(recipe, OutlineRecipe) else "accuracy"
    for division in DIVISIONS:
        (found,) = [x for x in own if x["division"] == division and x["figure"] == wanted]
        assert 0 <= float(found["value"]) <= 1
        assert int(found["images"]) > 0
    if isinstance(recipe, OutlineRecipe):
        return
    cost = {x["figure"]: float(x["value"]) for x in own if x["division"] == "cost"}
    assert set(cost) >= COSTS
    assert cost["float_mb"] > cost["int8_mb"] > 0
    assert all(x["weights"] == "random" for x in own)


def check_page(folder: Path, names: Sequence[str]) -> None:
    """Every row is in the tables, and every plot on the page."""
    text = (folder / "comparison.md").read_text(encoding="utf-8")
    for name in names:
        assert load_recipe(name).title in text
    plots = {path.stem for path in folder.glob("*.png")}
    divisions = {name.replace(" ", "-") for name in DIVISIONS}
    assert plots == {"accuracy-latency", "accuracy-size"} | {
        f"{k}-{d}" for k in ("roc", "confusion") for d in divisions
    }
    page = (folder / "comparison.html").read_text(encoding="utf-8")
    assert page.count("<img ") == len(plots)
