# SPDX-License-Identifier: Apache-2.0
"""The ``.tflite`` files of a comparison's networks, float and int8, for their size, speed and memory.

They have the weights that a recipe begins with, not those of a training: size and time do not depend on them. The
mammography chain is fitted, because its size depends on how many components and support vectors it keeps. Files are
kept by the recipe's content, so that a comparison that goes on does not convert again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convert.compare.cost.operations import multiply_adds, parameters
from convert.compare.task import Task
from convert.recipes.recipe import CadxRecipe, NetworkRecipe, OutlineRecipe, OwnRecipe
from device.files import write_atomically

_REPRESENTATIVE = 4
"""Pictures for the ranges of activations: time does not depend on them, and figures are of the float network."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A network on disk.

    Attributes:
        float32: The float file.
        int8: The integer file.
        parameters: Number.
        multiply_adds: Of one pass.
        integer: Whether everything in ``int8`` is computed in integers.
    """

    float32: Path
    int8: Path
    parameters: int
    multiply_adds: int
    integer: bool


def export(task: Task, cache: Path) -> Exported | None:
    """The files of a recipe; ``None`` for one without a network.

    Args:
        task: A run of the recipe, for its weights and, of the mammography chain, its images.
        cache: Folder for features and files.

    Raises:
        WeightsError: The weights cannot be had.
    """
    if isinstance(task.recipe, OutlineRecipe):
        return None
    folder = cache / "exports" / _name(task)
    float32, int8, facts = (folder / name for name in ("float32.tflite", "int8.tflite", "facts.json"))
    if not facts.exists():
        _convert(task, cache, folder, float32, int8, facts)
    noted = json.loads(facts.read_text(encoding="utf-8"))
    return Exported(float32, int8, noted["parameters"], noted["multiply_adds"], noted["integer"])


def _convert(task: Task, cache: Path, folder: Path, float32: Path, int8: Path, facts: Path) -> None:
    from convert.quantise import to_float, to_int8

    network = whole_network(task, cache)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(float32, to_float(network), 0o644)
    shape = network.input_shape[1:]
    shown = np.random.default_rng(0).integers(0, 256, (_REPRESENTATIVE, *shape)).astype(np.float32)
    # A square and an exponential of the support vectors have no integer form that keeps its meaning: they stay float.
    integer = not isinstance(task.recipe, CadxRecipe)
    write_atomically(int8, to_int8(network, shown, whole=integer), 0o644)
    noted = {"parameters": parameters(network), "multiply_adds": multiply_adds(network), "integer": integer}
    write_atomically(facts, json.dumps(noted).encode(), 0o644)


def whole_network(task: Task, cache: Path) -> Any:
    """The network of a recipe from the bytes of a picture to its answer."""
    match task.recipe:
        case NetworkRecipe() as recipe:
            from convert.train.architectures.base import build_base
            from convert.train.heads import build_head, joined, takes_pooled

            channels = 3 if recipe.picture.colour == "pseudocolour" else 1
            name, size = recipe.network.architecture, recipe.picture.size
            base = build_base(name, size, channels, task.weights, recipe.network.frozen)
            shape = base.output_shape[-1:] if takes_pooled(recipe.head) else base.output_shape[1:]
            return joined(base, build_head(recipe.head, shape))
        case CadxRecipe() as recipe:
            from convert.cadx.chain import chain_head
            from convert.compare.carry_out import fitted_chain
            from convert.train.heads import joined

            chain, features = fitted_chain(task, recipe, task.split(), cache)
            return joined(features.base, chain_head(chain))
        case OwnRecipe() as recipe:
            from convert.compare.own import network_spec
            from convert.train.network import build_network

            return build_network(network_spec(recipe, task.weights))
    raise ValueError(f"{task.recipe.name}: this recipe has no network")


def _name(task: Task) -> str:
    what = task.recipe.model_dump(mode="json", exclude={"title", "source", "published"})
    # Only the chain's size depends on what it is fitted on.
    fitted = task.name() if isinstance(task.recipe, CadxRecipe) else ""
    digest = hashlib.sha256(json.dumps([1, what, asdict(task.weights), fitted], sort_keys=True).encode())
    return f"{task.recipe.name}-{digest.hexdigest()[:16]}"
