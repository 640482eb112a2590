# SPDX-License-Identifier: Apache-2.0
"""A frozen view: what the model says in words and lines, and every tool around it, by touch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pygame
import pytest

from device.capture.frame import Box, Frame, PixelSpacing, Region
from device.capture.phantom.frames import phantom_frame
from device.imaging.marks.styles import OUTLINE
from device.inference.finding import Caution, Finding, ModelResult, Reason
from device.records.exam import Laterality, View
from device.ui.screen import Screen
from device.ui.screens.exam.view import ViewScreen
from device.ui.session.freezing import freeze
from device.ui.status import Level
from device.ui.widgets import Banner, ImageView, Page, Widget
from device.ui.widgets.picture.clock_dial import ClockDial
from device.words import texts
from tests.device.records.made_up import finding, lesion, view
from tests.device.ui.conftest import NewDriver
from tests.device.ui.driver import Driver


class Before(Screen):
    name = "before"

    def build(self) -> Widget:
        return Page(self.ui, "Before", [])


def _plain(found: Finding | None = None, **values: Any) -> View:
    made = view(1, found, laterality=None, clock_position=None, note="", callipers=())
    return replace(made, **values)


def _show(driver: Driver, screen: Screen) -> None:
    driver.show(Before())
    driver.app.push(screen)
    driver.step()


def _image(driver: Driver) -> ImageView:
    found = driver.find("image")
    assert isinstance(found, ImageView)
    return found


def _part(driver: Driver) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The pixels of the screen where the picture is and nothing lies over it."""
    image = _image(driver)
    (left, top), (right, bottom) = image.to_screen((0, 0)), image.to_screen(image.picture_size)
    drawn = pygame.Rect(left, top, right - left, bottom - top).clip(image.rect)
    clear = pygame.Rect(drawn.x, drawn.y, 560 - drawn.x - 12, drawn.height - 72)  # left of what is said, above the note
    return np.array(pygame.surfarray.array3d(driver.picture().subsurface(clear)), dtype=np.uint8)


@pytest.mark.parametrize("result", [a for a in ModelResult if a is not ModelResult.NOT_EVALUABLE])
def test_the_finding_is_said_in_words_bars_and_sentence(driver: Driver, result: ModelResult) -> None:
    _show(driver, ViewScreen(_plain(finding(result, lesion()))))
    t = driver.app.ui.t
    assert driver.find("assessment").caption == t.result(result)
    assert driver.shows("striped: uncertain")
    shares = finding(result).probabilities
    assert shares is not None
    for name in ("malignant", "benign", "normal"):
        assert driver.find(name).caption.endswith(f"{round(shares[name] * 100)} %")
    assert driver.shows("Not a diagnosis")
    driver.tap("limits")
    assert driver.shows("operated breasts")


@pytest.mark.parametrize("reason", Reason)
def test_what_cannot_be_evaluated_says_why_and_gives_no_numbers(driver: Driver, reason: Reason) -> None:
    _show(driver, ViewScreen(_plain(finding(ModelResult.NOT_EVALUABLE, lesion(), reason))))
    assert driver.find("reason").caption == driver.app.ui.t.reason(reason)
    assert not any("%" in words for words in driver.words())
    assert not driver.shows("Long axis")


def test_size_model_and_place_are_named(driver: Driver) -> None:
    made = _plain(laterality=Laterality.LEFT, clock_position=10, spacing=PixelSpacing(0.1, 0.1))
    _show(driver, ViewScreen(made))
    captions = [widget.caption for widget in driver._widgets()]
    assert "Place: left breast, 10\u00a0o'clock" in captions
    assert "Long axis: 12.8\u00a0mm" in captions
    assert "Model: phantomnet@1.2.3" in captions


def test_without_a_scale_no_millimetres_are_claimed(driver: Driver) -> None:
    _show(driver, ViewScreen(_plain()))
    captions = [widget.caption for widget in driver._widgets()]
    assert "Long axis: 128\u00a0pixels" in captions
    assert any("Scale unknown" in caption for caption in captions)


def test_outline_and_heat_map_are_drawn_and_can_be_taken_away(driver: Driver) -> None:
    ramp = np.tile(np.linspace(0, 255, 24, dtype=np.uint8)[:, None], (1, 32))
    _show(driver, ViewScreen(_plain(replace(finding(outlined=lesion()), heat_map=ramp))))
    yellow = np.array(OUTLINE.colour)
    outlined = _part(driver)
    assert (outlined == yellow).all(axis=2).sum() > 100
    driver.tap("overlay")
    driver.until(lambda: not np.array_equal(_part(driver), outlined))
    driver.until(lambda: bool((np.ptp(_part(driver).astype(int), axis=2) > 20).mean() > 0.1))
    driver.tap("overlay")
    bare = _part(driver)
    assert (np.ptp(bare.astype(int), axis=2) > 20).sum() == 0


def test_buttons_zoom_as_two_fingers_do(driver: Driver) -> None:
    _show(driver, ViewScreen(_plain()))
    driver.tap("zoom.plus")
    driver.tap("zoom.plus")
    assert _image(driver).zoom == pytest.approx(2.25)
    driver.tap("zoom.minus")
    assert _image(driver).zoom == pytest.approx(1.5)
    driver.pinch(_image(driver).rect.center, 80, 160)
    assert _image(driver).zoom > 2.0
    driver.tap("zoom.fit")
    assert _image(driver).zoom == 1.0


def test_enhancement_and_contrast_change_the_picture_and_are_kept_on_the_view(driver: Driver) -> None:
    _show(driver, ViewScreen(_plain(finding(ModelResult.NORMAL))))
    before = _part(driver)
    driver.tap("more")
    driver.tap("look")
    driver.tap("enhance.pseudocolour")
    driver.until(lambda: bool((np.ptp(_part(driver).astype(int), axis=2) > 60).mean() > 0.2))
    driver.tap("done")
    driver.until_screen("view")
    driver.until(lambda: not np.array_equal(_part(driver), before))
    driver.tap("more")
    driver.tap("look")
    driver.tap("reset")
    driver.tap("done")
    driver.until(lambda: np.array_equal(_part(driver), before))


def test_two_taps_measure_and_an_end_can_be_dragged(driver: Driver) -> None:
    saved: list[View] = []
    _show(driver, ViewScreen(_plain(spacing=PixelSpacing(0.1, 0.1)), saved.append))
    driver.tap("measure")
    image = _image(driver)
    ends = [(100.0, 100.0), (200.0, 100.0)]
    for end in ends:
        x, y = image.to_screen(end)
        driver.tap_at((round(x), round(y)))
        image = _image(driver)
    assert driver.shows("Measurement A: 10.0\u00a0mm") or driver.shows("Measurement A: 9.9\u00a0mm")
    x, y = image.to_screen(ends[1])
    far = image.to_screen((250.0, 100.0))
    driver.drag((round(x), round(y)), (round(far[0]), round(far[1])))
    driver.tap("done")
    driver.tap("save")
    (calliper,) = saved[0].callipers
    assert calliper.length_px == pytest.approx(150.0, abs=2.5)
    assert calliper.length_mm == pytest.approx(15.0, abs=0.25)


def test_a_measurement_can_be_removed(driver: Driver) -> None:
    saved: list[View] = []
    _show(driver, ViewScreen(view(1), saved.append))
    driver.tap("measure")
    driver.tap("remove")
    driver.tap("done")
    driver.tap("save")
    assert saved[0].callipers == ()


@pytest.mark.parametrize("hour", range(1, 13))
def test_side_clock_and_note_are_set_by_touch(driver: Driver, hour: int) -> None:
    saved: list[View] = []
    _show(driver, ViewScreen(_plain(), saved.append, new=True))
    driver.tap("place")
    driver.tap("side.right")
    dial = driver.find("dial")
    assert isinstance(dial, ClockDial)
    driver.tap_at(dial.place_of(hour))
    assert driver.shows(f"right breast, {hour}\u00a0o'clock")
    driver.tap("note")
    driver.write("hard")
    driver.tap("done")
    driver.tap("save")
    assert (saved[0].laterality, saved[0].clock_position, saved[0].note) == (Laterality.RIGHT, hour, "hard")


def test_a_new_view_is_not_lost_by_a_slip_of_the_finger(driver: Driver) -> None:
    _show(driver, ViewScreen(_plain(), lambda _: None, new=True))
    driver.tap("back")
    assert driver.shows("has not been saved yet")
    driver.tap("Stay here")
    assert driver.app.screen is not None
    assert driver.app.screen.name == "view"
    driver.tap("back")
    driver.tap("Discard")
    driver.until_screen("before")


def test_a_view_of_a_final_exam_can_only_be_looked_at(driver: Driver) -> None:
    _show(driver, ViewScreen(_plain()))
    keys = {widget.key for widget in driver._widgets()}
    assert keys.isdisjoint({"save", "measure", "place"})
    driver.tap("back")
    driver.until_screen("before")


def test_comparing_shows_both_and_turns_to_older_ones(driver: Driver) -> None:
    earlier = [view(2, finding(ModelResult.BENIGN)), view(3, finding(ModelResult.NORMAL))]
    _show(driver, ViewScreen(_plain(), lambda _: None, earlier))
    driver.tap("more")
    driver.tap("compare")
    driver.until_screen("compare")
    assert driver.find("said.now").caption.startswith("Malignant")
    assert driver.shows("Benign")
    driver.tap("older")
    assert driver.shows("Normal")
    assert not driver.find("older").enabled


def test_another_picture_area_is_looked_at_again(driver: Driver) -> None:
    got: list[View] = []
    driver.show(Before())
    freeze(driver.app, phantom_frame(3, "benign", screen=True), got.append)
    driver.until(lambda: bool(got))
    screen = ViewScreen(got[0], lambda _: None, new=True)
    _show(driver, screen)
    driver.tap("more")
    driver.tap("region")
    driver.until_screen("region")
    region = driver.screen
    driver.until(lambda: region._handles is not None)
    x, y = _image(driver).to_screen(region._handles.points[0])
    driver.drag((round(x), round(y)), (round(x) + 50, round(y) + 30))
    wanted: Box = region._handles.box
    assert wanted != got[0].finding.sonogram
    driver.tap("done")
    driver.until(lambda: screen.view.finding is not got[0].finding)
    assert screen.view.finding.sonogram == wanted
    assert screen.view.uid == got[0].uid


def test_a_lesion_marked_by_hand_is_looked_at(driver: Driver) -> None:
    got: list[View] = []
    driver.show(Before())
    freeze(driver.app, phantom_frame(3, "benign"), got.append)
    driver.until(lambda: bool(got))
    screen = ViewScreen(got[0], lambda _: None, new=True)
    _show(driver, screen)
    driver.tap("more")
    driver.tap("lesion")
    driver.tap("done")
    driver.until(lambda: screen.view.finding is not got[0].finding)
    assert screen.view.operator_region is not None
    assert any("marked by hand" in widget.caption for widget in driver._widgets())


def test_touch_follows_a_turned_screen(new_driver: NewDriver) -> None:
    driver = new_driver(rotation=90)
    _show(driver, ViewScreen(_plain(), lambda _: None))
    driver.tap("zoom.plus")
    assert _image(driver).zoom == pytest.approx(1.5)


def _ends(driver: Driver, *ends: tuple[float, float]) -> None:
    for end in ends:
        x, y = _image(driver).to_screen(end)
        driver.tap_at((round(x), round(y)))


def test_a_saved_view_is_unsaved_until_somebody_has_written_it(driver: Driver) -> None:
    _show(driver, ViewScreen(_plain(), lambda _: None, new=True))
    driver.tap("save")
    driver.tap("back")
    assert driver.shows("has not been saved yet")


@pytest.mark.parametrize("tool", ["measure", "place", "lesion", "region"])
def test_going_back_from_a_tool_asks_before_it_drops_what_was_entered(driver: Driver, tool: str) -> None:
    _show(driver, ViewScreen(_plain(), lambda _: None, new=True))
    if tool in ("lesion", "region"):
        driver.tap("more")
    driver.tap(tool)
    driver.until_screen(tool)
    driver.tap("back")
    driver.until_screen("view")  # nothing entered, nothing asked
    if tool in ("lesion", "region"):
        driver.tap("more")
    driver.tap(tool)
    driver.until_screen(tool)
    if tool == "measure":
        _ends(driver, (100.0, 100.0), (200.0, 100.0))
    elif tool == "place":
        driver.tap("side.left")
    else:
        driver.until(lambda: driver.screen._handles is not None)
        x, y = _image(driver).to_screen(driver.screen._handles.points[0])
        driver.drag((round(x), round(y)), (round(x) + 30, round(y) + 20))
    driver.tap("back")
    assert driver.shows("has not been saved yet")
    driver.tap("Stay here")
    assert driver.screen.name == tool
    driver.tap("back")
    driver.tap("Discard")
    driver.until_screen("view")


def test_a_view_of_the_phantom_says_so_and_a_patients_does_not(driver: Driver) -> None:
    _show(driver, ViewScreen(_plain()))
    assert not driver.shows("for practice")
    bare = _part(driver).astype(int)
    practised = _plain()
    _show(driver, ViewScreen(replace(practised, frame=replace(practised.frame, origin="phantom"))))
    assert driver.shows("Phantom, for practice")
    assert (np.abs(_part(driver).astype(int) - bare) > 20).any(axis=2).mean() > 0.01


@pytest.mark.parametrize("result", [a for a in ModelResult if a is not ModelResult.NOT_EVALUABLE])
def test_the_screen_says_of_a_word_what_the_report_says(driver: Driver, result: ModelResult) -> None:
    _show(driver, ViewScreen(_plain(finding(result, lesion()))))
    assert driver.find("meaning").caption == texts("en")[f"report.meaning_{result.value}"]


@pytest.mark.parametrize("result", [ModelResult.NORMAL, ModelResult.BENIGN])
def test_no_word_looks_like_an_all_clear(driver: Driver, result: ModelResult) -> None:
    _show(driver, ViewScreen(_plain(finding(result, lesion()))))
    banner = driver.find("assessment")
    assert isinstance(banner, Banner)
    assert banner.level is Level.INFO
    assert banner.icon not in ("check", "")
    picture = pygame.surfarray.array3d(driver.picture().subsurface(banner.rect)).reshape(-1, 3)
    good = np.array(driver.app.ui.palette.good)
    assert not (picture == good).all(axis=1).any()
    assert driver.shows("does not rule")


def test_of_several_pictures_in_a_frame_another_can_be_chosen(driver: Driver) -> None:
    picture = phantom_frame(39, "malignant", size=(320, 240)).pixels
    grey = picture if picture.ndim == 2 else picture[..., 0]
    other = phantom_frame(39, "benign", size=(320, 240)).pixels
    both = np.hstack([grey, other if other.ndim == 2 else other[..., 0]])
    boxes = (Box(0, 0, 320, 240), Box(320, 0, 320, 240))
    scale = PixelSpacing(0.15, 0.15)
    frame = Frame(both, "dual.dcm", spacing=scale, region=boxes[0], regions=tuple(Region(box, scale) for box in boxes))
    made: list[View] = []
    kept: list[View] = []
    driver.show(Before())
    freeze(driver.app, frame, made.append)
    driver.until(lambda: bool(made))
    assert made[0].frame.region in boxes
    now = boxes.index(made[0].finding.sonogram)
    screen = ViewScreen(made[0], kept.append, new=True)
    _show(driver, screen)
    assert driver.shows("This frame holds 2 pictures")
    driver.tap(f"picture.{1 - now}")
    driver.until(lambda: screen.view.finding.sonogram == boxes[1 - now])
    driver.until(lambda: driver.find("save").enabled)
    driver.tap("save")
    assert kept[0].frame.region == boxes[1 - now]
    assert kept[0].finding.sonogram == boxes[1 - now]


@pytest.mark.parametrize("caution", list(Caution))
def test_a_view_says_once_why_its_finding_deserves_less_trust(driver: Driver, caution: Caution) -> None:
    plain = replace(_plain(), spacing=None)
    _show(driver, ViewScreen(replace(plain, finding=replace(plain.finding, caution=caution))))
    captions = [widget.caption for widget in driver._widgets()]
    assert captions.count(texts("en")[f"report.caution_{caution.value}"]) == (caution is not Caution.PHANTOM)
    assert captions.count(texts("en")[f"live.caution_{caution.value}"]) == (caution is not Caution.SCALE_CONTRADICTED)


def test_a_scale_that_contradicts_itself_is_said(driver: Driver) -> None:
    made = _plain()
    doubted = replace(made, frame=replace(made.frame, scale_contradicted=True))
    _show(driver, ViewScreen(doubted))
    captions = [widget.caption for widget in driver._widgets()]
    assert any("contradicts itself" in caption for caption in captions)
    assert "Long axis: 128\u00a0pixels" in captions
