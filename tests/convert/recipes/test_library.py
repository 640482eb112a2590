# SPDX-License-Identifier: Apache-2.0
"""Recipes are data: the project's are good and say how they are started; any other file gives one sentence at most."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convert.recipes.library import FOLDER, RecipeError, load_recipe, recipe_names
from convert.recipes.recipe import CadxRecipe, NetworkRecipe, OutlineRecipe, OwnRecipe
from convert.recipes.show import check_recipe, list_recipes, show_recipe

GOOD = """name: mine
kind: network
title: mine
source: a test
picture: {size: 64}
network: {architecture: simple_cnn, weights: random, frozen: false}
"""


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_every_system_that_this_project_comes_from_is_a_recipe() -> None:
    wanted = {
        "efficientnet_b7", "simple_cnn", "alexnet", "vgg16", "resnet50", "densenet201", "inception_v3", "nasnet_mobile",
        "nasnet_large", "mobilenet_v2", "efficientnet_lite0", "cadx_nasnet_large", "classical_outline", "mammascope",
    }  # fmt: skip
    assert wanted <= set(recipe_names())


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_of_the_project_is_good_and_its_header_is_its_command(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    header = [line for line in show_recipe(name).splitlines() if line.startswith("#")]
    (command,) = [line for line in header if "python -m convert" in line]
    verb = "compare --recipes" if isinstance(recipe, OutlineRecipe) else "train --recipe"
    assert f"{verb} {name}" in command
    assert f"{name} " in list_recipes()


def test_the_published_recipe_is_as_published() -> None:
    recipe = load_recipe("efficientnet_b7")
    assert isinstance(recipe, NetworkRecipe)
    assert (recipe.picture.size, recipe.network.frozen, recipe.network.weights) == (256, True, "imagenet")
    assert (len(recipe.head.convolutions), len(recipe.head.dense)) == (2, 2)
    assert (recipe.training.rate, recipe.training.batch, recipe.training.epochs) == (1e-3, 32, 30)
    assert recipe.published is not None
    assert recipe.published.f1 == {"benign": 0.88, "malignant": 0.83, "normal": 0.75}


def test_the_mammography_chain_is_as_published() -> None:
    recipe = load_recipe("cadx_nasnet_large")
    assert isinstance(recipe, CadxRecipe)
    assert (recipe.components, recipe.penalty, recipe.folds) == (404, 1.0, 5)
    assert recipe.picture.colour == "pseudocolour"
    assert isinstance(load_recipe("mammascope"), OwnRecipe)


def test_a_file_of_ones_own_is_a_recipe_too(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    assert load_recipe(path).name == "mine"
    assert "good" in check_recipe(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("size: 64", "size: 16"), r"picture\.size.*32"),
        (GOOD.replace("size: 64", "sise: 64"), r"sise.*not permitted"),
        (GOOD.replace("simple_cnn", "resnet51"), r"resnet51: unknown architecture.*resnet50"),
        (GOOD.replace("architecture: simple_cnn", "architecture: inception_v3"), r"inception_v3 needs pictures of 75"),
        (GOOD + "training: {epochs: 0}\n", r"training\.epochs.*1"),
        (GOOD + "training: {rate: .nan}\n", r"training\.rate"),
        (GOOD.replace("frozen: false", "frozen: true") + "training: {augment: true}\n", r"frozen network"),
        (GOOD.replace("kind: network", "kind: netwerk"), r"netwerk"),
        (GOOD + "published: {claim: x, f1: {cyst: 0.5}}\n", r"cyst is no class"),
        (GOOD + "name: other\n", r"line 7: name: this key is there twice"),
        (GOOD.replace("title: mine", "title: &a mine\nx: *a"), r"aliases are not used"),
        (
            GOOD.replace("a test", "!!python/object/apply:os.system [true]"),
            r"line 4: could not determine a constructor",
        ),
        ("[" * 5000, r"mine\.yaml"),
        ("name: [", r"line \d"),
        ("", r"mine\.yaml"),
        ("just words", r"mine\.yaml"),
        ("a: " + "x" * 70_000, r"too large"),
        ("? {a: 1}\n: 2\n", r"mine\.yaml"),
    ],
)
def test_a_wrong_recipe_says_where_and_what(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        load_recipe(written(tmp_path, text))


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xff\xfe\x00name")
    with pytest.raises(RecipeError, match=r"mine\.yaml: not a text"):
        load_recipe(str(path))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match="nasnet_mobile"):
        load_recipe("nasnet")


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(text=st.text(max_size=300) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
def test_whatever_the_file_holds_it_is_refused_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "any.yaml"
    path.write_text(GOOD + text, encoding="utf-8", errors="replace")
    said = ""
    try:
        load_recipe(str(path))
    except RecipeError as error:
        said = str(error)
    assert not said or said.startswith("any.yaml")


def test_recipes_travel_with_the_package() -> None:
    assert all((FOLDER / f"{name}.yaml").is_file() for name in recipe_names())
    settings_file = FOLDER.parents[2] / "pyproject.toml"
    assert '"*.yaml"' in settings_file.read_text(encoding="utf-8")
