# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pygame
import pytest

from device.fonts.files import missing_files
from device.ui.context import Ui
from device.ui.theme.palette import Ink
from device.ui.theme.text import Style, TextPainter, clusters


@pytest.fixture
def surface() -> pygame.Surface:
    return pygame.Surface((800, 480))


@pytest.fixture
def text() -> TextPainter:
    return Ui((800, 480)).text


def _draw(text: TextPainter, surface: pygame.Surface, words: str, rect: pygame.Rect) -> None:
    text.draw(surface, text.wrap(words, Style.BODY, rect.width), rect, Style.BODY, Ink.BODY)


def test_nothing_is_smaller_than_18_pixels() -> None:
    for size in ((800, 480), (1024, 600), (720, 1280), (480, 800)):
        painter = Ui(size).text
        assert min(painter.px(style) for style in Style) >= 18


def test_wrapping_keeps_every_word_and_the_width(text: TextPainter) -> None:
    words = "The picture is too dark. Raise the gain, then take it again."
    lines = text.wrap(words, Style.BODY, 200)
    assert " ".join(lines) == words
    assert len(lines) > 1
    assert all(text.width(line, Style.BODY) <= 200 for line in lines)


def test_no_line_begins_with_a_separator(text: TextPainter) -> None:
    words = "2026-11-26 · Pictures: 1 · BI-RADS 4A"
    for width in range(90, 400, 10):
        lines = text.wrap(words, Style.SMALL, width)
        assert " ".join(lines) == words
        assert not [line for line in lines if line.startswith("·")]


def test_a_count_stays_with_what_is_counted(text: TextPainter) -> None:
    for words in ("2026-11-26 16:30 · Pictures: 1 · BI-RADS 4A", "2026-11-26 16:30 · Images\N{NO-BREAK SPACE}: 12"):
        for width in range(90, 400, 10):
            lines = text.wrap(words, Style.SMALL, width)
            assert " ".join(lines) == words
            assert not [line for line in lines if line.endswith(":")]


def test_a_file_name_breaks_between_clusters_only_where_allowed(text: TextPainter) -> None:
    name = "ultrasound_export_0000000000000000000000000001.dcm"
    assert text.wrap(name, Style.BODY, 200) == [name]
    pieces = text.wrap(name, Style.BODY, 200, break_words=True)
    assert "".join(pieces) == name
    assert all(text.width(piece, Style.BODY) <= 200 for piece in pieces)


def test_shortening_fits_and_keeps_the_beginning(text: TextPainter) -> None:
    short = text.shorten("Clínica Nuestra Señora de la Candelaria", Style.BODY, 180)
    assert text.width(short, Style.BODY) <= 180
    assert short.startswith("Clínica")
    assert short.endswith("…")
    assert text.shorten("Ana", Style.BODY, 180) == "Ana"


def test_what_is_seen_is_listed_with_its_place(text: TextPainter, surface: pygame.Surface) -> None:
    _draw(text, surface, "Unlock", pygame.Rect(100, 50, 300, 60))
    (seen,) = text.seen
    assert seen.text == "Unlock"
    assert pygame.Rect(100, 50, 300, 60).contains(seen.rect)
    assert not text.overflows


def test_a_text_larger_than_its_place_is_reported(text: TextPainter, surface: pygame.Surface) -> None:
    _draw(text, surface, "two words that need lines", pygame.Rect(0, 0, 120, 30))
    assert text.overflows
    text.begin()
    _draw(text, surface, "Incomprehensibilities", pygame.Rect(0, 0, 60, 100))
    assert text.overflows


def test_a_text_that_leaves_the_screen_is_reported(text: TextPainter, surface: pygame.Surface) -> None:
    _draw(text, surface, "Unlock", pygame.Rect(780, 100, 200, 40))
    assert text.overflows


def test_what_lies_behind_something_opaque_is_not_seen(text: TextPainter, surface: pygame.Surface) -> None:
    _draw(text, surface, "patient name", pygame.Rect(10, 10, 300, 40))
    _draw(text, surface, "beside", pygame.Rect(500, 300, 200, 40))
    text.cover(pygame.Rect(0, 0, 400, 200))
    assert [seen.text for seen in text.seen] == ["beside"]


@pytest.mark.parametrize(
    ("word", "parts"),
    [("क्षि", ["क्षि"]), ("हिन्दी", ["हि", "न्दी"]), ("தமிழ்", ["த", "மி", "ழ்"]), ("e\u0301a", ["e\u0301", "a"])],
)
def test_clusters_stay_whole(word: str, parts: list[str]) -> None:
    assert list(clusters(word)) == parts


@pytest.mark.parametrize("word", ["सहेजें", "சேமி"])
def test_a_word_stands_on_the_same_line_whatever_stands_beside_it(text: TextPainter, word: str) -> None:
    """Else buttons side by side stand at different heights, and words beside their icons too high."""
    if missing_files():
        pytest.skip(f"fonts-noto-core is not installed: {missing_files()}")
    room, width = pygame.Rect(10, 10, 300, 64), text.width(word, Style.STRONG)

    def ink(words: str) -> pygame.Rect:
        drawn = pygame.Surface((320, 84))
        text.draw(drawn, [words], room, Style.STRONG, Ink.BODY)
        first = drawn.subsurface(pygame.Rect(0, 0, room.x + width, 84))
        return pygame.mask.from_threshold(first, (255, 255, 255), (160, 160, 160)).get_bounding_rects()[0]

    assert ink(word).y == ink(f"{word} 4A").y


def test_a_text_of_two_sizes_takes_the_smaller_before_it_is_cut(text: TextPainter) -> None:
    hint = "Search by code, name or note"
    assert text.fitted(hint, 400, 60) == ([hint], Style.BODY)
    lines, style = text.fitted(hint, 200, 60)
    assert (" ".join(lines), style) == (hint, Style.SMALL)
    lines, style = text.fitted(hint, 120, 60)
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert all(text.width(line, style) <= 120 for line in lines)
