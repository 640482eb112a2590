# SPDX-License-Identifier: Apache-2.0
"""Carry out one run: fit a recipe on the training part, choose on the validation part, look at the test part once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.compare.result import Floats, Result
from convert.compare.task import Task
from convert.data.datasets.sample import Sample
from convert.data.splits import Split
from convert.evaluate.predictions import Predictions
from convert.quiet import load_keras
from convert.recipes.recipe import CadxRecipe, NetworkRecipe, OutlineRecipe, OwnRecipe


def carry_out(task: Task, cache: Path, threads: int = 1) -> bytes:
    """One run, from images to the content of its result's file.

    Args:
        task: The run.
        cache: Folder for features and for the state of trainings, on this worker.
        threads: Threads that it may use.

    Raises:
        DatasetError: Images are missing.
        WeightsError: Weights are.
    """
    split = task.split()
    if not isinstance(task.recipe, OutlineRecipe):
        limit_threads(threads)
    match task.recipe:
        case NetworkRecipe():
            result = _network(task, task.recipe, split, cache)
        case CadxRecipe():
            result = _cadx(task, task.recipe, split, cache)
        case OutlineRecipe():
            result = _outline(task.recipe, split)
        case OwnRecipe():
            result = _own(task, task.recipe, split, cache)
    return result.to_bytes()


def limit_threads(threads: int) -> None:
    """Use so many threads, and the same order of additions each time; without effect once TensorFlow is running."""
    load_keras()
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.experimental.enable_op_determinism()
    except RuntimeError:
        return  # set by the first run of this worker


def _network(task: Task, recipe: NetworkRecipe, split: Split, cache: Path) -> Result:
    from convert.train.recipe_fit import Labelled, fit_network

    train, validation, test = (
        Labelled(_pictures(recipe, use), _labels(use)) for use in (split.train, split.calibration, split.test)
    )
    state = cache / "state" / task.name()
    fitted = fit_network(
        recipe, task.weights, train, validation, state, cache / "features", task.seed, epochs=task.epochs
    )
    found = fitted.predict(test.pictures)
    return _result(split.test, found, notes={"history": fitted.history, "epochs": recipe.training.epochs})


def _cadx(task: Task, recipe: CadxRecipe, split: Split, cache: Path) -> Result:
    chain, features = fitted_chain(task, recipe, split, cache)
    found = chain.probabilities(features.of(_pictures(recipe, split.test)))
    scores = {str(count): score for count, score in chain.elimination.scores.items()}
    return _result(split.test, found, notes={"components": len(chain.elimination.kept), "elimination": scores})


def fitted_chain(task: Task, recipe: CadxRecipe, split: Split, cache: Path) -> tuple[Any, Any]:
    """The chain of a division, and the features that it works on."""
    from convert.cadx.chain import fit_chain
    from convert.train.features import FeatureCache

    channels = 3 if recipe.picture.colour == "pseudocolour" else 1
    features = FeatureCache(
        cache / "features",
        recipe.network.architecture,
        recipe.picture.size,
        channels,
        task.weights,
        pooled=True,
        seed=task.seed,
    )
    # Nothing is chosen on a validation part but by folds of the training part, so both are trained on.
    use = (*split.train, *split.calibration)
    groups = np.array([s.group for s in use])
    chain = fit_chain(
        features.of(_pictures(recipe, use)), _labels(use), groups, recipe.components, recipe.penalty, recipe.folds
    )
    return chain, features


def _outline(recipe: OutlineRecipe, split: Split) -> Result:
    from convert.classical.chain import outline_lesion
    from convert.data.corpus import load_example
    from convert.evaluate.metrics import dice

    overlaps = []
    for sample in split.test:
        example = load_example(sample)
        if example.lesion is None:
            overlaps.append(np.nan)
            continue
        found = outline_lesion(example.sonogram.pixels, recipe)
        overlaps.append(float(dice(found[None] > 0, example.mask[None] > 0)[0]))
    keys, groups = (np.array([getattr(s, name) for s in split.test]) for name in ("key", "group"))
    return Result(None, keys, groups, np.array(overlaps, np.float64))


def _own(task: Task, recipe: OwnRecipe, split: Split, cache: Path) -> Result:
    from convert.compare.own import train_own

    found, overlaps, history = train_own(task, recipe, split, cache / "state" / task.name())
    return _result(split.test, found, overlaps, {"history": history, "epochs": recipe.epochs})


def _result(
    test: Sequence[Sample], found: Floats, overlaps: Floats | None = None, notes: dict[str, Any] | None = None
) -> Result:
    keys, groups, sets, scanners = (
        np.array([getattr(s, name) for s in test]) for name in ("key", "group", "dataset", "scanner")
    )
    dice = np.full(len(test), np.nan) if overlaps is None else overlaps
    predictions = Predictions(found, _labels(test), groups, sets, scanners, keys, dice=dice)
    return Result(predictions, keys, groups, dice, notes or {})


def _pictures(recipe: NetworkRecipe | CadxRecipe, samples: Sequence[Sample]) -> Any:
    from convert.data.pictures import load_pictures

    return load_pictures(samples, recipe.picture.size, recipe.picture.colour)


def _labels(samples: Sequence[Sample]) -> NDArray[np.int64]:
    return np.array([s.label for s in samples], np.int64)
