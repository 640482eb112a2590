# SPDX-License-Identifier: Apache-2.0
"""Which runs a comparison consists of, and its recipes made small for a quick look."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from convert.compare.protocols import PARTS, Protocol
from convert.compare.task import DataChoice, Task
from convert.data.datasets.mammograms import MAMMOGRAMS
from convert.recipes.architectures import ARCHITECTURES, smallest_size
from convert.recipes.library import RecipeError
from convert.recipes.recipe import CadxRecipe, NetworkRecipe, OutlineRecipe, OwnRecipe, Recipe
from convert.train.architectures.weights import Weights, available_weights, wanted_weights

_QUICK_SIZE = 48
_QUICK_PICTURES = 32


@dataclass(frozen=True, slots=True)
class Plan:
    """A comparison.

    Attributes:
        recipes: Its rows, ours among them: everything is set against ours.
        data: Which images.
        parts: How many of the parts are tested in turn, 1 to ``PARTS``.
        unseen: Sets that are left out in turn.
        backbones: Folder of weights files that stand for ``imagenet``.
        quick: Small pictures, one epoch, one part, random weights where no file is given (nothing is downloaded): to
            see that everything works, not what it is worth.
        whole: Train rows to the end that are cut short otherwise.
    """

    recipes: tuple[Recipe, ...]
    data: DataChoice
    parts: int = PARTS
    unseen: tuple[str, ...] = ()
    backbones: Path | None = None
    quick: bool = False
    whole: bool = False


def make_quick(recipe: Recipe) -> Recipe:
    """The same recipe on the smallest pictures that its network can take."""
    match recipe:
        case NetworkRecipe() | CadxRecipe():
            size = max(_QUICK_SIZE, smallest_size(recipe.network.architecture))
            return recipe.model_copy(update={"picture": recipe.picture.model_copy(update={"size": size})})
        case OwnRecipe():
            return recipe.model_copy(update={"size": 64})
    return recipe


def weights_of(recipe: Recipe, backbones: Path | None, download: bool = True) -> Weights:
    """What the network of a recipe begins with, here.

    Args:
        recipe: Whose.
        backbones: Folder of weights files that stand for ``imagenet``.
        download: Whether ImageNet's may be downloaded; random ones take their place otherwise.

    Raises:
        WeightsError: A file was asked for and cannot be read.
    """
    match recipe:
        case NetworkRecipe() | CadxRecipe():
            architecture, wanted = recipe.network.architecture, recipe.network.weights
        case OwnRecipe():
            architecture, wanted = recipe.backbone, recipe.weights
        case _:
            return Weights("random")
    if download:
        return available_weights(architecture, wanted, backbones)
    found = wanted_weights(architecture, wanted, backbones)
    return Weights("random") if found.kind == "imagenet" else found


def plan_tasks(plan: Plan) -> list[Task]:
    """All runs: light recipes first, the first part of every recipe before the second of any.

    So what an interrupted comparison has is whole rows.

    Raises:
        RecipeError: Ours is not among the recipes, or a name is there twice.
        DatasetError: No data set was named.
        ValueError: A set to be left out does not take part.
    """
    names = [recipe.name for recipe in plan.recipes]
    if len(set(names)) < len(names):
        raise RecipeError(f"a recipe is named twice: {', '.join(sorted({n for n in names if names.count(n) > 1}))}")
    known = {sample.dataset for sample in plan.data.load()}
    own = [recipe.name for recipe in plan.recipes if isinstance(recipe, OwnRecipe)]
    if not own and not known <= set(MAMMOGRAMS):
        raise RecipeError("everything is compared with ours: name the recipe mammascope, too")
    if own and known & set(MAMMOGRAMS):
        raise RecipeError(f"{own[0]} looks at breast ultrasound: name other recipes for mammograms")
    testable = known | {sample.dataset for sample in plan.data.load_external()}
    if not set(plan.unseen) <= testable:
        absent = ", ".join(sorted(set(plan.unseen) - testable))
        raise ValueError(f"--unseen: {absent} does not take part; there is {', '.join(sorted(testable))}")
    order = sorted(plan.recipes, key=_costs)
    # Light networks first: whether there is a connection at all shows when the first of them is built.
    weights = {recipe.name: weights_of(recipe, plan.backbones, download=not plan.quick) for recipe in order}
    return [
        Task(
            recipe=recipe,
            weights=weights[recipe.name],
            protocol=protocol,
            part=part,
            unseen=unseen,
            data=plan.data,
            epochs=_epochs(recipe, plan),
            pictures=_pictures(recipe, plan),
        )
        for part in range(1 if plan.quick else plan.parts)
        for recipe in order
        for protocol, unseen in _divisions(plan, part)
    ]


def _divisions(plan: Plan, part: int) -> list[tuple[Protocol, str]]:
    """Each unseen set is tested whole, so once."""
    own = [(Protocol.GROUPED, ""), (Protocol.RANDOM, "")]
    return own if part else [*own, *((Protocol.UNSEEN, name) for name in plan.unseen)]


def _costs(recipe: Recipe) -> int:
    """Roughly in the order of what a recipe costs; see ``convert.recipes.architectures``."""
    match recipe:
        case NetworkRecipe() | CadxRecipe():
            return ARCHITECTURES.index(recipe.network.architecture)
        case OwnRecipe():
            return ARCHITECTURES.index(recipe.backbone)  # trained for long, but the row that all others stand beside
    return -1


def cut_short(recipe: Recipe, plan: Plan) -> bool:
    """Whether a row is trained only so far that its loss is seen to fall."""
    return not isinstance(recipe, OutlineRecipe) and (plan.quick or (recipe.cut_short is not None and not plan.whole))


def _epochs(recipe: Recipe, plan: Plan) -> int | None:
    if plan.quick:
        return 2 if isinstance(recipe, OwnRecipe) else 1
    return None if plan.whole else recipe.cut_short


def _pictures(recipe: Recipe, plan: Plan) -> int | None:
    if not isinstance(recipe, OwnRecipe) or plan.whole:
        return None
    return _QUICK_PICTURES if plan.quick else recipe.cut_short_pictures
