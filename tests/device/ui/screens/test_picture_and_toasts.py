# SPDX-License-Identifier: Apache-2.0
"""The picture has the panel, and a message takes no button away: measured on what is really laid out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pygame
import pytest

from device.capture.frame import Box, Frame
from device.capture.phantom.frames import phantom_frame
from device.capture.sources.discover import PHANTOM
from device.errors import FontMissingError
from device.fonts.shaping import FontBook
from device.inference.finding import ModelResult
from device.records.exam import Patient, View
from device.ui.flow.exam import ExamFlow
from device.ui.flow.main import Flow
from device.ui.screen import Screen
from device.ui.screens.exam.compare import CompareScreen
from device.ui.screens.exam.detail import ExamDetailScreen
from device.ui.screens.exam.exam_list import ExamsScreen
from device.ui.screens.exam.measure import MeasureScreen
from device.ui.screens.exam.summary import ExamSummaryScreen
from device.ui.screens.exam.view import ViewScreen
from device.ui.screens.source.live import LiveScreen
from device.ui.status import Level
from device.ui.widgets import Button, Glass, ImageView, ScrollView, ToolButton
from device.words import LANGUAGES
from tests.device.records.made_up import lesion
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import World, a_draft, a_final, a_view, answered

PANELS = ((800, 480), (480, 800), (1280, 720), (720, 1280))
LEAST = 0.7


@contextmanager
def _driver(world: World, size: tuple[int, int], language: str = "en") -> Iterator[Driver]:
    try:
        FontBook().require(language)
    except FontMissingError as error:
        pytest.skip(f"fonts-noto-core is not installed: {error.where}")
    with Driver(world.unlocked(), size, language=language) as driver:
        yield driver


def _show_picture(driver: Driver, name: str) -> None:
    view = a_view()
    if name == "live":
        driver.show(LiveScreen(PHANTOM, lambda _: None))
        driver.until_text("The model says")
        return
    screens: dict[str, Callable[[], Screen]] = {
        "frozen": lambda: ViewScreen(view, lambda _: None, [view], new=True),
        "measure": lambda: MeasureScreen(view, view.frame.pixels, lambda _: None),
        "compare": lambda: CompareScreen(view, [replace(view, uid=f"{view.uid}1")]),
    }
    driver.show(screens[name]())


def _shown(image: ImageView) -> pygame.Rect:
    """Where pixels of the picture are drawn."""
    assert image._pixels is not None
    height, width = image._pixels.shape[:2]
    (x0, y0), (x1, y1) = image.to_screen((0, 0)), image.to_screen((width, height))
    return pygame.Rect(round(x0), round(y0), round(x1 - x0), round(y1 - y0)).clip(image.rect)


@pytest.mark.parametrize("size", PANELS)
@pytest.mark.parametrize("name", ["live", "frozen", "measure", "compare"])
def test_the_picture_has_the_panel(world: World, name: str, size: tuple[int, int]) -> None:
    with _driver(world, size) as driver:
        _show_picture(driver, name)
        images = [widget for widget in driver._widgets() if isinstance(widget, ImageView)]
        assert len(images) == (2 if name == "compare" else 1)
        room = sum(image.rect.width * image.rect.height for image in images)
        assert room >= LEAST * size[0] * size[1]
        shown = [_shown(image) for image in images]
        # A sonogram is wider than high: standing it takes the whole width, lying the whole height.
        if size[0] < size[1]:
            assert all(rect.width >= 0.95 * image.rect.width for rect, image in zip(shown, images, strict=True))
        elif name != "compare":
            assert shown[0].height >= 0.95 * images[0].rect.height
        if size == (800, 480) and name != "compare":
            assert shown[0].width * shown[0].height >= LEAST * size[0] * size[1]


def _on_a_scanners_screen(view: View, sonogram: Box) -> View:
    """The view as a grabber gives it: the sonogram among the scanner's words."""
    pixels = np.zeros((768, 1024), np.uint8)
    pixels[sonogram.y : sonogram.y + sonogram.h, sonogram.x : sonogram.x + sonogram.w] = 90
    frame = Frame(pixels, "scanner.png")
    return replace(view, frame=frame, finding=replace(view.finding, sonogram=sonogram, lesion=None))


@pytest.mark.parametrize("size", PANELS)
def test_compared_sonograms_are_as_large_as_their_halves_let_them_be(world: World, size: tuple[int, int]) -> None:
    box = Box(260, 120, 560, 560)
    view = _on_a_scanners_screen(a_view(), box)
    with _driver(world, size) as driver:
        driver.show(CompareScreen(view, [replace(view, uid=f"{view.uid}1")]))
        for image in (widget for widget in driver._widgets() if isinstance(widget, ImageView)):
            (x0, y0), (x1, y1) = image.to_screen((box.x, box.y)), image.to_screen((box.x + box.w, box.y + box.h))
            seen = pygame.Rect(round(x0), round(y0), round(x1 - x0), round(y1 - y0))
            assert image.rect.inflate(2, 2).contains(seen)
            assert max(seen.width / image.rect.width, seen.height / image.rect.height) > 0.9
            image.reset_zoom()
            assert _shown(image).width / _shown(image).height == pytest.approx(1024 / 768, rel=0.02)


@pytest.mark.parametrize("size", PANELS)
def test_a_tap_shows_one_of_two_alone_then_the_other_in_its_place(world: World, size: tuple[int, int]) -> None:
    view, earlier = a_view(), replace(a_view(2), finding=replace(a_view(2).finding, result=ModelResult.UNCERTAIN))
    with _driver(world, size) as driver:
        driver.show(CompareScreen(view, [earlier]))
        driver.tap("image.earlier.0")
        (image,) = (widget for widget in driver._widgets() if isinstance(widget, ImageView))
        place = _shown(image)
        assert driver.shows("Uncertain")
        if size == (800, 480):
            assert place.width * place.height >= LEAST * size[0] * size[1]
        driver.tap_at(place.center)
        (other,) = (widget for widget in driver._widgets() if isinstance(widget, ImageView))
        assert not driver.shows("Uncertain")
        assert _shown(other) == place
        assert driver.overflows() == []
        driver.tap("back")
        assert len([widget for widget in driver._widgets() if isinstance(widget, ImageView)]) == 2


@pytest.mark.parametrize("size", [(480, 800), (720, 1280)])
@pytest.mark.parametrize("name", ["live", "frozen", "measure"])
def test_standing_no_button_lies_over_the_picture(world: World, name: str, size: tuple[int, int]) -> None:
    with _driver(world, size) as driver:
        _show_picture(driver, name)
        driver.step(2)
        (image,) = (widget for widget in driver._widgets() if isinstance(widget, ImageView))
        buttons = [w for w in driver._widgets() if isinstance(w, Button | ToolButton)]
        assert {"back"} < {button.key for button in buttons}
        assert not [button.key for button in buttons if button.rect.colliderect(_shown(image))]


@pytest.mark.parametrize("size", PANELS)
def test_two_patients_do_not_look_the_same_by_a_cut_name(world: World, size: tuple[int, int]) -> None:
    with _driver(world, size) as driver:
        draft = a_draft(driver.app.services, Patient("KB-0051", "Wanjiru Muller"))
        driver.show(ExamSummaryScreen(draft.uid, ExamFlow(driver.app, Flow(driver.app).home)))
        driver.until(lambda: driver.screen.exam is not None)
        title = driver.find("title").rect
        drawn = " ".join(words for words, rect in driver.texts() if title.collidepoint(rect.center))
        assert drawn == "KB-0051 · Wanjiru Muller"
        assert driver.overflows() == []


@pytest.mark.parametrize("size", [(800, 480), (1280, 720)])
def test_bare_the_words_cover_as_little_of_a_lying_picture_as_they_can(world: World, size: tuple[int, int]) -> None:
    with _driver(world, size) as driver:
        _show_picture(driver, "frozen")
        driver.screen.show_bare(True)
        driver.step(2)
        (image,) = (widget for widget in driver._widgets() if isinstance(widget, ImageView))
        (said,) = (widget for widget in driver._widgets() if isinstance(widget, Glass))
        shown = _shown(image)
        assert shown.left <= 2
        assert shown.right - said.rect.left <= 0.15 * shown.width


@pytest.mark.parametrize("x", [40, 510])
def test_what_is_said_does_not_lie_over_the_lesion(world: World, x: int) -> None:
    """Wherever in the picture it is; tools may lie over the other end then."""
    with _driver(world, (800, 480)) as driver:
        view = replace(a_view(), frame=phantom_frame(1, "benign"))
        found = lesion()
        shown = replace(found, box=Box(x, 200, 70, 60))
        driver.show(ViewScreen(replace(view, finding=replace(view.finding, lesion=shown)), lambda _: None, new=True))
        driver.step(2)
        (image,) = (widget for widget in driver._widgets() if isinstance(widget, ImageView))
        box = shown.box
        (x0, y0), (x1, y1) = image.to_screen((box.x, box.y)), image.to_screen((box.x + box.w, box.y + box.h))
        place = pygame.Rect(round(x0), round(y0), round(x1 - x0), round(y1 - y0))
        over = [widget for widget in driver._widgets() if isinstance(widget, Glass | ToolButton | Button)]
        assert not [widget.key for widget in over if widget.rect.colliderect(place)]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("size", [(800, 480), (480, 800)])
def test_after_saving_result_category_and_note_are_in_sight(world: World, size: tuple[int, int], language: str) -> None:
    """Also below the line that says that it is practice."""
    with _driver(world, size, language) as driver:
        store = driver.app.services.store
        view = replace(a_view(), frame=phantom_frame(1, "benign"), clock_position=10)
        draft = store.save_view(store.begin_exam(Patient("KB-0051", "Wanjiru"), "Asha", clock_trusted=True), view)
        driver.show(ExamSummaryScreen(draft.uid, ExamFlow(driver.app, Flow(driver.app).home)))
        driver.until(lambda: driver.screen.exam is not None)
        assert driver.find("practice")
        windows = [widget.rect for widget in driver._widgets() if isinstance(widget, ScrollView)]
        for key in ("view.1", "birads", "note"):
            assert any(window.contains(driver.find(key).rect) for window in windows), key


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("size", [(800, 480), (480, 800)])
def test_what_the_clinic_wants_is_in_sight_at_once(world: World, size: tuple[int, int], language: str) -> None:
    """By when, and the button that says that it was done: nobody looks for them below the fold."""
    with _driver(world, size, language) as driver:
        services = driver.app.services
        final = a_final(services, Patient("KB-9", "Wanjiru"))
        answered(services, final, note="Please refer to Nairobi.", due_on="2026-12-05")
        driver.show(ExamDetailScreen(final.uid, ExamFlow(driver.app, Flow(driver.app).home)))
        driver.until(lambda: any(widget.key == "came_back" for widget in driver._widgets()))
        driver.step(2)
        (window,) = (widget.rect for widget in driver._widgets() if isinstance(widget, ScrollView))
        for key in ("due", "came_back"):
            assert window.contains(driver.find(key).rect), key


@pytest.mark.parametrize("size", PANELS)
def test_a_message_covers_no_button(world: World, size: tuple[int, int]) -> None:
    with _driver(world, size) as driver:
        services = driver.app.services
        draft, final = a_draft(services), a_final(services, Patient("KB-9"), views=3)
        answered(services, final, note="Please refer.")
        flow = ExamFlow(driver.app, Flow(driver.app).home)
        made: dict[str, Callable[[], Screen]] = {
            "summary": lambda: ExamSummaryScreen(draft.uid, flow),
            "detail": lambda: ExamDetailScreen(final.uid, flow),
            "exams": lambda: ExamsScreen(flow),
            "frozen": lambda: ViewScreen(a_view(), lambda _: None, new=True),
        }
        for name in ("home", *made):
            if name == "home":
                Flow(driver.app).home()
            else:
                driver.show(made[name]())
            driver.until(lambda: not getattr(driver.screen, "_tasks", {}))
            driver.step(2)
            driver.app.toast("The exam is final, and will be sent as soon as there is a network.")
            driver.step()
            covered = driver.app.toasts._waiting[0].rect
            touched = [w for w in driver._widgets() if w.touchable and not isinstance(w, ImageView)]
            assert not [w.key for w in touched if w.rect.colliderect(covered)], name
            driver.app.toasts.clear()


MESSAGES = {
    "summary.finalised": Level.INFO,
    "summary.deleted": Level.INFO,
    "view.removed": Level.INFO,
    "detail.will_be_sent": Level.INFO,
    "settings.pin_set": Level.OK,
    "sources.plug_in": Level.WARNING,
    "export.stopped": Level.WARNING,
    "exams.damaged": Level.ERROR,
    "exams.missing": Level.ERROR,
}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("size", PANELS)
def test_a_message_covers_no_button_where_all_of_the_screen_can_be_tapped(
    world: World, size: tuple[int, int], language: str
) -> None:
    """Then it stands in the status bar's place, and has to be short enough for it in every language."""
    with _driver(world, size, language) as driver:
        driver.show(ExamsScreen(ExamFlow(driver.app, Flow(driver.app).home)))
        driver.until(lambda: not driver.screen._tasks)
        driver.step(2)
        for key, level in MESSAGES.items():
            driver.app.toast(driver.app.ui.t(key), level)
            driver.step()
            covered = driver.app.toasts._waiting[0].rect
            touched = [w for w in driver._widgets() if w.touchable]
            assert not [w.key for w in touched if w.rect.colliderect(covered)], key
            assert driver.overflows() == [], key
            driver.app.toasts.clear()


def test_a_message_makes_room_for_buttons_that_come_after_it(world: World) -> None:
    with _driver(world, (800, 480)) as driver:
        final = a_final(driver.app.services)
        driver.show(ExamDetailScreen(final.uid, ExamFlow(driver.app, Flow(driver.app).home)))
        driver.app.toast("The exam is final.")  # while the exam is still being read
        driver.until(lambda: driver.screen.exam is not None)
        driver.step(2)
        assert driver.shows("The exam is final.")
        covered = driver.app.toasts._waiting[0].rect
        touched = [w for w in driver._widgets() if w.touchable and not isinstance(w, ImageView)]
        assert not [w.key for w in touched if w.rect.colliderect(covered)]
