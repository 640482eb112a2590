# SPDX-License-Identifier: Apache-2.0
"""A lesion described by touch: which views show it, where it lies, how large it is, what it looks like, what it is."""

from __future__ import annotations

import math
from dataclasses import replace

import pygame
import pytest

from device.capture.frame import PixelSpacing
from device.imaging.body_map import MapPlace, Part
from device.inference.finding import Caution, ModelResult
from device.inference.views import Combined
from device.records.exam import BiRads, BiRadsEdition, Exam, Laterality
from device.records.lesion import BreastLesion, LesionView, Plane
from device.records.lexicon import Calcifications, Management, Shape
from device.records.uids import new_lesion_uid
from device.ui.flow.exam import ExamFlow
from device.ui.flow.main import Flow
from device.ui.screens.exam.detail import ExamDetailScreen
from device.ui.screens.exam.lesion_descriptors import LesionDescriptorsScreen
from device.ui.screens.exam.lesion_form import LesionFormScreen
from device.ui.screens.exam.lesion_place import LesionPlaceScreen
from device.ui.screens.exam.summary import ExamSummaryScreen
from device.ui.widgets import BodyMapView
from device.words import LANGUAGES, texts
from tests.device.records.made_up import finding, lesion
from tests.device.ui.conftest import NewDriver
from tests.device.ui.driver import SIZES, Driver
from tests.device.ui.record_world import a_draft, a_view


def _exam(driver: Driver) -> Exam:
    """A draft with two views, the first of which has an outline and a scale."""
    services = driver.app.services
    services.unlocked(services.create_vault("274913", "Asha"))
    exam = a_draft(services, views=0)
    for number in (1, 2):
        made = replace(a_view(number), finding=finding(outlined=lesion()), spacing=PixelSpacing(0.1, 0.1))
        exam = services.store.save_view(exam, made)
    return exam


def _form(driver: Driver, saved: list[BreastLesion]) -> LesionFormScreen:
    exam = _exam(driver)
    first = BreastLesion(new_lesion_uid(), views=(LesionView(exam.views[0].uid),))
    screen = LesionFormScreen(exam, first, saved.append)
    driver.show(screen)
    return screen


def test_a_lesion_is_described_by_touch(driver: Driver) -> None:
    saved: list[BreastLesion] = []
    screen = _form(driver, saved)
    assert any("across each other" in widget.caption for widget in driver._widgets())
    screen._choose_plane(screen._lesion.views[0], "radial")
    driver.step()
    assert any("Antiradial" in widget.caption for widget in driver._widgets())
    screen._show_view(screen._exam.views[1].uid, True)
    screen._choose_plane(screen._lesion.views[1], "antiradial")
    driver.step()
    assert driver._widgets()
    assert not any(widget.key == "wanted" for widget in driver._widgets())
    screen._choose_category("4A")
    screen._choose_edition("v2025")
    screen._advise(Management.CORE_BIOPSY, True)
    driver.step()
    driver.tap("save")
    (made,) = saved
    assert [view.plane for view in made.views] == [Plane.RADIAL, Plane.ANTIRADIAL]
    assert (made.category, made.edition) == (BiRads.SUSPICIOUS_LOW, BiRadsEdition.V2025)
    assert made.advice == (Management.CORE_BIOPSY,)


def test_the_axes_of_the_outline_are_offered_and_taken_by_a_tap(driver: Driver) -> None:
    saved: list[BreastLesion] = []
    screen = _form(driver, saved)
    offered = screen._offer()
    assert offered is not None
    assert offered.axes is not None
    driver.tap("offer_axes")
    driver.tap("save")
    assert saved[0].axes == offered.axes


def test_a_tap_on_the_body_map_says_side_clock_and_distance(driver: Driver) -> None:
    got: list[BreastLesion] = []
    driver.show(LesionPlaceScreen(BreastLesion("2.25.1"), [MapPlace(None)], 1, got.append))
    shown = driver.find("body_map")
    assert isinstance(shown, BodyMapView)
    driver.tap_at(shown.to_screen((12.5 + 4.0, 1.0)))  # the left breast, three o'clock, four centimetres out
    assert driver.shows("left breast, 3\u00a0o'clock, 4 cm from the nipple")
    driver.tap("done")
    assert (got[0].laterality, got[0].clock_position) == (Laterality.LEFT, 3)
    assert got[0].distance_from_nipple_cm == pytest.approx(4.0, abs=0.5)


def test_the_words_of_the_lexicon_are_chosen_and_taken_back(driver: Driver) -> None:
    got: list[BreastLesion] = []
    screen = LesionDescriptorsScreen(BreastLesion("2.25.1"), None, got.append)
    driver.show(screen)
    driver.tap("shape.oval")
    driver.tap("shape.oval")
    driver.tap("shape.irregular")
    screen._switch("calcifications", Calcifications.IN_MASS, on=True)
    driver.tap("done")
    assert got[0].descriptors.shape is Shape.IRREGULAR
    assert got[0].descriptors.calcifications == (Calcifications.IN_MASS,)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_screens_of_a_lesion_fit(new_driver: NewDriver, size: tuple[int, int], language: str) -> None:
    driver = new_driver(size=size, language=language)
    screen = _form(driver, [])
    screen._choose_plane(screen._lesion.views[0], "radial")
    screen._choose_category("4C")
    for shown in (
        screen,
        LesionPlaceScreen(screen._lesion, [MapPlace("left", 10, 3.5)], 1, lambda _: None),
        LesionDescriptorsScreen(screen._lesion, screen._offer(), lambda _: None),
    ):
        driver.show(shown)
        driver.step()
        for scroll in (widget for widget in driver._widgets() if hasattr(widget, "scroller")):
            scroll.scroller.offset = 0.0
        assert driver.overflows() == [], shown.name
        assert driver.missing_texts() == set(), shown.name
        assert driver.small_targets() == [], shown.name


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_name_of_a_breast_does_not_lie_over_its_axilla(
    new_driver: NewDriver, size: tuple[int, int], language: str
) -> None:
    driver = new_driver(size=size, language=language)
    driver.show(LesionPlaceScreen(BreastLesion("2.25.1"), [MapPlace(None)], 1, lambda _: None))
    shown = driver.find("body_map")
    assert isinstance(shown, BodyMapView)
    names = [texts(language)[f"imaging.map_{side}"] for side in ("left", "right")]
    places = [rect for words, rect in driver.texts() if words in names]
    assert len(places) == 2
    for circle in (circle for circle in shown._map.circles if circle.part is Part.AXILLA):
        x, y = shown.to_screen(circle.centre)
        radius = circle.radius * shown._scale
        assert not [rect for rect in places if math.dist(_nearest(rect, x, y), (x, y)) < radius]


def _nearest(rect: pygame.Rect, x: int, y: int) -> tuple[int, int]:
    """The point of a rectangle that is nearest to another."""
    return min(max(x, rect.left), rect.right), min(max(y, rect.top), rect.bottom)


def test_what_the_model_says_of_all_views_follows_the_choice_and_is_shown_afterwards(driver: Driver) -> None:
    services = driver.app.services
    services.unlocked(services.create_vault("274913", "Asha"))
    exam = a_draft(services, views=0)
    for number, result in ((1, ModelResult.BENIGN), (2, ModelResult.MALIGNANT)):
        exam = services.store.save_view(exam, replace(a_view(number), finding=finding(result)))
    flow = ExamFlow(driver.app, Flow(driver.app).home)
    driver.show(ExamSummaryScreen(exam.uid, flow))
    driver.until(lambda: driver.screen.exam is not None)
    driver.tap("add_lesion")
    driver.until_screen("breast_lesion")
    assert not any(widget.key == "combined.1" for widget in driver._widgets())  # one view says it by itself
    driver.tap("shows.1")
    both = driver.find("combined.1").caption
    assert both.startswith("The model over 2 views: ")
    driver.tap("save")
    driver.until_screen("exam_summary")
    driver.until(lambda: driver.screen.exam is not None)
    assert driver.find("combined.1").caption == both
    services.store.finalise(driver.screen.exam)
    driver.show(ExamDetailScreen(exam.uid, flow))
    driver.until(lambda: driver.screen.exam is not None)
    assert driver.find("combined.1").caption == both


def test_one_usable_view_of_two_is_said_as_a_caution(driver: Driver) -> None:
    screen = _form(driver, [])
    screen._show_view(screen._exam.views[1].uid, True)
    said = Combined(ModelResult.BENIGN, None, None, (0.1, 0.4), Caution.SINGLE_VIEW, 1, "m@1.0.0")
    screen._judge = lambda _: said
    driver.step(2)
    assert driver.find("combined_caution.1").caption


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_rings_of_the_map_are_numbered_on_every_panel(new_driver: NewDriver, size: tuple[int, int]) -> None:
    driver = new_driver(size=size)
    driver.show(LesionPlaceScreen(BreastLesion("2.25.1"), [MapPlace(None)], 1, lambda _: None))
    assert driver.words().count("8") == 4  # two clocks, two rings
