# SPDX-License-Identifier: Apache-2.0
"""The one training path of all network recipes and all architectures.

A frozen network is run once per image (``convert.train.features``), and only its head is fitted. A network that is
trained sees varied pictures. Both keep the weights of the best validation accuracy and go on where they were
interrupted.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from convert.data.pictures import Pictures
from convert.recipes.recipe import NetworkRecipe
from convert.train.architectures.base import build_base
from convert.train.architectures.seeds import draw_weights
from convert.train.architectures.weights import Weights
from convert.train.features import FeatureCache
from convert.train.heads import build_head, joined, takes_pooled
from device.inference.finding import CLASSES

Labels = NDArray[np.int64]
Probabilities = NDArray[np.float64]

_AT_ONCE = 32


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Pictures with their classes: uint8 (n, size, size, c) and int64 (n,)."""

    pictures: Pictures
    labels: Labels


@dataclass(frozen=True, slots=True, eq=False)
class FittedNetwork:
    """A network recipe after training.

    Attributes:
        base: From pictures to maps; built when first asked for, since a frozen one is not needed to predict.
        head: From maps, or their averages, to logits.
        history: Loss and accuracy of each epoch, of the training and the validation part.
        features: Of the frozen base; ``None`` where the base was trained.
    """

    base: Callable[[], Any]
    head: Any
    history: list[dict[str, float]]
    features: FeatureCache | None

    def predict(self, pictures: Pictures) -> Probabilities:
        """Class probabilities (n, 3) of pictures."""
        if self.features is not None:
            logits = self.head.predict(self.features.of(pictures), batch_size=_AT_ONCE, verbose=0)
            return _softmax(logits)
        found = self.whole().predict(pictures.astype(np.float32), batch_size=_AT_ONCE, verbose=0)
        return np.asarray(found / found.sum(axis=1, keepdims=True), np.float64)

    def whole(self) -> Any:
        """Base and head as one network, for conversion and for heat maps."""
        return joined(self.base(), self.head)


def feature_cache(recipe: NetworkRecipe, weights: Weights, cache: Path, seed: int) -> FeatureCache:
    """The features that a recipe with a frozen network is fitted on."""
    channels = 3 if recipe.picture.colour == "pseudocolour" else 1
    return FeatureCache(
        cache, recipe.network.architecture, recipe.picture.size, channels, weights, takes_pooled(recipe.head), seed
    )


def fit_network(
    recipe: NetworkRecipe,
    weights: Weights,
    train: Labelled,
    validation: Labelled,
    folder: Path,
    cache: Path,
    seed: int = 0,
    epochs: int | None = None,
) -> FittedNetwork:
    """Fit a recipe, or go on with a run that was interrupted.

    Args:
        recipe: What is fitted.
        weights: What its network begins with.
        train: The head, or everything, is fitted on these.
        validation: The epoch is chosen on these.
        folder: State of the run.
        cache: Features of frozen networks.
        seed: Of random weights, order and variation.
        epochs: In place of the recipe's.

    Raises:
        WeightsError: The weights cannot be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if recipe.network.frozen:
        features = feature_cache(recipe, weights, cache, seed)
        inputs, held = features.of(train.pictures), features.of(validation.pictures)
        fitted, model = _frozen(recipe, features, inputs.shape[1:], seed)
    else:
        inputs, held = train.pictures.astype(np.float32), validation.pictures.astype(np.float32)
        fitted, model = _trained(recipe, weights, seed)
    model.compile(
        keras.optimizers.Adam(recipe.training.rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = _run(model, (inputs, train.labels), (held, validation.labels), recipe, folder, seed, epochs)
    model.load_weights(folder / "best.weights.h5")
    return replace(fitted, history=history)


def load_fitted(recipe: NetworkRecipe, weights: Weights, folder: Path, cache: Path, seed: int = 0) -> FittedNetwork:
    """What ``fit_network`` left in a folder.

    Raises:
        WeightsError: The weights of a frozen network cannot be had.
    """
    if recipe.network.frozen:
        features = feature_cache(recipe, weights, cache, seed)
        shape = features.base.output_shape
        fitted, model = _frozen(recipe, features, shape[-1:] if takes_pooled(recipe.head) else shape[1:], seed)
    else:
        fitted, model = _trained(recipe, Weights("random"), seed)
    model.load_weights(folder / "best.weights.h5")
    return replace(fitted, history=_noted(folder))


def _frozen(
    recipe: NetworkRecipe, features: FeatureCache, shape: tuple[int, ...], seed: int
) -> tuple[FittedNetwork, Any]:
    """A frozen network with a new head, and the part of it that is fitted."""
    head = build_head(recipe.head, shape)
    draw_weights(head, seed)
    return FittedNetwork(lambda: features.base, head, [], features), head


def _trained(recipe: NetworkRecipe, weights: Weights, seed: int) -> tuple[FittedNetwork, Any]:
    """A network that is trained with its head, and the model that is fitted: both behind what varies pictures."""
    channels = 3 if recipe.picture.colour == "pseudocolour" else 1
    base = build_base(recipe.network.architecture, recipe.picture.size, channels, weights, False, seed)
    pooled = takes_pooled(recipe.head)
    head = build_head(recipe.head, base.output_shape[-1:] if pooled else base.output_shape[1:])
    draw_weights(head, seed)
    return FittedNetwork(lambda: base, head, [], None), _varied(base, head, pooled, recipe.training.augment, seed)


def _varied(base: Any, head: Any, pooled: bool, augment: bool, seed: int) -> Any:
    """Base and head for training, behind the layers that vary a picture (they do nothing while predicting)."""
    x = picture = keras.Input(base.input_shape[1:])
    if augment:
        x = keras.layers.RandomFlip("horizontal", seed=seed)(x)
        x = keras.layers.RandomRotation(0.03, fill_mode="constant", seed=seed)(x)
        x = keras.layers.RandomZoom((-0.15, 0.15), fill_mode="constant", seed=seed)(x)
        x = keras.layers.RandomContrast(0.2, value_range=(0, 255), seed=seed)(x)
    maps = base(x)
    return keras.Model(picture, head(keras.layers.GlobalAveragePooling2D()(maps) if pooled else maps))


def _run(
    model: Any,
    train: tuple[Any, Labels],
    held: tuple[Any, Labels],
    recipe: NetworkRecipe,
    folder: Path,
    seed: int,
    epochs: int | None,
) -> list[dict[str, float]]:
    """All epochs that are not done yet; what an epoch sees depends on the seed and its number alone.

    So a training that a lost worker left behind ends in the same weights as one that was never interrupted.
    """
    epochs = epochs or recipe.training.epochs
    model.optimizer.build(model.trainable_variables)
    history = _resume(model, folder)
    for epoch in range(len(history), epochs):
        order = np.random.default_rng([seed, epoch]).permutation(len(train[1]))
        _seed_layers(model, seed, epoch)
        entry = _epoch(model, (train[0][order], train[1][order]), held, recipe.training.batch)
        if all(_better(entry, each) for each in history):
            model.save_weights(folder / "best.weights.h5")
        history.append(entry)
        if epoch + 1 < epochs:
            _save_state(model, folder, history)
    _note(folder, history)
    (folder / _STATE).unlink(missing_ok=True)
    return history


def _epoch(model: Any, train: tuple[Any, Labels], held: tuple[Any, Labels], batch: int) -> dict[str, float]:
    """One pass; loss and accuracy of both parts. Step by step: ``fit`` takes longer to begin than a head to learn."""
    model.reset_metrics()
    found = {}
    for start in range(0, len(train[1]), batch):
        part = slice(start, start + batch)
        found = model.train_on_batch(train[0][part], train[1][part], return_dict=True)
    model.reset_metrics()
    said = {}
    for start in range(0, len(held[1]), batch):
        part = slice(start, start + batch)
        said = model.test_on_batch(held[0][part], held[1][part], return_dict=True)
    noted = found | {f"val_{name}": value for name, value in said.items()}
    return {name: float(value) for name, value in noted.items()}


_STATE = "state.npz"


def _seed_layers(model: Any, seed: int, epoch: int) -> None:
    """Dropout and the layers that vary pictures draw from states of their own."""
    states = [v for v in model.variables if "seed_generator_state" in v.path]
    for number, state in enumerate(states):
        drawn = np.random.default_rng([seed, epoch, number]).integers(0, 2**31, state.shape)
        state.assign(drawn.astype(np.uint32))


def _save_state(model: Any, folder: Path, history: list[dict[str, float]]) -> None:
    """Weights, optimiser and history in one file that is replaced at once."""
    arrays = {f"w{i}": np.asarray(w) for i, w in enumerate(model.get_weights())}
    arrays |= {f"v{i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
    unfinished = folder / "state.part.npz"
    np.savez(unfinished, **arrays, history=np.array(json.dumps(history)))  # type: ignore[arg-type]  # names of its own
    unfinished.replace(folder / _STATE)


def _resume(model: Any, folder: Path) -> list[dict[str, float]]:
    """Take up what a run left; the history so far, empty for a new run, whole for a finished one."""
    if (folder / _HISTORY).exists():
        return _noted(folder)
    if not (folder / _STATE).exists():
        return []
    with np.load(folder / _STATE, allow_pickle=False) as state:
        model.set_weights([state[f"w{i}"] for i in range(len(model.get_weights()))])
        for i, variable in enumerate(model.optimizer.variables):
            variable.assign(state[f"v{i}"])
        history: list[dict[str, float]] = json.loads(str(state["history"]))
    return history


_HISTORY = "history.json"


def _note(folder: Path, history: list[dict[str, float]]) -> None:
    unfinished = folder / "history.part.json"
    unfinished.write_text(json.dumps(history, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(folder / _HISTORY)


def _noted(folder: Path) -> list[dict[str, float]]:
    noted: list[dict[str, float]] = json.loads((folder / _HISTORY).read_text(encoding="utf-8"))
    return noted


def _better(one: dict[str, float], other: dict[str, float]) -> bool:
    return (one["val_accuracy"], -one["val_loss"]) > (other["val_accuracy"], -other["val_loss"])


def _softmax(logits: NDArray[np.float32]) -> Probabilities:
    raised = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True)).reshape(-1, len(CLASSES))
