# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import device.records.report
import device.ui
from device import errors, words
from device.errors import MammascopeError
from device.inference.finding import Caution, ModelResult, Reason
from device.ui.screens.home import TILES
from device.words import FALLBACK, LANGUAGES, Translator, texts

OTHERS = sorted(set(LANGUAGES) - {FALLBACK})


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _prose(text: str) -> list[str]:
    """The words of a text that have to be translated: neither names of things nor placeholders."""
    words = re.sub(r"\{.*?\}|BI-RADS|DICOM|Mammascope|°C", " ", text).split()
    return [word for word in words if any(char.isalpha() for char in word)]


def _every_error() -> Iterator[type[MammascopeError]]:
    found = [MammascopeError]
    while found:
        kind = found.pop()
        found.extend(kind.__subclasses__())
        if kind.__module__.startswith(errors.__name__):
            yield kind


def _literal_keys() -> Iterator[tuple[str, str]]:
    """Every ``t("area.name")`` in the source of the screens, with the file that it stands in."""
    folder = Path(device.ui.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == "t" and isinstance(node.args[0].value, str):
                yield node.args[0].value, path.name


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_every_text(language: str) -> None:
    assert set(texts(language)) == set(texts(FALLBACK))


@pytest.mark.parametrize("language", OTHERS)
def test_placeholders_are_the_same(language: str) -> None:
    english, other = texts(FALLBACK), texts(language)
    differing = {key for key in english if _placeholders(english[key]) != _placeholders(other[key])}
    assert not differing


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_no_text_is_empty_or_padded(language: str) -> None:
    assert all(text and text == text.strip() for text in texts(language).values())


@pytest.mark.parametrize("language", ["hi", "ta"])
def test_sentences_are_translated_into_their_script(language: str) -> None:
    first, last = {"hi": ("\u0900", "\u097f"), "ta": ("\u0b80", "\u0bff")}[language]
    sentences = {key: text for key, text in texts(language).items() if len(_prose(texts(FALLBACK)[key])) >= 3}
    assert [key for key, text in sentences.items() if not any(first <= char <= last for char in text)] == []


@pytest.mark.parametrize("language", OTHERS)
def test_hardly_anything_is_left_in_english(language: str) -> None:
    english, other = texts(FALLBACK), texts(language)
    same = [key for key, text in english.items() if other[key] == text and len(_prose(text)) >= 3]
    assert same == []


ERRORS = sorted(_every_error(), key=lambda e: e.code)


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: e.code)
def test_every_error_has_its_sentence(error: type[MammascopeError]) -> None:
    assert error("stick/a.png").sentence == texts(FALLBACK)[f"errors.{error.code}"]


def test_an_error_is_told_in_english_on_the_command_line() -> None:
    line = str(errors.FileMissingError("stick/a.png", "no such file"))
    assert line == f"stick/a.png: {texts('en')['errors.file-missing']} (no such file)"


def test_an_error_is_told_by_its_code_when_no_file_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "en"
    damaged.mkdir()
    (damaged / "errors.toml").symlink_to(tmp_path / "gone")
    monkeypatch.setattr(words, "FOLDER", tmp_path)
    assert str(errors.FileMissingError("stick/a.png")) == "stick/a.png: file-missing"


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_finding_can_be_said(language: str) -> None:
    t = Translator(language)
    said = [t.result(result) for result in ModelResult] + [t.reason(reason) for reason in Reason]
    assert len(set(said)) == len(said)
    assert not t.missing


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_caution_has_words_of_its_own(language: str) -> None:
    t = Translator(language)
    said = [t(f"report.caution_{caution.value}") for caution in Caution]
    assert len(set(said)) == len(said)
    assert not t.missing


def test_every_text_that_the_screens_ask_for_exists() -> None:
    keys = list(_literal_keys())
    assert len(keys) > 20
    assert [(key, path) for key, path in keys if key not in texts(FALLBACK)] == []
    assert all(f"home.{tile}" in texts(FALLBACK) for tile in TILES)


def test_a_colon_is_set_as_the_language_sets_it() -> None:
    """French has a space before it, so screens join a name and its value by ``common.pair``."""
    joined = []
    for path in Path(device.ui.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr) and path.name != "demo.py":  # which prints in a terminal
                joined += [f"{path.name}:{node.lineno}" for part in node.values if ast.unparse(part) == "': '"]
    assert joined == []
    assert Translator("fr")("common.pair", name="Zone", value="2") == "Zone\N{NO-BREAK SPACE}: 2"


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_decimals_stand_behind_the_mark_of_the_language(language: str) -> None:
    t = Translator(language)
    mark = "," if language in ("es", "fr") else "."
    assert t.number(12.84, 1) == f"12{mark}8"
    assert t.number(0.5) == f"0{mark}5"
    assert (t.number(7.0), t.number(12.84, 0)) == ("7", "13")


def test_every_number_with_decimals_that_people_read_is_written_in_their_language() -> None:
    """On the screens and in the printed report a format of its own would always set a point."""
    own = []
    for package in (device.ui, device.records.report):
        for path in Path(package.__path__[0]).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
                    form = ast.unparse(node.format_spec).strip("f'\"")
                    own += [f"{path.name}:{node.lineno}"] * bool(re.search(r"\.[1-9]|g$", form))
    assert own == []


def test_a_missing_text_is_noted_and_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    t = Translator("fr")
    monkeypatch.delitem(texts("fr"), "common.ok")
    assert t("common.ok") == texts(FALLBACK)["common.ok"]
    assert t("no.such_text") == "no.such_text"
    assert t.missing == {"common.ok", "no.such_text"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_hour_stays_on_the_line_of_its_word(language: str) -> None:
    place = Translator(language)("report.place_with_clock", side="", hour="10")
    assert re.search("10\u00a0|\u00a010", place), place
