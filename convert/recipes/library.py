# SPDX-License-Identifier: Apache-2.0
"""Find recipes by name or file, and say exactly what is wrong with one.

The files are read as plain data: no tags, no aliases, no key twice, and a page of text at most.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from convert.recipes.recipe import Recipe

FOLDER = Path(__file__).parent / "files"
"""The recipes that come with the project."""

_LARGEST = 1 << 16
"""Bytes; a recipe is a page of text."""

_Recipes: TypeAdapter[Recipe] = TypeAdapter(Recipe)


class RecipeError(ValueError):
    """A recipe does not exist or cannot be used; the message names file, place and what would be allowed."""


def recipe_names() -> list[str]:
    """Names of the recipes of the project, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def recipe_file(name: str) -> Path:
    """The file of a recipe: that of the project of this name, or the file of this path.

    Raises:
        RecipeError: There is neither.
    """
    own = FOLDER / f"{name}.yaml"
    if name in recipe_names():
        return own
    path = Path(name)
    if path.is_file():
        return path
    raise RecipeError(f"{name}: neither a recipe nor a file; recipes are {', '.join(recipe_names())}")


def load_recipe(name: str) -> Recipe:
    """A recipe by name or path.

    Raises:
        RecipeError: It is not there, or not as recipes are.
    """
    path = recipe_file(name)
    try:
        return parse_recipe(read_plain_yaml(path))
    except ValidationError as error:
        raise RecipeError("\n".join(f"{path.name}: {_said(fault)}" for fault in error.errors())) from error


def parse_recipe(content: dict[str, Any]) -> Recipe:
    """A recipe from its content, as ``Recipe.model_dump`` gives it."""
    return _Recipes.validate_python(content)


def read_plain_yaml(path: Path) -> Any:
    """The content of a small YAML file without tags, aliases and repeated keys.

    Raises:
        RecipeError: It cannot be read, is too large, or is not of this kind; the message names the line.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise RecipeError(f"{path.name}: too large for a recipe (more than {_LARGEST // 1024} KiB)")
        text = path.read_text(encoding="utf-8")
        return yaml.load(text, _PlainLoader)  # noqa: S506 - a loader stricter than the safe one
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path.name}: not a text in UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f"line {error.problem_mark.line + 1}: "
        raise RecipeError(f"{path.name}: {line}{error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, RecipeError):
            raise
        raise RecipeError(f"{path.name}: not readable as YAML: {error}") from error
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror}") from error


class _PlainLoader(yaml.SafeLoader):
    """YAML's plain types only; an alias can blow a page up to gigabytes, a repeated key hides the first."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            problem = "aliases are not used in recipes"
            raise yaml.composer.ComposerError(None, None, problem, self.peek_event().start_mark)  # type: ignore[no-untyped-call]
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is one word", key.start_mark)
            if key.value in seen:
                problem = f"{key.value}: this key is there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _said(fault: Any) -> str:
    """One fault of pydantic in words: where it is and what would be right."""
    place = ".".join(str(part) for part in fault["loc"] if part not in ("network_recipe",))
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
