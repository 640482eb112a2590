# SPDX-License-Identifier: Apache-2.0
"""Every page of the clinic in a real browser, in every language, on a phone and on a desktop, held against WCAG 2.2 AA.

    python -m pytest tests/system/test_clinic_pages.py

axe-core comes from npm into a temporary folder. With ``MAMMASCOPE_PICTURES=FOLDER`` each page is kept as a PNG there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from device.words import LANGUAGES
from tests.clinic.whole_clinic import Running
from tests.device.upload.real_archive import installation
from tests.system.clinic_browser import SIZES, Person, axe_core
from tests.system.clinic_day import Day

pytestmark = pytest.mark.skipif(installation() is None, reason="orthanc, orthanc-dicomweb and nginx are missing")

READER = (
    *("/exams/{waiting}", "/exams/{blind}", "/exams/{deciding}", "/exams/{taken}", "/exams/{read}"),
    *("/exams/{read}?beside={earlier}", "/account", "/", "/?tab=overdue", "/?tab=all&order=urgent"),
)
TECHNICIAN = (
    *("/upload", "{review}", "{result}", "/follow-up", "/planned", "/agreement", "/audit", "/people"),
    "/nowhere",
)
NOBODY = ("/sign-in", "/invitation")


@pytest.fixture(scope="module")
def day(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("pages")
    with Running(checkout, folder / "state") as running, contextlib.ExitStack() as browsers:
        made = Day(running, f"https://localhost:{running.ports[2]}", browsers)
        made.upload(folder)
        yield made


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    return axe_core(tmp_path_factory.mktemp("axe"))


def test_the_judge_sees_what_is_wrong(day: Day, axe: str) -> None:
    day.nobody.open("/sign-in")
    spoil = "document.querySelector('label[for=name]').remove(); document.body.append(document.createElement('img'))"
    day.nobody.driver.execute_script(spoil)
    assert {problem.partition(":")[0] for problem in day.nobody.violations(axe)} >= {"image-alt", "label"}


def test_a_length_is_measured_by_the_keyboard_kept_and_taken_away(day: Day) -> None:
    person = day.reader
    person.size("desktop")
    person.open("/exams/{blind}".format(**day.places))
    person.find("[data-stage]").send_keys("m", Keys.ARROW_LEFT * 40, Keys.ENTER, Keys.ARROW_RIGHT * 60, Keys.ENTER)
    person.wait_for(".length [data-remove]")
    said = person.find(".length").text
    assert "mm" in said
    person.open("/exams/{blind}".format(**day.places))
    assert person.find(".length").text == said
    assert person.has("[data-own] .mark-own"), "drawn as well"
    person.find("[data-remove]").click()
    person.wait_for(".length", there=False)
    person.open("/exams/{blind}".format(**day.places))
    assert not person.has(".length")


def test_what_did_not_come_and_what_was_not_kept_is_said(day: Day) -> None:
    person = day.reader
    person.size("desktop")
    driver = person.driver
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/full.jpg", "*/measure"]})
    try:
        person.open("/exams/{blind}".format(**day.places))
        person.wait_for("[data-missing]:not([hidden])")
        assert not person.has("[data-failed]:not([hidden])")
        person.find("[data-stage]").send_keys("m", Keys.ENTER, Keys.ARROW_RIGHT * 60, Keys.ENTER)
        person.wait_for("[data-failed]:not([hidden])")
    finally:
        driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    person.open("/exams/{blind}".format(**day.places))
    person.wait_for_pictures()
    assert not person.has("[data-missing]:not([hidden])")


def test_views_of_a_lesion_stand_together(day: Day) -> None:
    person = day.reader
    person.size("desktop")
    person.open("/exams/{waiting}".format(**day.places))
    shown = [one for one in person.driver.find_elements(By.CSS_SELECTOR, ".place") if one.is_displayed()]
    assert len(shown) == 1
    person.find('[data-do="together"]').click()
    lesions = person.driver.find_elements(By.CSS_SELECTOR, "[data-lesion]")
    seen = [[one for one in each.find_elements(By.CSS_SELECTOR, ".picture") if one.is_displayed()] for each in lesions]
    assert [len(pictures) for pictures in seen] == [2, 1]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", ["waiting", "blind", "deciding", "taken", "read"])
def test_what_comes_next_is_in_sight_wherever_the_page_is(day: Day, place: str, size: str) -> None:
    day.reader.size(size)
    day.reader.open(f"/exams/{day.places[place]}")
    assert day.reader.without_next() == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_can_be_used_by_everybody(day: Day, axe: str, language: str, size: str) -> None:
    assert violations(day, axe, language, size) == {}


@pytest.mark.parametrize("size", SIZES)
def test_so_it_can_in_the_dark(day: Day, axe: str, size: str) -> None:
    assert violations(day, axe, "fr", size, dark=True) == {}


@pytest.mark.parametrize("size", SIZES)
def test_whoever_uses_the_keyboard_sees_where_it_is(day: Day, size: str) -> None:
    assert wrong(day, Person.rings, size) == {}


def test_paper_has_all_that_was_said_and_nothing_to_press(day: Day) -> None:
    assert wrong(day, Person.on_paper, "desktop") == {}


def wrong(day: Day, ask: Callable[[Person], list[str]], size: str) -> dict[str, list[str]]:
    """What a question finds on each page, for those where it finds something."""
    found: dict[str, list[str]] = {}
    for person, pages in ((day.reader, READER), (day.technician, TECHNICIAN), (day.nobody, NOBODY)):
        person.size(size)
        for page in pages:
            person.open(page.format(**day.places))
            problems = ask(person)
            if problems:
                found[page] = problems
    return found


def violations(day: Day, axe: str, language: str, size: str, *, dark: bool = False) -> dict[str, list[str]]:
    """What is wrong with each page, for those with whom something is."""
    found: dict[str, list[str]] = {}
    for person, pages in ((day.reader, READER), (day.technician, TECHNICIAN), (day.nobody, NOBODY)):
        person.size(size)
        person.dark(dark)
        person.speak(language)
        for page in pages:
            person.open(page.format(**day.places))
            assert person.find("html").get_attribute("lang") == language, page
            problems = person.violations(axe)
            if problems:
                found[page] = problems
            keep(person, page, f"{language}-dark" if dark else language, size)
    return found


def keep(person: Person, page: str, language: str, size: str) -> None:
    """A picture of the page, where they are wanted."""
    folder = os.environ.get("MAMMASCOPE_PICTURES")
    if folder:
        name = "".join(letter if letter.isalnum() else "-" for letter in page).strip("-") or "worklist"
        person.picture(Path(folder) / f"{size}-{language}-{name}.png")
