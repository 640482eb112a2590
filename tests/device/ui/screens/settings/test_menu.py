# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from device.config import ScannerPreset
from device.errors import PinTakenError
from device.records.exam import ExamState
from device.system.check import CheckResult, CheckStatus
from device.ui.screens.settings.diagnostics import DiagnosticsScreen
from device.ui.screens.settings.display import KEEP_S, DisplayScreen
from device.ui.screens.settings.menu import SettingsScreen
from device.ui.screens.settings.model import ModelScreen
from device.ui.screens.settings.people import PeopleScreen
from device.ui.screens.settings.presets import PresetSettingsScreen
from device.ui.screens.settings.storage import StorageScreen
from device.ui.screens.settings.wifi import WifiScreen
from device.ui.session.services import Services
from tests.device.ui.driver import Driver
from tests.device.ui.record_world import PATIENT, PIN, World, a_draft, a_final

OTHER_PIN, THIRD_PIN = "865034", "340917"


@pytest.fixture
def services(world: World) -> Services:
    return world.unlocked()


@pytest.fixture
def driver(services: Services) -> Iterator[Driver]:
    with Driver(services) as made:
        yield made


def test_every_row_leads_to_its_screen_and_back(driver: Driver) -> None:
    driver.show(SettingsScreen())
    screen = driver.app.screen
    assert isinstance(screen, SettingsScreen)
    for entry in screen._entries():
        driver.app.push(entry.make())
        driver.step()
        assert driver.app.screen is not screen
        driver.tap("back")
        assert driver.app.screen is screen


# --- display ----------------------------------------------------------------------------------------------------------


def test_a_rotation_that_nobody_confirms_takes_itself_back(driver: Driver) -> None:
    driver.show(DisplayScreen())
    driver.tap("rotation.90")
    assert driver.app.display.size == (480, 800)
    driver.wait(KEEP_S - 1)
    assert driver.app.display.size == (480, 800)
    driver.wait(1.5)
    assert driver.app.display.size == (800, 480)
    assert driver.app.settings.display.rotation == 0


def test_a_rotation_that_is_confirmed_stays_and_is_kept(driver: Driver) -> None:
    kept: list[int] = []
    driver.app._save = lambda change: kept.append(change(driver.app.settings).display.rotation)
    driver.show(DisplayScreen())
    driver.tap("rotation.270")
    assert kept == []
    driver.tap("keep")
    driver.wait(KEEP_S + 2)
    driver.until(lambda: kept == [270])
    assert driver.app.display.size == (480, 800)


def test_locking_takes_an_unconfirmed_rotation_back(driver: Driver) -> None:
    driver.app.lock_with(SettingsScreen)
    driver.show(DisplayScreen())
    driver.tap("rotation.180")
    driver.app.lock()
    assert driver.app.settings.display.rotation == 0


def test_theme_and_language_change_at_once(driver: Driver) -> None:
    driver.show(DisplayScreen())
    driver.tap("theme.light")
    assert driver.app.settings.display.theme == "light"


# --- people -----------------------------------------------------------------------------------------------------------


def test_a_changed_pin_opens_and_the_old_one_does_not(driver: Driver, services: Services) -> None:
    driver.show(PeopleScreen())
    driver.tap("change_pin")
    for pin in (PIN, OTHER_PIN, OTHER_PIN):
        driver.enter_pin(pin)
    driver.until_screen("settings_people")
    services.lock()
    assert services.open_vault(OTHER_PIN).operator == "Asha"


def test_a_wrong_old_pin_changes_nothing(driver: Driver, services: Services) -> None:
    driver.show(PeopleScreen())
    driver.tap("change_pin")
    for pin in ("999111", OTHER_PIN, OTHER_PIN):
        driver.enter_pin(pin)
    driver.until_text("Wrong PIN")
    services.lock()
    assert services.open_vault(PIN).operator == "Asha"


def test_a_person_is_added_with_a_pin_and_removed_after_a_question(driver: Driver, services: Services) -> None:
    driver.show(PeopleScreen())
    driver.until_text("Asha")
    driver.tap("add")
    driver.write("bela")
    for pin in (THIRD_PIN, THIRD_PIN):
        driver.enter_pin(pin)
    driver.until_screen("settings_people")
    driver.until_text("bela")
    with pytest.raises(PinTakenError):
        services.vault.add_operator("someone", THIRD_PIN)
    driver.tap("bela")
    driver.tap("Remove")
    driver.until(lambda: services.vault.operators() == ("Asha",))


# --- what is there ----------------------------------------------------------------------------------------------------


def test_a_preset_is_deleted_after_a_question(driver: Driver) -> None:
    preset = ScannerPreset(name="Room 2", box=(1, 2, 300, 200))
    driver.app.settings = driver.app.settings.with_presets([preset])
    driver.show(PresetSettingsScreen())
    driver.tap("Room 2")
    driver.tap("Cancel")
    assert list(driver.app.settings.presets) == [preset]
    driver.tap("Room 2")
    driver.tap("Delete")
    assert driver.app.settings.presets == ()
    assert driver.shows("no presets yet")


def test_the_model_says_its_name_and_its_figures(driver: Driver) -> None:
    driver.show(ModelScreen())
    driver.until(lambda: driver.screen._manifest is not None)
    assert driver.shows("mammascope@")


def test_without_network_manager_the_screen_says_so(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    driver.show(WifiScreen())
    driver.until_text("Wi-Fi cannot be set up from here")


def test_a_backup_brings_deleted_drafts_back(driver: Driver, services: Services, world: World) -> None:
    draft, final = a_draft(services), a_final(services)
    world.plug()
    driver.show(StorageScreen())
    driver.until_text("exams: 2")
    driver.until_text("KINGSTON")
    driver.tap("back_up")
    driver.until_text("The backup is complete")
    services.store.delete_draft(draft.uid)
    driver.tap("restore")
    driver.tap("Restore")
    driver.until_text("The restore is complete")
    assert {exam.uid for exam in services.store.search()} == {draft.uid, final.uid}
    assert services.store.get(draft.uid).state is ExamState.DRAFT


def test_a_stick_without_a_backup_says_so(driver: Driver, world: World) -> None:
    world.plug()
    driver.show(StorageScreen())
    driver.until_text("KINGSTON")
    driver.tap("restore")
    driver.tap("Restore")
    driver.until_text("There is no backup on this stick")


# --- diagnostics ------------------------------------------------------------------------------------------------------


def test_what_is_wrong_stands_first_and_goes_to_a_stick_without_any_patient(
    driver: Driver, services: Services, world: World
) -> None:
    a_final(services)
    screen = DiagnosticsScreen()
    screen._checked = lambda results: None  # type: ignore[method-assign]  # the real checks must not come between
    driver.show(screen)
    screen.stop("self-check")
    fine = CheckResult("Fonts", CheckStatus.OK, "All there.")
    broken = CheckResult("Storage", CheckStatus.FAIL, "The card is read-only.", "Replace it.")
    DiagnosticsScreen._checked(screen, [fine, broken])
    driver.step()
    texts = dict(driver.texts())
    assert texts["Storage: fault"].y < 300
    assert driver.shows("Faults: 1")
    mount = world.plug()
    driver.tap("bundle")
    driver.until(lambda: any(path.name.startswith("mammascope-support") for path in mount.iterdir()))
    driver.until(lambda: not any(path.suffix == ".part" for path in mount.iterdir()))
    (folder,) = mount.iterdir()
    assert json.loads((folder / "checks.json").read_text())[0]["name"] == "Storage"
    everything = b"".join(path.read_bytes() for path in folder.iterdir())
    assert PATIENT.code.encode() not in everything
    assert PATIENT.name.encode() not in everything
