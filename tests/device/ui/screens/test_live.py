"""The live picture: shown, judged, frozen, lost and back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from device.capture.discover import PHANTOM
from device.capture.frame import Frame
from device.capture.phantom import PhantomSource
from device.config import Settings
from device.errors import SourceLostError
from device.inference.finding import Reason
from device.records.exam import View
from device.ui.inference_worker import ModelState, worker_of
from device.ui.screens.live import LiveScreen
from device.ui.testing import Driver
from device.ui.widgets.image_view import ImageView


class Plug:
    """A phantom on a plug that a test can pull; numbers its frames in their first pixel."""

    live = True
    name = "Plug"

    def __init__(self) -> None:
        self.pulled = self.silent = False
        self.opened = 0
        self._inner = PhantomSource(fps=50.0, size=(320, 240))

    def open(self) -> None:
        if self.pulled:
            raise SourceLostError(self.name, "no such device")
        self.opened += 1
        self._inner.open()

    def read(self, timeout_s: float = 2.0) -> Frame | None:
        if self.pulled:
            raise SourceLostError(self.name, "unplugged")
        while self.silent:
            time.sleep(0.05)
        return self._inner.read(timeout_s)

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def plug() -> Plug:
    return Plug()


@pytest.fixture
def frozen() -> list[View]:
    return []


@pytest.fixture
def live(driver: Driver, plug: Plug, frozen: list[View]) -> LiveScreen:
    screen = LiveScreen(PHANTOM, frozen.append, make=lambda _: plug)
    driver.show(screen)
    return screen


def _picture(driver: Driver) -> ImageView:
    found = driver.find("image")
    assert isinstance(found, ImageView)
    return found


def test_it_shows_the_picture_the_state_and_what_the_model_says(driver: Driver, live: LiveScreen) -> None:
    driver.until_text("Live")
    driver.until_text("The model says")
    assert any(driver.shows(word) for word in ("Benign", "Normal", "Malignant", "Uncertain", "Not evaluable"))
    assert driver.shows("not a diagnosis")
    assert driver.shows("armpit")


def test_every_frame_is_shown_while_the_model_is_busy_or_missing(driver: Driver, live: LiveScreen) -> None:
    driver.until_text("Live")
    shown: list[object] = []

    def ten_were_shown() -> bool:
        pixels = _picture(driver)._pixels
        if not shown or shown[-1] is not pixels:
            shown.append(pixels)
        return len(shown) > 10

    driver.until(ten_were_shown)


def test_freezing_hands_on_a_view_with_a_finding_of_that_very_frame(
    driver: Driver, live: LiveScreen, frozen: list[View]
) -> None:
    driver.until(lambda: driver.find("freeze").enabled)
    driver.tap("freeze")
    assert driver.shows("Frozen") or frozen
    driver.until(lambda: bool(frozen))
    view = frozen[0]
    assert view.uid.startswith("2.25.")
    assert view.finding.model == worker_of(driver.app).status.label
    assert view.spacing == view.frame.spacing


def test_a_pulled_plug_is_said_and_it_comes_back_by_itself(driver: Driver, live: LiveScreen, plug: Plug) -> None:
    driver.until_text("Live")
    plug.pulled = True
    driver.until_text("Signal lost")
    assert driver.shows("it goes on by itself")
    assert driver.shows("this picture is old")
    assert not driver.shows("The model says")
    assert not driver.find("freeze").enabled
    plug.pulled = False
    driver.until_text("Live")
    driver.until(lambda: driver.find("freeze").enabled)
    assert plug.opened == 2


def test_a_source_that_falls_silent_is_said_as_well(driver: Driver, live: LiveScreen, plug: Plug) -> None:
    driver.until_text("Live")
    plug.silent = True
    assert live._supervised is not None
    live._supervised._silence_s = 0.5
    driver.until_text("Signal lost")
    plug.silent = False


def test_leaving_lets_go_of_the_source(driver: Driver, plug: Plug, live: LiveScreen) -> None:
    driver.until_text("Live")
    driver.app.reset(LiveScreen(PHANTOM, lambda _: None, make=lambda _: Plug()))
    driver.until(lambda: plug._inner._field is None)


def test_the_overlay_button_says_what_is_shown(driver: Driver, live: LiveScreen) -> None:
    driver.until_text("Outline")
    driver.tap("overlay")
    assert driver.shows("Heat map")
    driver.tap("overlay")
    assert driver.shows("No marks")
    driver.tap("overlay")
    assert driver.shows("Outline")


def test_without_a_model_it_says_so_and_a_picture_can_still_be_kept(
    driver: Driver, plug: Plug, frozen: list[View]
) -> None:
    driver.app.settings = Settings().with_values("model", bundle="/nowhere/models")
    live = LiveScreen(PHANTOM, frozen.append, make=lambda _: plug)
    driver.show(live)
    driver.until(lambda: worker_of(driver.app).status.state is ModelState.MISSING)
    driver.until_text("No model was found")
    driver.until(lambda: driver.find("freeze").enabled)
    driver.tap("freeze")
    driver.until(lambda: bool(frozen))
    assert frozen[0].finding.reason is Reason.NO_MODEL


def test_the_picture_area_is_used_from_the_next_frame_on(driver: Driver, live: LiveScreen, frozen: list[View]) -> None:
    driver.until(lambda: driver.find("freeze").enabled)
    driver.tap("set_up")
    driver.until_screen("region")
    region = driver.screen
    driver.until(lambda: region._handles is not None)
    pane = region._pane.image
    x, y = pane.to_screen(region._handles.points[2])
    driver.drag((round(x) - 12, round(y) - 12), (round(x) - 72, round(y) - 52))
    wanted = region._handles.box
    driver.tap("done")
    driver.until(lambda: driver.app.screen is live and driver.find("freeze").enabled)
    driver.tap("freeze")
    driver.until(lambda: bool(frozen))
    assert frozen[0].frame.region == wanted
    assert frozen[0].finding.sonogram == wanted


def test_nothing_of_it_overflows_while_the_source_is_gone(driver: Driver, live: LiveScreen, plug: Plug) -> None:
    plug.pulled = True
    driver.until_text("Signal lost")
    assert driver.overflows() == []


def test_a_folder_that_does_not_exist_is_no_reason_to_die(driver: Driver, tmp_path: Path) -> None:
    def gone(_: object) -> Plug:
        raise SourceLostError(tmp_path, "not there")

    driver.show(LiveScreen(PHANTOM, lambda _: None, make=gone))
    driver.until_text("Signal lost")
