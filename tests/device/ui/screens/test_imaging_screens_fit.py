# SPDX-License-Identifier: Apache-2.0
"""Every screen with a picture, in every language on every panel and in both themes: all of it fits and can be hit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from device.capture.frame import Box, Frame, PixelSpacing, Region
from device.capture.sources.discover import PHANTOM, SourceInfo
from device.config import ScannerPreset
from device.errors import BundleGoldenError, SourceLostError
from device.imaging.source_geometry import SourceGeometry
from device.inference.finding import Caution, ModelResult, Reason
from device.records.exam import Laterality, View
from device.ui.display_settings import DisplaySettings
from device.ui.screen import Screen
from device.ui.screens.exam.compare import CompareScreen
from device.ui.screens.exam.display_settings import LookScreen
from device.ui.screens.exam.lesion import LesionScreen
from device.ui.screens.exam.measure import MeasureScreen
from device.ui.screens.exam.place import PlaceScreen
from device.ui.screens.exam.view import ViewScreen
from device.ui.screens.source.corners import CornersScreen
from device.ui.screens.source.live import LiveScreen
from device.ui.screens.source.presets import PresetsScreen
from device.ui.screens.source.region import RegionScreen
from device.ui.screens.source.scale import ScaleScreen
from device.ui.screens.source.sources import SourcesScreen
from device.ui.session.inference_worker import ModelState, ModelStatus
from device.words import LANGUAGES
from tests.device.records.made_up import finding, lesion, view
from tests.device.ui.conftest import NewDriver
from tests.device.ui.driver import SIZES, Driver

LOOKS = [(size, language) for size in SIZES for language in sorted(LANGUAGES)]


def _ids(look: tuple[tuple[int, int], str]) -> str:
    (width, height), language = look
    return f"{width}x{height}-{language}"


@pytest.fixture(params=LOOKS, ids=_ids)
def look(request: pytest.FixtureRequest, new_driver: NewDriver) -> Driver:
    (size, language), number = request.param, LOOKS.index(request.param)
    return new_driver(size=size, language=language, theme=("light", "dark")[number % 2])


def _check(driver: Driver, where: object) -> None:
    assert driver.overflows() == [], where
    assert driver.missing_texts() == set(), where
    assert driver.small_targets() == [], where


def _everything() -> View:
    return view(1, laterality=Laterality.LEFT, clock_position=12, spacing=PixelSpacing(0.1, 0.1))


def _views() -> Iterator[View]:
    for result in ModelResult:
        yield view(1, finding(result, lesion()))
    practised = view(1, finding(ModelResult.BENIGN, lesion()))
    yield replace(practised, frame=replace(practised.frame, origin="phantom"))
    for reason in Reason:
        yield view(1, finding(ModelResult.NOT_EVALUABLE, None, reason))


def _screens(driver: Driver) -> Iterator[Screen]:
    shown = _everything()
    yield LookScreen(shown, DisplaySettings(), lambda _: None)
    yield MeasureScreen(shown, shown.frame.pixels, lambda _: None)
    yield MeasureScreen(replace(shown, callipers=shown.callipers * 4, spacing=None), shown.frame.pixels, lambda _: None)
    yield PlaceScreen(shown, lambda _: None)
    yield CompareScreen(shown, [shown, shown])
    yield LesionScreen(shown, lambda _: None)
    yield CornersScreen(shown.frame, None, lambda _: None)
    yield RegionScreen(shown.frame, SourceGeometry(), lambda _: None, source_id="phantom")
    yield ScaleScreen(shown.frame.pixels, None, lambda _: None)
    yield PresetsScreen(lambda _: None)
    preset = ScannerPreset(name="A scanner with a rather long name", box=(1, 2, 30, 40))
    driver.app.change(lambda settings: settings.with_presets([preset]))
    yield PresetsScreen(lambda _: None)
    yield SourcesScreen(lambda _: None)


def test_views_with_every_finding(look: Driver) -> None:
    for made in _views():
        look.show(ViewScreen(made, lambda _: None, [made], new=True))
        _check(look, made.finding.reason or made.finding.result)
    look.tap("more")
    _check(look, "more")
    look.tap(look.app.ui.t("common.close"))
    look.tap("back")
    _check(look, "discard")


def _doubted(result: ModelResult) -> Iterator[View]:
    """Findings of an unfamiliar scanner, and of a phantom in a frame with two pictures."""
    refused = result is ModelResult.NOT_EVALUABLE
    for reason in tuple(Reason) if refused else (Reason.TOO_DARK,):
        caution = None if refused else Caution.UNFAMILIAR_SOURCE
        plain = view(1, replace(finding(result, lesion(), reason), caution=caution))
        yield plain
        width, height = plain.frame.width, plain.frame.height
        halves = tuple(Region(Box(x, 0, width // 2, height), None) for x in (0, width // 2))
        yield replace(plain, frame=replace(plain.frame, origin="phantom", region=halves[0].box, regions=halves))


@pytest.mark.parametrize("result", ModelResult)
def test_what_a_word_does_not_mean_and_why_to_doubt_it_are_read_without_scrolling(
    look: Driver, result: ModelResult
) -> None:
    for made in _doubted(result):
        look.show(ViewScreen(made, lambda _: None, new=True))
        window = look.find("finding").rect
        said = ["reason" if made.finding.reason else "meaning", *(["caution"] if made.cautions else [])]
        for key in said:
            assert window.contains(look.find(key).rect), (key, made.finding.reason)
        _check(look, result)


def test_the_tools(look: Driver) -> None:
    for screen in _screens(look):
        look.show(screen)
        _check(look, screen.name)
        if isinstance(screen, CornersScreen | RegionScreen | ScaleScreen | SourcesScreen):
            look.until(lambda: look.screen._task is None)
            look.step(2)
            _check(look, f"{screen.name}, when it has looked")
        if isinstance(screen, ScaleScreen):
            for point in ((40.0, 40.0), (40.0, 200.0)):
                x, y = screen._pane.image.to_screen(point)
                look.tap_at((round(x), round(y)))
                _check(look, "scale")


class Still:
    """A source of one frame, to be set as a test wants it."""

    live = True
    name = "Still"

    def open(self) -> None:
        """Nothing to open."""

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        raise SourceLostError(self.name)

    def close(self) -> None:
        """Nothing to close."""


def _make(_: SourceInfo) -> Still:
    return Still()


def test_the_live_view_in_every_state(look: Driver) -> None:
    screen = LiveScreen(PHANTOM, lambda _: None, make=_make)
    look.show(screen)
    _check(look, "opening")
    look.until(lambda: look.shows(look.app.ui.t("live.lost")))
    look.step()
    _check(look, "lost")
    strip = screen._strip
    for status in (ModelStatus(), ModelStatus(ModelState.MISSING, "", BundleGoldenError("golden"))):
        strip.wait(status)
        _check(look, status)
    strip.freezing()
    _check(look, "freezing")
    for made in _views():
        strip.show(made.finding, ModelStatus(ModelState.READY, "m@1.0.0"))
        _check(look, made.finding.reason or made.finding.result)
