# SPDX-License-Identifier: Apache-2.0
"""Values of the settings file that are not allowed: taken out so that the rest applies, and kept in the file.

One mistyped value must not keep a handheld from starting, and nobody who changes the brightness on the screen has meant
to delete what a technician has typed. So such a value is put aside with the sentence about it, its default applies, and
saving writes it back where it was until it is set anew.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

MOST: Final = 8
"""A file with more wrong values than this is of another kind altogether."""

Key = tuple[int | str, ...]
"""Section, sections inside it, and key; a number is a place in a list of tables."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """One value of the file.

    Attributes:
        key: Where it stands.
        value: What stands there.
        words: The key, what is wrong with it and what is allowed, in English.
    """

    key: Key
    value: Any
    words: str

    def is_set_by(self, key: Key) -> bool:
        """Whether setting ``key`` leaves nothing of this value."""
        shorter = min(len(key), len(self.key))
        return key[:shorter] == self.key[:shorter]


def place_of(written: Mapping[str, Any], problem: Sequence[int | str]) -> Key:
    """The smallest part of a file that can be left out for a problem to go away: a key, or a table of a list of tables.

    Args:
        written: What the file holds.
        problem: Where pydantic has found something, deeper than the file goes where a value may be of several kinds.
    """
    value: Any = written
    for depth, part in enumerate(problem):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif depth == 1 and isinstance(value, list) and isinstance(part, int) and _is_table(value, part):
            return tuple(problem[:2])
        else:
            return tuple(problem[:depth])
    return tuple(problem)


def _is_table(tables: list[Any], number: int) -> bool:
    return number < len(tables) and all(isinstance(table, dict) for table in tables)


def without(written: Mapping[str, Any], places: Iterable[Key]) -> tuple[dict[str, Any], dict[Key, Any]]:
    """What a file holds but for some places, and what stands there.

    Args:
        written: What the file holds.
        places: Each of them is there.
    """
    left, taken = copy.deepcopy(dict(written)), {}
    # The last first, so that no place in a list moves; a part of what is gone already is gone with it.
    for place in sorted(set(places), key=lambda key: [(isinstance(part, int), part) for part in key], reverse=True):
        inside: Any = left
        for part in place[:-1]:
            inside = inside[part]
        taken[place] = inside.pop(place[-1])
    return left, taken


def put_back(written: Mapping[str, Any], kept: Iterable[Unusable]) -> dict[str, Any]:
    """What is written to the file: the settings, and what was put aside."""
    whole = copy.deepcopy(dict(written))
    for one in kept:
        inside: Any = whole
        for part in one.key[:-1]:
            inside = inside.setdefault(part, [] if isinstance(one.key[-1], int) and part == one.key[-2] else {})
        if isinstance(inside, list):
            inside.append(one.value)
        else:
            inside[one.key[-1]] = one.value
    return whole
