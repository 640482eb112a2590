# SPDX-License-Identifier: Apache-2.0
"""``train --recipe``: one recipe, from images to a network and its figures on images that it has not seen.

The division is that of ``compare`` on duplicate-free groups (one part of seven for the test, one for validation), so
the figures belong beside its table.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from convert.compare.carry_out import carry_out, fitted_chain
from convert.compare.own import network_spec
from convert.compare.protocols import PARTS, Protocol
from convert.compare.result import Result
from convert.compare.task import DataChoice, Task
from convert.data.folders import DataFolders
from convert.evaluate.intervals import Estimate, figures
from convert.evaluate.metrics import confusion_figures, discrimination_figures
from convert.evaluate.predictions import Predictions
from convert.recipes.library import RecipeError, load_recipe, recipe_file
from convert.recipes.recipe import CadxRecipe, NetworkRecipe, OutlineRecipe, OwnRecipe, Recipe
from convert.report.plots import plot_training
from convert.train.architectures.weights import Weights, wanted_weights
from device.files import write_atomically

NETWORK_NAME = "network.keras"
_SHOWN = ("accuracy", "f1_macro", "f1_normal", "f1_benign", "f1_malignant", "auc_malignant_vs_rest")


def train_recipe(
    name: str, folder: Path, data: DataFolders, part: int, weights: str | None, epochs: int | None, seed: int
) -> dict[str, Estimate]:
    """Train, test, and write everything into a folder; goes on where it was interrupted.

    Args:
        name: Of a recipe, or its file.
        folder: Gets ``recipe.yaml``, the network, ``training.png``, the predictions and ``figures.json``.
        data: The sets; the first of them, BUSI where it is there, is divided.
        part: Which of the seven parts is the test.
        weights: In place of the recipe's: a file, ``imagenet`` or ``random``.
        epochs: In place of the recipe's.
        seed: Of weights, order and variation.

    Raises:
        RecipeError: There is no such recipe, or it has nothing to train.
        WeightsError: The weights cannot be had here.
        DatasetError: Images are missing.
    """
    recipe = load_recipe(name)
    if isinstance(recipe, OutlineRecipe):
        raise RecipeError(f"{recipe.name}: nothing to train; `compare` shows what it finds")
    if not 0 <= part < PARTS:
        raise ValueError(f"--fold: {PARTS} parts are counted from 0 to {PARTS - 1}")
    task = Task(
        recipe=recipe,
        weights=_weights(recipe, weights),
        protocol=Protocol.GROUPED,
        part=part,
        data=DataChoice(busi=data.busi, busbra=data.busbra, uclm=data.uclm, others=data.others),
        epochs=epochs,
        seed=seed,
    )
    cache = folder / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    print(f"{recipe.title}, weights: {task.weights.label}", flush=True)
    result_file = folder / "result.zip"
    write_atomically(result_file, carry_out(task, cache), 0o644)
    write_atomically(folder / "recipe.yaml", recipe_file(name).read_bytes(), 0o644)
    result = Result.read(result_file)
    if result.notes.get("history"):
        plot_training(result.notes["history"], folder / "training.png")
    _save_network(task, cache, folder)
    assert result.predictions is not None  # noqa: S101 - every recipe that is trained classifies
    return _report(result.predictions, folder)


def _report(predictions: Predictions, folder: Path) -> dict[str, Estimate]:
    """The figures of the test part, into the folder and onto the screen."""
    found = figures(predictions, (confusion_figures, discrimination_figures))
    content = json.dumps({key: value.to_json() for key, value in found.items()}, indent=1)
    write_atomically(folder / "figures.json", content.encode(), 0o644)
    print(f"{len(predictions)} test images in duplicate-free groups")
    for key in _SHOWN:
        print(f"  {key.replace('_', ' ')}: {found[key].value:.3f} [{found[key].low:.3f}, {found[key].high:.3f}]")
    return found


def _weights(recipe: Recipe, named: str | None) -> Weights:
    match recipe:
        case NetworkRecipe() | CadxRecipe():
            return wanted_weights(recipe.network.architecture, named or recipe.network.weights)
        case OwnRecipe():
            return wanted_weights(recipe.backbone, named or recipe.weights)
    return Weights("random")


def _save_network(task: Task, cache: Path, folder: Path) -> None:
    """The whole network as a Keras file and as float ``.tflite``."""
    from convert.quantise import to_float

    network = trained_network(task, cache)
    network.save(folder / NETWORK_NAME)
    write_atomically(folder / "network.tflite", to_float(network), 0o644)


def trained_network(task: Task, cache: Path) -> Any:
    """The network that a finished run trained, from what it left in the cache.

    Returns:
        Keras model from pictures (n, size, size, c), 0..255, to probabilities; our own to its three outputs.
    """
    state = cache / "state" / task.name()
    match task.recipe:
        case NetworkRecipe() as recipe:
            from convert.train.recipe_fit import load_fitted

            return load_fitted(recipe, task.weights, state, cache / "features", task.seed).whole()
        case CadxRecipe() as recipe:
            from convert.cadx.chain import chain_head
            from convert.train.heads import joined

            chain, features = fitted_chain(task, recipe, task.split(), cache)
            return joined(features.base, chain_head(chain))
        case OwnRecipe() as recipe:
            from convert.train.network import build_network

            network = build_network(network_spec(recipe, task.weights))
            network.load_weights(state / "network.weights.h5")
            return network
    raise RecipeError(f"{task.recipe.name}: nothing to train")
