# SPDX-License-Identifier: Apache-2.0
"""What pydantic found wrong, as one line for a person: the key and the rule, never the value that was given.

Settings, site files, credentials and the manifests of bundles and updates are all checked by pydantic; what it finds is
said here for all of them, because the value of a key may be a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydantic import ValidationError

_MOST: Final = 8
"""Problems that are named; one file with more of them is of another kind altogether."""

_LONGEST: Final = 200
"""Characters of one problem."""


def in_words(error: ValidationError, whole: str = "the file") -> str:
    """Every problem with its key, separated by semicolons.

    Args:
        error: From pydantic.
        whole: What is named where a problem concerns no single key.
    """
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{key_of(problem, whole)}: {problem['msg']}"[:_LONGEST] for problem in problems[:_MOST])


def key_of(problem: Mapping[str, Any], whole: str = "the file") -> str:
    """The key that one problem concerns, with the sections that it is in: ``display.rotation``."""
    return ".".join(str(part) for part in problem["loc"]) or whole
