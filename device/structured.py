# SPDX-License-Identifier: Apache-2.0
"""TOML and JSON of unknown origin, read so that whatever stands in it gives values or one sentence.

The parsers of the standard library are correct but unbounded: a page of brackets exceeds the interpreter's stack, a
line of dots takes minutes, a number of fifty thousand digits is an exception of its own, and half a surrogate pair
breaks the program that writes the text out later. All readers of settings, site files, access and answers come here.
"""

from __future__ import annotations

import json
import tomllib
from typing import Any, Final

DEEPEST: Final = 32
"""Levels of tables and lists inside each other; what this program reads has five."""

_MOST_DOTS: Final = 64
"""In one line of TOML: each dot of a key costs time for all before it."""

_MOST_BITS: Final = 64
"""Of a whole number: as many as TOML promises. Written in hexadecimal, one could have millions."""

_MARK: Final = b"\xef\xbb\xbf"
_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


class StructureError(ValueError):
    """The text is not what it should be; the message is a short phrase without any value of it."""


def parse_toml(content: bytes) -> dict[str, Any]:
    """The table that a TOML file holds; a byte order mark, as Windows editors write it, is no part of it.

    Args:
        content: UTF-8, its size bounded by the reader of the file.

    Raises:
        StructureError: It is not TOML, or nested beyond reason.
    """
    text = _text(content)
    if any(line.count(".") > _MOST_DOTS for line in text.splitlines()):
        raise StructureError("a line has too many dots")
    try:
        table = tomllib.loads(text)
        _check(table)
        return table
    except tomllib.TOMLDecodeError as error:
        raise StructureError(_where(error)) from None
    except (RecursionError, OverflowError, ValueError) as error:
        raise _named(error) from None


def parse_json(content: bytes) -> Any:
    """The value that a JSON text holds.

    Args:
        content: UTF-8, its size bounded by the caller.

    Raises:
        StructureError: It is not JSON, or nested beyond reason.
    """
    try:
        value = json.loads(_text(content), parse_constant=_no_constant)
        _check(value)
        return value
    except json.JSONDecodeError as error:
        raise StructureError(f"not valid JSON (line {error.lineno}, column {error.colno})") from None
    except (RecursionError, OverflowError, ValueError) as error:
        raise _named(error) from None


def _text(content: bytes) -> str:
    if content.startswith(_WIDE_MARKS):
        raise StructureError("not saved as UTF-8; save it again with this encoding")
    try:
        return content.removeprefix(_MARK).decode("utf-8")
    except UnicodeDecodeError:
        raise StructureError("not saved as UTF-8; save it again with this encoding") from None


def _where(error: tomllib.TOMLDecodeError) -> str:
    """What is wrong and where; a message that repeats a piece of the text is cut to its place."""
    words = str(error)
    place = words[words.rfind("(at ") :] if "(at " in words else ""
    known = words.removesuffix(place).strip()
    return f"not valid TOML: {known if known.isascii() and len(known) < 80 else 'it cannot be read'} {place}".rstrip()


def _named(error: Exception) -> StructureError:
    if isinstance(error, StructureError):
        return error
    if isinstance(error, RecursionError):
        return StructureError("nested too deeply")
    return StructureError("a number or date in it is out of all bounds")


def _no_constant(name: str) -> float:
    raise StructureError(f"{name} is not a number")


def _check(value: Any) -> None:
    """Refuse what is too deep, or holds a text or a number that cannot be written out again."""
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
                inner += one.keys()
            elif isinstance(one, list):
                inner += one
            elif isinstance(one, str) and not _writable(one):
                raise StructureError("a text in it holds half a character")
            elif isinstance(one, int) and one.bit_length() > _MOST_BITS:
                raise StructureError("a number or date in it is out of all bounds")
        if not inner:
            return
        level = inner
    raise StructureError("nested too deeply")


def _writable(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)
