# SPDX-License-Identifier: Apache-2.0
"""What ``recipes``, ``recipes show`` and ``recipes check`` print."""

from __future__ import annotations

from convert.recipes.library import load_recipe, recipe_file, recipe_names
from convert.recipes.recipe import CadxRecipe, NetworkRecipe, OwnRecipe, Recipe


def list_recipes() -> str:
    """All recipes of the project, one a line."""
    names = recipe_names()
    width = max(len(name) for name in names)
    return "\n".join(f"{name:<{width}}  {describe(load_recipe(name))}" for name in names)


def show_recipe(name: str) -> str:
    """The file of a recipe, as it is; its header says how it is started.

    Raises:
        RecipeError: There is none, or it cannot be used.
    """
    load_recipe(name)
    return recipe_file(name).read_text(encoding="utf-8").rstrip("\n")


def check_recipe(name: str) -> str:
    """One line about a recipe that can be used.

    Raises:
        RecipeError: What is wrong with it, and where.
    """
    return f"{name}: good. {describe(load_recipe(name))}"


def describe(recipe: Recipe) -> str:
    """A recipe in one line."""
    match recipe:
        case NetworkRecipe():
            fitted = "head fitted" if recipe.network.frozen else "trained"
            epochs = f"{recipe.training.epochs} epochs"
            return f"{recipe.title}: {recipe.picture.size} pixels, {recipe.network.weights}, {fitted}, {epochs}"
        case CadxRecipe():
            what = f"{recipe.picture.size} pixels, {recipe.network.weights}"
            return f"{recipe.title}: {what}, at most {recipe.components} components"
        case OwnRecipe():
            return (
                f"{recipe.title}: {recipe.size} pixels, {recipe.weights}, {recipe.epochs} epochs of {recipe.pictures}"
            )
    return f"{recipe.title}: nothing to train"
