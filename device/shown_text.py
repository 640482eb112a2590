# SPDX-License-Identifier: Apache-2.0
"""Text from outside that is shown to people, on the screen or in a terminal.

Control characters forge lines and steer terminals; marks of direction make a text read as another one. Neither belongs
into a name. A file's name cannot be refused, so there they are written out instead.
"""

from __future__ import annotations

import unicodedata

_STEERING = {"Cc", "Cs", "Zl", "Zp"}
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def steers(char: str) -> bool:
    """Whether a character changes how others are shown: controls, line ends, half characters, marks of direction."""
    return char in _DIRECTIONS or unicodedata.category(char) in _STEERING


def checked_shown_text(text: str) -> str:
    """The text as it is, if nothing in it changes how it is shown.

    Raises:
        ValueError: Something does.
    """
    if any(steers(char) for char in text):
        raise ValueError("control characters and marks of direction do not belong here")
    return text


def written_out(text: str) -> str:
    r"""Text for one line of a terminal: what steers, and bytes of names that are not UTF-8, written as ``\x1b``."""
    return "".join(_escaped(char) if steers(char) else char for char in text)


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as Python carries it (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
