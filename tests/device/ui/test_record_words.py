# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from device.ui.record_words import size
from device.words import Translator


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["12 KB", "900 MB", "1.5 GB"]),
        ("es", ["12 KB", "900 MB", "1,5 GB"]),
        ("fr", ["12 Ko", "900 Mo", "1,5 Go"]),
        ("hi", ["12 KB", "900 MB", "1.5 GB"]),
        ("ta", ["12 KB", "900 MB", "1.5 GB"]),
    ],
)
def test_bytes_are_said_as_the_language_says_them(language: str, said: list[str]) -> None:
    t = Translator(language)
    assert [size(t, count).replace("\u00a0", " ") for count in (12_000, 900_000_000, 1_500_000_000)] == said
