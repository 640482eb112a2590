# SPDX-License-Identifier: Apache-2.0
"""Every word that the device says, in five languages, chosen at run time.

One folder a language, one TOML file an area (``hi/home.toml``); a new screen adds one file to each language. The key of
a text is ``area.name``. Every language has every key with the same ``{placeholders}``; a test sees to that, and to a
sentence for every error code, every reason and every result. This is the ground of the house: errors, the printed
report and the screens all read their sentences here, and the English ones stand nowhere else.
"""

from __future__ import annotations

import logging
import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Protocol

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent
LANGUAGES = {
    "en": "English",
    "hi": "हिन्दी",
    "ta": "தமிழ்",
    "es": "Español",
    "fr": "Français",
}
"""Code and own name of every language, in the order in which they are offered."""

FALLBACK = "en"
DECIMAL_COMMA = frozenset({"es", "fr"})
"""Languages that write 12,8; the others write 12.8. Files and messages for programs always have the point."""


def texts(language: str) -> dict[str, str]:
    """All texts of the device in one language by key ``area.name``.

    Raises:
        KeyError: The language is none of ``LANGUAGES``.
    """
    return read_texts(FOLDER, language)


@cache
def read_texts(folder: Path, language: str) -> dict[str, str]:
    """All texts of one language by key ``area.name``.

    Args:
        folder: Holds a folder for each language, with a TOML file for each area.
        language: Its code.

    Raises:
        KeyError: The language is none of ``LANGUAGES``.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    found: dict[str, str] = {}
    for path in sorted((folder / language).glob("*.toml")):
        with path.open("rb") as stream:
            area = tomllib.load(stream)
        found.update({f"{path.stem}.{name}": text for name, text in area.items()})
    return found


class Coded(Protocol):
    """What has a stable code of its cause: every ``MammascopeError``."""

    @property
    def code(self) -> str:
        """Key of its sentence in ``errors.toml``."""


class Catalogue:
    """Gives the text for a key in one language; used by the device's screens and by the clinic's pages.

    A key that is missing is shown in English, else as the key itself, and noted in ``missing`` and in the log: a
    clinician must never lose a screen to a forgotten word, and a test must always see it.
    """

    def __init__(self, folder: Path, language: str) -> None:
        self.language = language
        self._folder = folder
        self._texts = read_texts(folder, language)
        self.missing: set[str] = set()

    def __call__(self, key: str, **params: object) -> str:
        """The text for ``key`` with its ``{placeholders}`` filled in from ``params``."""
        text = self._texts.get(key)
        if text is None:
            if key not in self.missing:
                log.warning("no text %s in %s", key, self.language)
            self.missing.add(key)
            text = read_texts(self._folder, FALLBACK).get(key, key)
        return text.format(**params) if params else text

    def has(self, key: str) -> bool:
        """Whether this language has ``key``."""
        return key in self._texts


class Translator(Catalogue):
    """The device's own texts in one language."""

    def __init__(self, language: str = FALLBACK) -> None:
        super().__init__(FOLDER, language)

    def number(self, value: float, decimals: int | None = None) -> str:
        """A number as people write it in this language, with so many decimals; unset: with those that it has."""
        said = f"{value:g}" if decimals is None else f"{value:.{decimals}f}"
        return said.replace(".", ",") if self.language in DECIMAL_COMMA else said

    def error(self, error: Coded) -> str:
        """The sentence for an error: what is wrong and what to do. Where it happened is ``error.where``."""
        return self(f"errors.{error.code}")

    def result(self, result: StrEnum) -> str:
        """The word for a ``ModelResult``."""
        return self(f"finding.result_{result.value}")

    def reason(self, reason: StrEnum) -> str:
        """The sentence for a ``Reason``: why a frame is not evaluable."""
        return self(f"finding.reason_{reason.value}")
