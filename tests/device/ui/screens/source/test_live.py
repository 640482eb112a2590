# SPDX-License-Identifier: Apache-2.0
"""The live picture: shown, judged, frozen, lost and back."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from device.capture.frame import Frame
from device.capture.phantom.frames import PhantomSource
from device.capture.sources.discover import PHANTOM
from device.config import Settings
from device.errors import SourceLostError
from device.inference.finding import Caution, Reason
from device.records.exam import View
from device.ui.app import COUNTDOWN_S
from device.ui.screens.lock import LockScreen
from device.ui.screens.source.live import STILL_S, LiveScreen
from device.ui.session.inference_worker import ModelState, inference_of
from device.ui.session.services import Services
from device.ui.widgets import Glass, ImageView
from tests.device.ui.driver import Driver


class Plug:
    """A phantom on a plug that a test can pull; numbers its frames in their first pixel."""

    live = True
    name = "Plug"

    def __init__(self) -> None:
        self.pulled = self.silent = self.still = False
        self._kept: Frame | None = None
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
        frame = self._inner.read(timeout_s)
        self._kept = frame if not self.still or self._kept is None else self._kept
        return None if frame is None else replace(frame, pixels=self._kept.pixels) if self._kept else frame

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
    assert driver.shows("Not a diagnosis")
    driver.tap("limits")
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
    assert view.finding.model == inference_of(driver.app).status.label
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
    driver.until(lambda: inference_of(driver.app).status.state is ModelState.MISSING)
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


def _minutes_pass(driver: Driver, live: LiveScreen, minutes: float) -> None:
    """Ten seconds at a time, each with a new frame, as long as the screen is there."""
    for _ in range(round(minutes * 6)):
        driver.clock.now += 10
        shown = live._now.count if live._now is not None else 0
        driver.until(lambda shown=shown: live._now is None or live._now.count > shown)  # type: ignore[misc]


@pytest.fixture
def lockable(driver: Driver, services: Services, live: LiveScreen) -> LiveScreen:
    services.unlocked(services.create_vault("274913", "Asha"))
    driver.app.lock_with(lambda: LockScreen(lambda: None))
    driver.until_text("The model says")
    return live


def test_it_does_not_lock_while_tissue_moves_and_counts_down_when_it_rests(
    driver: Driver, plug: Plug, lockable: LiveScreen
) -> None:
    limits = driver.app.settings.lock
    _minutes_pass(driver, lockable, limits.timeout_s / 60 + 4)
    assert driver.app.screen is lockable
    assert not driver.shows("Locks in")
    plug.still = True
    _minutes_pass(driver, lockable, limits.timeout_s / 60)
    assert driver.app.screen is lockable  # the minutes count from when the tissue came to rest
    left = STILL_S + limits.timeout_s
    for _ in range(round(left)):
        driver.clock.now += 1
        driver.step()
        if driver.shows("Locks in"):
            break
    assert driver.app.screen is lockable
    driver.tap_at((400, 240))
    driver.step()
    assert not driver.shows("Locks in")
    driver.clock.now += limits.timeout_s + STILL_S
    driver.step(2)
    assert driver.screen.name == "lock"


def test_even_a_moving_picture_locks_at_last(driver: Driver, lockable: LiveScreen) -> None:
    driver.app.settings = driver.app.settings.with_values("lock", live_timeout_s=360)
    _minutes_pass(driver, lockable, 6 - COUNTDOWN_S / 60 / 2)
    assert driver.shows("Locks in")
    driver.clock.now += COUNTDOWN_S
    driver.step(2)
    assert driver.screen.name == "lock"


def test_cautions_are_said_in_a_few_words(driver: Driver, live: LiveScreen) -> None:
    driver.until_text("Phantom, for practice")
    assert live._finding is not None
    doubted = replace(live._finding, caution=Caution.UNFAMILIAR_SOURCE, further=(Caution.SCALE_CONTRADICTED,))
    live._strip.show(doubted, inference_of(driver.app).status)
    caution = next(widget for widget in live._strip.walk() if widget.key == "caution")
    assert caution.caption == "Unlike the training scanners · Scale not believed"


def test_the_ground_of_what_is_said_covers_no_more_than_it_says(driver: Driver, live: LiveScreen) -> None:
    driver.until_text("The model says")
    glass = next(widget for widget in driver._widgets() if isinstance(widget, Glass))
    assert glass.ground.height < glass.rect.height
    assert glass.ground.bottom >= live._strip.bottom
