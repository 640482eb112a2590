# SPDX-License-Identifier: Apache-2.0
"""Practice with made-up cases: the user reads first, the score is kept, the records stay as they are."""

from __future__ import annotations

import json

import pytest

from device.capture.phantom.frames import phantom_scene
from device.inference.bundle import Bundle
from device.inference.classifier import Classifier
from device.inference.finding import Caution, ModelResult
from device.ui.record_words import today
from device.ui.screens.quiz import CASES, LESIONS, QuizScreen
from device.ui.session.practice_scores import FILE, read_scores
from device.words import LANGUAGES, Translator
from tests.device.inference.conftest import shipped, shipped_folder
from tests.device.ui.conftest import NewDriver
from tests.device.ui.driver import SIZES, Driver

__all__ = ["shipped", "shipped_folder"]


def _ready(driver: Driver) -> None:
    driver.until(lambda: driver.find("answer.benign").enabled)


def test_nothing_is_given_away_before_the_answer_and_the_score_is_kept(driver: Driver) -> None:
    folder = driver.app.services.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    driver.show(QuizScreen(3, ModelResult.BENIGN))
    _ready(driver)
    assert not driver.shows("The model:")
    assert not driver.shows("drawn as")
    driver.tap("answer.benign")
    assert driver.shows("Correct")
    assert driver.find("truth").caption.endswith("Benign")
    assert driver.shows("The model:")
    driver.until(lambda: bool(read_scores(folder)))
    driver.tap("next")
    driver.screen._kind = ModelResult.NORMAL
    _ready(driver)
    driver.tap("answer.malignant")
    assert driver.shows("Not this time")
    driver.until(lambda: read_scores(folder)[-1].asked == 2)
    (score,) = read_scores(folder)
    assert (score.day, score.right) == (today().isoformat(), 1)
    assert not driver.app.services.is_set_up()


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_score_says_that_it_counts_what_was_right(language: str) -> None:
    t = Translator(language)
    score = t("practice.score", right=1, asked=2, all_right=3, all_asked=4)
    assert t("practice.right").rstrip("o").casefold() in score.casefold()


def test_scores_that_are_none_are_no_reason_to_stop(driver: Driver) -> None:
    folder = driver.app.services.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    for content in ("{", json.dumps({"day": 1}), json.dumps([{"day": "x"}])):
        (folder / FILE).write_text(content)
        assert read_scores(folder) == ()


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_it_fits(new_driver: NewDriver, size: tuple[int, int], language: str) -> None:
    driver = new_driver(size=size, language=language)
    driver.app.services.data_dir.mkdir(parents=True, exist_ok=True)
    driver.show(QuizScreen(3, ModelResult.MALIGNANT))
    _ready(driver)
    assert driver.overflows() == []
    driver.tap("answer.malignant")
    driver.until(lambda: bool(driver.screen._scores))
    driver.step()
    assert driver.overflows() == []
    assert driver.missing_texts() == set()
    assert driver.small_targets() == []


@pytest.mark.parametrize("kind", list(CASES))
def test_cases_are_of_known_kind_and_look_like_those_of_known_scanners(kind: ModelResult, shipped: Bundle) -> None:
    classifier = Classifier(shipped)
    said = []
    for seed in CASES[kind]:
        scene = phantom_scene(seed, LESIONS[kind])
        assert scene.lesion.any() == (kind is not ModelResult.NORMAL)
        finding = classifier.classify(scene.frame, careful=True)  # as a case is looked at
        assert finding.cautions == (Caution.PHANTOM,), seed
        said.append(finding.result)
    doubted = 3 if kind is ModelResult.NORMAL else 0
    assert said == [kind] * (len(said) - doubted) + [ModelResult.UNCERTAIN] * doubted


def test_the_next_case_is_another_one(driver: Driver) -> None:
    screen = QuizScreen()
    driver.show(screen)
    for _ in range(5):
        before = screen._seed
        assert before in CASES[screen._kind]
        screen._next()
        assert screen._seed != before
