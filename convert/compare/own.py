# SPDX-License-Identifier: Apache-2.0
"""Our own recipe in the comparison: trained and examined by the code that makes bundles, both passes included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from convert.compare.result import Floats
from convert.compare.task import Task
from convert.data.corpus import load_examples
from convert.data.splits import Split
from convert.recipes.recipe import OwnRecipe
from convert.train.architectures.weights import Weights


def network_spec(recipe: OwnRecipe, weights: Weights) -> Any:
    """What ``convert.train.network`` builds for the recipe."""
    from convert.train.network import NetworkSpec, frozen_by_default

    given = {"file": weights.path, "random": "none"}.get(weights.kind, "imagenet")
    # Random layers that stay frozen would pass nothing on worth learning from.
    frozen = "" if weights.kind == "random" else frozen_by_default(recipe.backbone)
    return NetworkSpec(backbone=recipe.backbone, size=recipe.size, weights=given, frozen=frozen)


def train_own(task: Task, recipe: OwnRecipe, split: Split, folder: Path) -> tuple[Floats, Floats, list[Any]]:
    """Train, calibrate on the validation part, and look at the test part as the device would, in float.

    Returns:
        Probabilities (n, 3) and overlaps (n,) of the test part, and the training's history.
    """
    from convert.evaluate.batch_inference import infer_examples
    from convert.limits import MARGIN
    from convert.quantise import to_float
    from convert.release.calibrate import fit_calibration
    from convert.train.fit import TrainingPlan, train
    from device.inference.calibration import calibrated_probabilities
    from device.inference.manifest import Preprocessing

    spec = network_spec(recipe, task.weights)
    plan = TrainingPlan(
        network=spec,
        epochs=task.epochs or recipe.epochs,
        pictures=task.pictures or recipe.pictures,
        seed=task.seed,
    )
    validation = load_examples(split.calibration, quiet=True)
    network = train(load_examples(split.train, quiet=True), validation, plan, folder)
    network.save_weights(folder / "network.weights.h5")
    file = folder / "network.tflite"
    file.write_bytes(to_float(network))
    how = Preprocessing(input_size=recipe.size, margin=MARGIN, smallest_window=32)
    held = infer_examples(file, validation, how, quiet=True)
    labels = np.array([s.label for s in split.calibration], np.int64)
    calibration = fit_calibration(held.first, held.second, labels)
    said = infer_examples(file, load_examples(split.test, quiet=True), how, quiet=True)
    history = json.loads((folder / "history.json").read_text(encoding="utf-8"))
    return calibrated_probabilities(said.first, said.second, calibration), said.dice, history
