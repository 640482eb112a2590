# SPDX-License-Identifier: Apache-2.0
"""What argparse refuses, refused in words: values with what would be allowed, old spellings with the new one."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

_LONGEST_PATH: Final = 4096  # PATH_MAX and NAME_MAX of Linux (limits.h), in bytes; the first counts the closing zero
_LONGEST_NAME: Final = 255
_SIDES: Final = range(64, 5001)


def any_path(text: str) -> Path:
    """A path that can exist. An empty one would be the current folder: ``"$STICK"``, when nothing was plugged in.

    Raises:
        ArgumentTypeError: It is empty, or longer than the system allows.
    """
    try:
        return Path(possible_path(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def possible_path(text: str) -> str:
    """The text of a path as it is, if the system could have such a path.

    Raises:
        ValueError: It is empty, holds a zero character, or is longer than the system allows.
    """
    if not text:
        raise ValueError("a path is needed, not an empty text")
    name = os.fsencode(text)
    if len(name) >= _LONGEST_PATH or max(len(part) for part in name.split(b"/")) > _LONGEST_NAME:
        raise ValueError(f"this path is longer than the system allows: {text[:40]!r} ...")
    if "\0" in text:
        raise ValueError("no path holds a zero character")
    return text


def day(text: str) -> date:
    """A day of the calendar, written as 2026-11-26.

    Raises:
        ArgumentTypeError: It is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"a day like 2026-11-26 is needed, not {text[:40]!r}") from error


def number_between(least: int, most: int) -> Callable[[str], int]:
    """What makes an argument a whole number with bounds, and refuses everything else by naming them.

    Args:
        least: Smallest number that is taken, 0 or more.
        most: Largest one.
    """

    def number(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,7}", text, re.ASCII) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most} is needed, not {text[:40]!r}")
        return int(text)

    return number


whole_number: Final = number_between(1, 1_000_000)
"""A number of things of which there is at least one."""

thread_count: Final = number_between(1, 64)
"""A number of threads that a runtime survives; thousands of them end the process without a word."""


def frame_size(text: str) -> tuple[int, int]:
    """Width and height of a frame in pixels, for instance ``1024x768``.

    Raises:
        ArgumentTypeError: It is none.
    """
    found = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", text, re.ASCII)
    if found is None or not all(int(side) in _SIDES for side in found.groups()):
        sides = f"{_SIDES.start} to {_SIDES.stop - 1}"
        raise argparse.ArgumentTypeError(f"a size of WIDTHxHEIGHT is needed, each side {sides}, not {text[:40]!r}")
    return int(found[1]), int(found[2])


def refuse_old_spelling(parser: argparse.ArgumentParser, renamed: Mapping[str, str]) -> None:
    """Answer an option of before by naming what it is called now; it is shown in no help.

    Args:
        parser: Of the verb.
        renamed: What is typed today, by the option of before.
    """
    for option, today in renamed.items():
        parser.add_argument(option, action=_Renamed, const=today, nargs=0, help=argparse.SUPPRESS)


class _Renamed(argparse.Action):
    """Ends the parsing at an option that has another name now."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        del namespace, values
        parser.error(f"{option_string} is called {self.const!r} now")
