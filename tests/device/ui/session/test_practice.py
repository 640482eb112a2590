# SPDX-License-Identifier: Apache-2.0
"""The phantom on an enrolled device: offered in practice mode only, which can always be seen, and never a patient's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from device.capture.frame import PHANTOM_ORIGIN
from device.capture.sources.discover import PHANTOM
from device.config import Settings
from device.operations.for_clinic import instances_for
from device.records.exam import Exam
from device.ui.flow.exam import ExamFlow
from device.ui.flow.main import Flow
from device.ui.screens.exam.detail import ExamDetailScreen
from device.ui.screens.exam.summary import ExamSummaryScreen
from device.ui.screens.settings.practice import PracticeScreen
from device.ui.screens.source.sources import SourcesScreen
from device.ui.session.practice import follow_practice
from device.ui.session.services import Services
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import PATIENT, World, a_view

CLINIC = "https://clinic.example"


@pytest.fixture
def services(world: World) -> Services:
    return world.unlocked()


@pytest.fixture
def driver(services: Services) -> Iterator[Driver]:
    with Driver(services) as made:
        follow_practice(made.app)
        yield made


def _enrol(driver: Driver) -> None:
    driver.app.settings = driver.app.settings.with_values("site", name="Kibera", clinic_url=CLINIC)


def _listed(driver: Driver) -> list[str]:
    driver.show(SourcesScreen(lambda _: None))
    driver.until(lambda: driver.screen._found is not None)
    return [info.id for info in driver.screen._found]


def test_a_device_without_a_clinic_always_offers_it_and_says_what_it_is(driver: Driver) -> None:
    assert PHANTOM.id in _listed(driver)
    assert driver.shows("For practice, never of a patient")
    driver.show(PracticeScreen())
    assert driver.shows("not enrolled")


def test_an_enrolled_device_offers_it_in_practice_mode_only_and_says_so_all_the_time(driver: Driver) -> None:
    _enrol(driver)
    assert PHANTOM.id not in _listed(driver)
    driver.show(PracticeScreen())
    driver.tap("practice")
    assert PHANTOM.id in _listed(driver)
    assert driver.shows("Practice mode: the phantom is offered")
    driver.show(PracticeScreen())
    assert driver.shows("Practice mode: the phantom is offered")
    driver.tap("practice")
    assert PHANTOM.id not in _listed(driver)
    assert not driver.shows("Practice mode: the phantom is offered")


def test_the_mode_is_seen_from_the_start(services: Services) -> None:
    with Driver(services) as driver:
        driver.app.settings = Settings().with_values("site", clinic_url=CLINIC).with_values("sources", practice=True)
        follow_practice(driver.app)
        driver.show(PracticeScreen())
        assert driver.shows("Practice mode: the phantom is offered")


def test_the_next_picture_does_not_come_from_the_phantom_once_the_mode_is_off(driver: Driver) -> None:
    exam = driver.app.services.store.begin_exam(PATIENT, "Asha", clock_trusted=False)
    flow = ExamFlow(driver.app, Flow(driver.app).home)
    driver.show(ExamSummaryScreen(exam.uid, flow))
    flow.use_source(PHANTOM, exam.uid)
    driver.until_screen("live")
    driver.app.pop()
    _enrol(driver)
    flow.take_picture(exam.uid)
    driver.until_screen("sources")


def _exam(services: Services, origins: list[str]) -> Exam:
    exam = services.store.begin_exam(PATIENT, "Asha", clock_trusted=False)
    for number, origin in enumerate(origins, 1):
        view = a_view(number)
        exam = services.store.save_view(exam, replace(view, frame=replace(view.frame, origin=origin)))
    return exam


@pytest.mark.parametrize(
    ("origins", "allowed", "queued"),
    [
        ([PHANTOM_ORIGIN], False, False),
        ([PHANTOM_ORIGIN], True, True),
        (["scanner.png"], False, True),
        (["scanner.png", PHANTOM_ORIGIN], False, True),
        ([PHANTOM_ORIGIN, PHANTOM_ORIGIN], False, False),
    ],
)
def test_what_was_practised_is_queued_only_where_the_site_wants_it(
    driver: Driver, services: Services, origins: list[str], allowed: bool, queued: bool
) -> None:
    settings = Settings().with_values("site", clinic_url=CLINIC, policy={"training_exams": allowed})
    exam = _exam(services, origins)
    services.store.finalise(exam, instances_for(services.store, settings))
    assert bool(services.store.outbox_entries()) is queued
    services.store.queue(exam.uid, instances_for(services.store, settings))
    assert bool(services.store.outbox_entries()) is queued


def test_origin_comes_back_from_the_card(services: Services) -> None:
    exam = _exam(services, [PHANTOM_ORIGIN, "scanner.png"])
    kept = services.store.get(exam.uid)
    assert [view.phantom for view in kept.views] == [True, False]
    assert not kept.training
    assert services.store.get(_exam(services, [PHANTOM_ORIGIN]).uid).training


def test_an_exam_says_which_of_its_pictures_are_practice(driver: Driver, services: Services) -> None:
    exam = _exam(services, [PHANTOM_ORIGIN, "scanner.png"])
    flow = ExamFlow(driver.app, Flow(driver.app).home)
    driver.show(ExamSummaryScreen(exam.uid, flow))
    driver.until(lambda: driver.screen.exam is not None)
    assert driver.shows("for practice: 1. The clinic does not get them")
    plain = _exam(services, ["scanner.png"])
    driver.show(ExamSummaryScreen(plain.uid, flow))
    driver.until(lambda: driver.screen.exam is not None)
    assert not driver.shows("for practice")


def test_a_training_exam_says_how_the_clinic_gets_it(driver: Driver, services: Services) -> None:
    final = services.store.finalise(_exam(services, [PHANTOM_ORIGIN]))
    driver.app.settings = Settings().with_values("site", clinic_url=CLINIC, policy={"training_exams": True})
    driver.show(ExamDetailScreen(final.uid, ExamFlow(driver.app, Flow(driver.app).home)))
    driver.until(lambda: driver.screen.exam is not None)
    assert driver.shows("The clinic gets it as training")
