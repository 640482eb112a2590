# SPDX-License-Identifier: Apache-2.0
"""The words of the pages, in the handheld's five languages: one folder a language, one TOML file an area.

The texts are the pages' own; how they are read, which languages there are and what is shown for a missing key is the
handheld's (``device.words``). Every language has every key with the same ``{placeholders}``; tests see to it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from device.words import Catalogue, read_texts

FOLDER: Final = Path(__file__).parent


def texts(language: str) -> dict[str, str]:
    """All texts of the pages in one language by key.

    Raises:
        KeyError: There is no such language.
    """
    return read_texts(FOLDER, language)


@cache
def catalogue(language: str) -> Catalogue:
    """Gives the pages' texts in one language.

    Raises:
        KeyError: There is no such language.
    """
    return Catalogue(FOLDER, language)
