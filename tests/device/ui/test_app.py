# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pygame
import pytest

from device.config import Settings, load_settings, save_settings
from device.errors import FileMissingError, FontMissingError
from device.ui.app import Change
from device.ui.pointer import ROTATIONS
from device.ui.screen import Screen
from device.ui.session.services import Services
from device.ui.status import Level, Status, Topic
from device.ui.widgets import Button, Dialog, Label, Page, Widget
from tests.device.ui.conftest import NewDriver
from tests.device.ui.driver import Driver
from tests.device.ui.waits import to_panel
from tests.patience import PATIENT_S


class Plain(Screen):
    """Counts what happens to it."""

    name = "plain"

    def __init__(self, title: str = "Plain") -> None:
        super().__init__()
        self.title = title
        self.events: list[str] = []
        self.drawn = 0

    def enter(self) -> None:
        self.events.append("enter")

    def leave(self) -> None:
        self.events.append("leave")

    def _fail(self) -> None:
        raise FileMissingError("scan.dcm")

    def build(self) -> Widget:
        ok = Button(self.ui, self.ui.t("common.ok"), lambda: self.events.append("ok"), key="ok")
        fail = Button(self.ui, "Fail", self._fail, key="fail")
        body = Label(self.ui, f"body of {self.title}", grow=1)
        return Page(self.ui, self.title, [body], on_back=self.back, footer=[ok, fail])

    def draw(self, surface: pygame.Surface) -> None:
        self.drawn += 1
        super().draw(surface)


@pytest.fixture
def plain(driver: Driver) -> Plain:
    screen = Plain()
    driver.show(screen)
    return screen


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_touch_follows_the_picture_at_every_rotation(new_driver: NewDriver, rotation: int) -> None:
    driver = new_driver(rotation=rotation)
    screen = Plain()
    driver.show(screen)
    driver.tap("ok")
    assert screen.events == ["enter", "ok"]
    # The button's colour is found on the panel where the finger went.
    place = (driver.find("ok").rect.x + 12, driver.find("ok").rect.centery)
    x, y = to_panel(driver.app.display.reader, place)
    panel = driver.app.display._window.copy()
    assert panel.get_size() == (800, 480)
    on_panel = panel.get_at((int(x * 800), int(y * 480)))[:3]
    assert on_panel == driver.app.ui.palette.button == driver.picture().get_at(place)[:3]


def test_nothing_is_drawn_while_nothing_changes(driver: Driver, plain: Plain) -> None:
    driver.step()
    before = plain.drawn
    driver.step(20)
    assert plain.drawn == before
    driver.app.ui.invalidate()
    driver.step(5)
    assert plain.drawn == before + 1


def test_what_arrives_under_a_finger_takes_no_tap_away_and_is_shown_when_it_has_lifted(
    driver: Driver, plain: Plain
) -> None:
    place = driver.find("ok").rect.center
    driver.finger(pygame.FINGERDOWN, place)
    driver.step()
    plain.title = "Arrived"
    plain.rebuild()
    driver.step()
    assert not driver.shows("Arrived")
    driver.finger(pygame.FINGERUP, place)
    driver.step(2)
    assert plain.events[-1] == "ok"
    assert driver.shows("Arrived")


def test_a_live_screen_is_drawn_at_every_frame(driver: Driver, plain: Plain) -> None:
    plain.live = True
    before = plain.drawn
    driver.step(10)
    assert plain.drawn == before + 10


def test_screens_are_entered_and_left_in_turn(driver: Driver, plain: Plain) -> None:
    above = Plain("Above")
    driver.app.push(above)
    driver.step()
    assert driver.shows("body of Above")
    assert not driver.shows("body of Plain")
    driver.tap("back")
    assert plain.events == ["enter", "leave", "enter"]
    assert above.events == ["enter", "leave"]
    assert driver.shows("body of Plain")


def test_the_last_screen_cannot_be_closed(driver: Driver, plain: Plain) -> None:
    driver.tap("back")
    assert driver.app.screen is plain
    assert driver.shows("body of Plain")


def test_an_error_in_a_handler_is_said_and_the_program_goes_on(driver: Driver, plain: Plain) -> None:
    driver.tap("fail")
    assert driver.shows(FileMissingError("").sentence.split(";")[0])
    assert driver.shows("scan.dcm")
    driver.tap("OK")
    driver.tap("ok")
    assert plain.events[-1] == "ok"


def test_changing_the_language_translates_the_screen_that_is_shown(driver: Driver, plain: Plain) -> None:
    driver.app.change_settings("display", language="es")
    driver.step()
    assert driver.shows("Aceptar")
    assert plain.events == ["enter"]


def test_changing_rotation_and_theme_takes_effect_at_once(driver: Driver, plain: Plain) -> None:
    dark = driver.picture().get_at((400, 300))[:3]
    driver.app.change_settings("display", rotation=90, theme="light")
    driver.step()
    picture = driver.picture()
    assert picture.get_size() == (480, 800)
    assert picture.get_at((240, 400))[:3] != dark
    driver.tap("ok")
    assert plain.events == ["enter", "ok"]


def test_a_language_without_its_font_is_refused_and_everything_stays(
    driver: Driver, plain: Plain, tmp_path: Path
) -> None:
    driver.app._fonts._folders = (tmp_path,)
    with pytest.raises(FontMissingError):
        driver.app.change_settings("display", language="ta")
    driver.step()
    assert driver.app.settings.display.language == "en"
    assert driver.shows("OK")


def test_a_toast_is_shown_for_a_while_and_takes_no_touch(driver: Driver, plain: Plain) -> None:
    driver.app.toast("Exam saved")
    driver.step()
    assert driver.shows("Exam saved")
    driver.wait(5)
    assert not driver.shows("Exam saved")
    driver.app.toast("Exam saved")
    driver.step()
    driver.tap_at((400, 200))
    assert not driver.shows("Exam saved")


def test_the_status_bar_says_every_warning_in_turn(driver: Driver, plain: Plain) -> None:
    driver.app.status.set(Status(Topic.NETWORK, Level.OK, "status.network_ok"))
    driver.step()
    assert not driver.shows("Network is connected")
    driver.app.status.set(Status(Topic.DISK, Level.WARNING, "status.disk_low", {"free": "200 MB"}))
    driver.app.status.set(Status(Topic.POWER, Level.ERROR, "status.power_low"))
    seen = set()
    for _ in range(6):
        driver.wait(2)
        seen |= {text for text in driver.words() if "voltage" in text.lower() or "card" in text}
    assert len(seen) == 2
    driver.app.status.clear(Topic.DISK)
    driver.app.status.clear(Topic.POWER)
    driver.wait(5)
    assert not driver.shows("Voltage")


def test_the_device_locks_itself_after_a_time_without_touch(driver: Driver, plain: Plain, services: Services) -> None:
    driver.app.lock_with(lambda: Plain("Locked"))
    services.unlocked(services.create_vault("274913", "Asha"))
    timeout = driver.app.settings.lock.timeout_s
    driver.wait(timeout - 2)
    driver.tap("ok")
    driver.wait(timeout - 2)
    assert driver.app.screen is plain
    driver.app.open(Dialog.message(driver.app.ui, "Patient", "name of a patient"))
    driver.wait(4)
    assert driver.shows("body of Locked")
    assert not driver.shows("name of a patient")
    assert services.operator == ""
    assert plain.events[-1] == "leave"


def test_what_is_changed_on_the_screen_is_kept_on_the_card(driver: Driver, plain: Plain, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"

    def save(change: Change) -> None:
        save_settings(change(load_settings(path)), path)

    driver.app._save = save
    driver.app.change_settings("display", theme="light")
    driver.until(path.exists)
    assert load_settings(path) == Settings().with_values("display", theme="light")


def test_sigterm_ends_the_program_cleanly(tmp_path: Path, checkout: Path) -> None:
    environment = os.environ | {"SDL_VIDEODRIVER": "dummy", "MAMMASCOPE_DATA": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    code = (
        "import sys\nfrom device.ui.app import App\nfrom device.__main__ import main\n"
        "step = App.step\n"
        "def told(self):\n    step(self)\n    print('turning', flush=True)\n"
        "App.step = told\nsys.exit(main(['run', '--size', '800x480']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=checkout, env=environment, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        while b"turning" not in program.stdout.readline():
            assert program.poll() is None
        program.send_signal(signal.SIGTERM)
        assert program.wait(PATIENT_S) == 0


def test_without_any_screen_the_program_says_so_instead_of_running_unseen(checkout: Path) -> None:
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    # KMSDRM would find a real panel on a handheld; here it must not.
    code = (
        "import pygame\nfrom device.ui import display\n"
        "from device.errors import DisplayError\n"
        "try:\n    display.Display((800, 480))\n"
        "except DisplayError as error:\n    print('refused', error)\n"
        "else:\n    print('visible on', pygame.display.get_driver())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=checkout, env=environment, capture_output=True, text=True, timeout=PATIENT_S
    )
    assert "refused" in done.stdout or "visible on KMSDRM" in done.stdout
