# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pygame
import pytest

from device.errors import FontMissingError
from device.fonts.files import Script, file_name, missing_files
from device.fonts.shaping import FontBook, runs

SHAPED = {Script.DEVANAGARI: ("क्षि", "स्त्री", "हिन्दी"), Script.TAMIL: ("கொ", "த்தை", "ஸ்ரீ")}


@pytest.fixture
def fonts() -> FontBook:
    if missing_files():
        pytest.skip(f"fonts-noto-core is not installed: {missing_files()}")
    return FontBook()


def test_text_is_cut_into_runs_of_one_script() -> None:
    text = "BI-RADS 4: क्षि (5 mm) த்தை"
    found = list(runs(text))
    assert "".join(run for _, run in found) == text
    assert [script for script, _ in found] == [
        Script.LATIN,
        Script.DEVANAGARI,
        Script.LATIN,
        Script.TAMIL,
    ]


def test_a_joiner_stays_in_its_run() -> None:
    assert list(runs("क्\u200dष")) == [(Script.DEVANAGARI, "क्\u200dष")]


@pytest.mark.parametrize(("script", "word"), [(s, w) for s, words in SHAPED.items() for w in words])
def test_clusters_are_shaped(fonts: FontBook, script: Script, word: str) -> None:
    # Shaping joins or reorders glyphs, so the picture differs from one glyph a character with the same font.
    path = fonts.path(script, False)
    unshaped = pygame.font.Font(path, 32).render(word, True, (0, 0, 0))
    shaped = fonts.render(word, 32, False, (0, 0, 0))
    assert pygame.image.tobytes(shaped, "RGBA") != pygame.image.tobytes(unshaped, "RGBA")
    assert fonts.size(word, 32, False)[0] == shaped.get_width()


def test_ligatures_are_narrower_than_their_parts(fonts: FontBook) -> None:
    whole = fonts.size("क्ष", 32, False)[0]
    assert whole < sum(fonts.size(part, 32, False)[0] for part in ("क", "ष"))


def test_a_mixed_line_has_no_empty_boxes(fonts: FontBook) -> None:
    # NotoSansDevanagari has no Latin letters: drawn with it alone they would all be the same empty box.
    letters = {pygame.image.tobytes(fonts.render(f"हि{c}", 32, False, (0, 0, 0)), "RGBA") for c in "ABC"}
    assert len(letters) == 3


def test_half_a_character_is_drawn_as_a_mark(fonts: FontBook) -> None:
    assert fonts.size("caf\udce9", 20, False) == fonts.size("caf\ufffd", 20, False)
    assert fonts.render("caf\udce9", 20, False, (0, 0, 0)).get_width() > 0


def test_missing_fonts_are_refused_by_name(tmp_path: Path) -> None:
    book = FontBook([tmp_path])
    for language, script in (("hi", Script.DEVANAGARI), ("ta", Script.TAMIL)):
        with pytest.raises(FontMissingError) as refused:
            book.require(language)
        assert file_name(script) in str(refused.value)
    assert len(missing_files([tmp_path])) == 2 * len(Script)


def test_latin_text_needs_no_installed_font(tmp_path: Path) -> None:
    book = FontBook([tmp_path])
    for language in ("en", "es", "fr"):
        book.require(language)
    assert book.render("Éxito", 20, True, (0, 0, 0)).get_width() > 20
