"""Every screen with a picture, in every language on every panel and in both themes: all of it fits and can be hit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from device.capture.discover import PHANTOM, SourceInfo
from device.capture.frame import Frame, PixelSpacing
from device.config import ScannerPreset
from device.errors import BundleGoldenError, SourceLostError
from device.imaging.placement import Placement
from device.inference.finding import Assessment, Reason
from device.records.exam import Laterality, View
from device.ui.inference_worker import ModelState, ModelStatus
from device.ui.locale import LANGUAGES
from device.ui.looks import Look
from device.ui.screen import Screen
from device.ui.screens.compare import CompareScreen
from device.ui.screens.corners import CornersScreen
from device.ui.screens.lesion import LesionScreen
from device.ui.screens.live import LiveScreen
from device.ui.screens.look import LookScreen
from device.ui.screens.measure import MeasureScreen
from device.ui.screens.place import PlaceScreen
from device.ui.screens.presets import PresetsScreen
from device.ui.screens.region import RegionScreen
from device.ui.screens.scale import ScaleScreen
from device.ui.screens.sources import SourcesScreen
from device.ui.screens.view import ViewScreen
from device.ui.testing import SIZES, Driver
from tests.device.records.made_up import finding, lesion, view
from tests.device.ui.conftest import NewDriver

LOOKS = [(size, language) for size in (*SIZES, (480, 800)) for language in sorted(LANGUAGES)]


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
    for assessment in Assessment:
        yield view(1, finding(assessment, lesion()))
    for reason in Reason:
        yield view(1, finding(Assessment.NOT_EVALUABLE, None, reason))


def _screens(driver: Driver) -> Iterator[Screen]:
    shown = _everything()
    yield LookScreen(shown, Look(), lambda _: None)
    yield MeasureScreen(shown, shown.frame.pixels, lambda _: None)
    yield MeasureScreen(replace(shown, callipers=shown.callipers * 4, spacing=None), shown.frame.pixels, lambda _: None)
    yield PlaceScreen(shown, lambda _: None)
    yield CompareScreen(shown, [shown, shown])
    yield LesionScreen(shown, lambda _: None)
    yield CornersScreen(shown.frame, None, lambda _: None)
    yield RegionScreen(shown.frame, Placement(), lambda _: None, source_id="phantom")
    yield ScaleScreen(shown.frame.pixels, None, lambda _: None)
    yield PresetsScreen(lambda _: None)
    preset = ScannerPreset(name="A scanner with a rather long name", box=(1, 2, 30, 40))
    driver.app.change(lambda settings: settings.with_presets([preset]))
    yield PresetsScreen(lambda _: None)
    yield SourcesScreen(lambda _: None)


def test_views_with_every_finding(look: Driver) -> None:
    for made in _views():
        look.show(ViewScreen(made, lambda _: None, [made], new=True))
        _check(look, made.finding.reason or made.finding.assessment)
    look.tap("more")
    _check(look, "more")
    look.tap(look.app.ui.t("common.close"))
    look.tap("back")
    _check(look, "discard")


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
        _check(look, made.finding.reason or made.finding.assessment)
