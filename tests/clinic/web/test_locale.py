# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import clinic.web
from clinic.reading.errors import ReadingError
from clinic.reading.lexicon import DESCRIPTORS, KINDS, Advice, Edition
from clinic.store.schema import ExamState, Role
from clinic.web.locale import FOLDER, texts
from device.imaging.quality import Reason
from device.inference.finding import ModelResult
from device.words import FALLBACK, LANGUAGES, Catalogue

OTHERS = sorted(set(LANGUAGES) - {FALLBACK})
WEB = Path(clinic.web.__file__).parent


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def prose(text: str) -> list[str]:
    """The words of a text that have to be translated."""
    return re.sub(r"\{.*?\}|BI-RADS|DICOM|Mammascope|CSV|PNG.*MKV|Dr Asha Rao", " ", text).split()


def asked_for() -> Iterator[str]:
    """Every key that stands whole in a template or in the source."""
    for path in WEB.rglob("*.html"):
        yield from re.findall(r'\bt\(\s*["\']([a-z_]+\.[A-Za-z0-9_]+)["\']\s*[,)]', path.read_text("utf-8"))
    for path in WEB.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in ("tell", "translated"):
                    yield str(node.args[0].value)


def every_reading_error() -> Iterator[type[ReadingError]]:
    yield from ReadingError.__subclasses__()


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_every_text_with_the_same_placeholders(language: str) -> None:
    english, other = texts(FALLBACK), texts(language)
    assert set(other) == set(english)
    assert {key for key in english if placeholders(english[key]) != placeholders(other[key])} == set()
    assert all(text and text == text.strip() for text in other.values())


@pytest.mark.parametrize("language", ["hi", "ta"])
def test_sentences_are_in_their_script(language: str) -> None:
    first, last = {"hi": ("\u0900", "\u097f"), "ta": ("\u0b80", "\u0bff")}[language]
    sentences = {key: text for key, text in texts(language).items() if len(prose(texts(FALLBACK)[key])) >= 2}
    assert [key for key, text in sentences.items() if not any(first <= char <= last for char in text)] == []


@pytest.mark.parametrize("language", OTHERS)
def test_hardly_anything_is_left_in_english(language: str) -> None:
    english, other = texts(FALLBACK), texts(language)
    assert [key for key, text in english.items() if other[key] == text and len(prose(text)) >= 3] == []


def test_every_text_that_is_asked_for_exists() -> None:
    keys = set(asked_for())
    assert len(keys) > 150
    assert keys - set(texts(FALLBACK)) == set()


def test_every_state_result_reason_and_refusal_can_be_said() -> None:
    wanted = [f"state.{state}" for state in ExamState] + [f"result.{result}" for result in ModelResult]
    wanted += [f"result.hint_{result}" for result in ModelResult] + [f"reason.{reason}" for reason in Reason]
    wanted += [f"accounts.role_{role}" for role in Role] + [f"advice.{advice}" for advice in Advice]
    wanted += [f"birads.edition_{edition}" for edition in Edition] + [f"lexicon.{kind}" for kind in KINDS]
    wanted += [f"lexicon.{kind}_{value}" for kind, values in DESCRIPTORS.items() for value in values]
    wanted += [f"errors.{error.code}" for error in every_reading_error() if error.code != "no_such_exam"]
    assert [key for key in wanted if key not in texts(FALLBACK)] == []


def test_a_missing_text_falls_back_and_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = Catalogue(FOLDER, "fr")
    monkeypatch.delitem(texts("fr"), "common.save")
    assert catalogue("common.save") == texts(FALLBACK)["common.save"]
    assert catalogue("no.such") == "no.such"
    assert catalogue.missing == {"common.save", "no.such"}
