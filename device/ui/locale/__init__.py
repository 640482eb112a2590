"""The words on the screens, in five languages, chosen at run time.

One folder a language, one TOML file an area (``locale/hi/home.toml``), so that whoever writes a screen adds one file a
language. The key of a text is ``area.name``. Every language has every key with the same ``{placeholders}``; a test sees
to that, and to a sentence for every error code, every reason and every assessment.
"""

from __future__ import annotations

import logging
import tomllib
from functools import cache
from pathlib import Path

from device.errors import MammascopeError
from device.inference.finding import Assessment, Reason

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


@cache
def texts(language: str) -> dict[str, str]:
    """All texts of one language by key ``area.name``.

    Raises:
        KeyError: The language is none of ``LANGUAGES``.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    found: dict[str, str] = {}
    for path in sorted((FOLDER / language).glob("*.toml")):
        with path.open("rb") as stream:
            area = tomllib.load(stream)
        found.update({f"{path.stem}.{name}": text for name, text in area.items()})
    return found


class Translator:
    """Gives the text for a key in one language.

    A key that is missing is shown in English, else as the key itself, and noted in ``missing`` and in the log: a
    clinician must never lose a screen to a forgotten word, and a test must always see it.
    """

    def __init__(self, language: str = FALLBACK) -> None:
        self.language = language
        self._texts = texts(language)
        self.missing: set[str] = set()

    def __call__(self, key: str, **params: object) -> str:
        """The text for ``key`` with its ``{placeholders}`` filled in from ``params``."""
        text = self._texts.get(key)
        if text is None:
            if key not in self.missing:
                log.warning("no text %s in %s", key, self.language)
            self.missing.add(key)
            text = texts(FALLBACK).get(key, key)
        return text.format(**params) if params else text

    def has(self, key: str) -> bool:
        """Whether this language has ``key``."""
        return key in self._texts

    def error(self, error: MammascopeError) -> str:
        """The sentence for an error: what is wrong and what to do. Where it happened is ``error.where``."""
        return self(f"errors.{error.code}")

    def assessment(self, assessment: Assessment) -> str:
        """The word for an assessment."""
        return self(f"finding.assessment_{assessment.value}")

    def reason(self, reason: Reason) -> str:
        """The sentence that says why a frame is not evaluable."""
        return self(f"finding.reason_{reason.value}")
