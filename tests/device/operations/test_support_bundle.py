# SPDX-License-Identifier: Apache-2.0
"""A support bundle holds what a technician needs, and nothing that needs a patient's or the clinic's consent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from device.__main__ import main
from device.capture.sources.usb_stick import Roots
from device.commands import doctor
from device.config import ScannerPreset, Settings, load_settings, save_settings
from device.errors import EmptyFileError
from device.operations.checks.clinic import ClinicCheck
from device.operations.checks.stick import StickCheck
from device.operations.support_bundle import PLAIN, told_settings, write_support_bundle
from device.site.access import ClinicAccess, access_path
from device.system.check import Check, CheckResult, CheckStatus
from tests.device.site.stored import save_access
from tests.device.ui.record_world import PATIENT, PIN, World, a_draft, a_final, make_world

WORKED_OVER = frozenset({"site.clinic_url", "site.recovery_key", "sources", "presets"})
"""Settings of which only a part leaves the device."""

SECRETS = {
    "code": PATIENT.code,
    "name": PATIENT.name,
    "first name": "Wanjiru",
    "PIN": PIN,
    "operator": "Asha",
    "password": "clinic-geheim",
    "user": "device-ward-3",
    "user in the address": "bob:hunter2",
    "key in the address": "token=abc123",
    "wireless password": "wifi-geheim",
    "preset": "for Mrs Achieng",
    "label": "ACHIENG",
    "folder": "visit of Achieng",
    "wrong setting": "typed-by-mistake",
}
"""All of it lies on the device, and none of it may leave."""

JOURNAL = [
    {"MESSAGE": f"{EmptyFileError.code}: /media/ACHIENG/Wanjiru Muller.png: The file is empty.", "_PID": "812"},
    {"MESSAGE": "mammascope.service: Watchdog timeout (limit 20s)!", "_PID": "1"},
    {"MESSAGE": "mmc0: Timeout waiting for hardware interrupt.", "_PID": "0"},
    {"MESSAGE": "audit: apparmor=DENIED name=/media/ACHIENG/Wanjiru.png", "_PID": "0"},
    {"MESSAGE": "wpa_supplicant: psk=wifi-geheim", "_PID": "400"},
]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A device in use, with exams, a clinic, a network, a stick, and a journal that says too much."""
    made = make_world(tmp_path)
    data = made.folder / "device"
    monkeypatch.setenv("MAMMASCOPE_DATA", str(data))
    monkeypatch.setenv("MAMMASCOPE_CONFIG", str(tmp_path / "settings.toml"))
    services = made.unlocked()
    a_draft(services)
    a_final(services)
    services.close()
    access = ClinicAccess(user=SECRETS["user"], password=SecretStr(SECRETS["password"]))
    save_access(access_path(data), access)
    (data / "mammascope-site.toml").write_text(f'[wifi]\npassword = "{SECRETS["wireless password"]}"\n')
    save_settings(settings(), tmp_path / "settings.toml")
    made.plug(SECRETS["label"])
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "lines").write_text("\n".join(json.dumps(entry) for entry in JOURNAL))
    (tools / "journalctl").write_text(f'#!/bin/sh\nexec cat "{tools}/lines"\n')
    (tools / "journalctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    return made


def settings() -> Settings:
    source = f"folder:/media/{SECRETS['label']}/{SECRETS['folder']}"
    preset = ScannerPreset(name=SECRETS["preset"], box=(1, 2, 300, 200))
    changed = Settings().with_values(
        "site", name="Kisumu", clinic_url="https://localhost:1/dicom-web", recovery_key="ab" * 32
    )
    return changed.with_values("sources", last_by_site={"Kisumu": source}).with_presets([preset])


def told(folder: Path) -> dict[str, Any]:
    """The content of the files by their names; that nothing of it may not be there is checked on the way."""
    everything = b"\n".join(path.read_bytes() for path in folder.iterdir())
    assert [what for what, secret in SECRETS.items() if secret.encode() in everything] == []
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}


def some_checks(roots: Roots) -> Any:
    def checks(settings: Settings) -> tuple[Check, ...]:
        return StickCheck(roots), ClinicCheck(settings)

    return checks


def test_the_command_writes_one_without_patients_credentials_and_passwords(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "all_checks", some_checks(world.roots))
    target = tmp_path / "for the technician"
    target.mkdir()
    assert main(["doctor", "--support-bundle", str(target), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    (folder,) = target.iterdir()
    assert said["support_bundle"] == str(folder)
    files = told(folder)
    assert [check["name"] for check in files["checks"]] == ["Settings", "Stick", "Clinic"]
    assert files["settings"]["site"] | {"policy": None} == {
        "name": "Kisumu",
        "clinic_url": "https://localhost:1/dicom-web",
        "recovery_key": "set",
        "policy": None,
    }
    assert files["settings"]["presets"][0]["box"] == [1, 2, 300, 200]
    assert files["settings"]["sources"] == {"last": ["folder"], "practice": False}
    assert files["journal"]["codes"] == {EmptyFileError.code: 1}
    assert "Watchdog timeout" in files["journal"]["units"][0]
    assert "mmc0" in files["journal"]["kernel"][0]
    assert any(package.startswith("numpy ") for package in files["versions"]["packages"])


def test_a_settings_file_that_is_wrong_is_told_by_its_keys_alone(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "all_checks", lambda _: ())
    (tmp_path / "settings.toml").write_text(f'[site]\nclinic_url = "{SECRETS["wrong setting"]}: x = 1"\n')
    target = tmp_path / "for the technician"
    target.mkdir()
    assert main(["doctor", "--support-bundle", str(target)]) == 1
    assert SECRETS["wrong setting"] in capsys.readouterr().out  # who sits before the device has to see it
    (folder,) = target.iterdir()
    assert told(folder)["checks"][0]["sentence"].endswith("site.clinic_url")


def test_the_one_of_the_screen_is_the_same(world: World, tmp_path: Path) -> None:
    result = CheckResult(
        "Clinic", CheckStatus.WARN, f"https://{SECRETS['user in the address']}@localhost does not answer"
    )
    mount = world.plug(SECRETS["label"])
    name = write_support_bundle(mount, [result], load_settings(tmp_path / "settings.toml"))
    assert set(told(mount / name)) == {"checks", "settings", "versions", "journal"}


def test_where_no_folder_is_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--support-bundle", str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_somebody_has_thought_about_every_setting() -> None:
    def names(model: type[BaseModel], before: str = "") -> set[str]:
        found: set[str] = set()
        for name, field in model.model_fields.items():
            whole, kind = f"{before}{name}", field.annotation
            section = isinstance(kind, type) and issubclass(kind, BaseModel) and whole not in WORKED_OVER
            found |= names(kind, f"{whole}.") if section else {whole}  # type: ignore[arg-type]  # a section is a class
        return found

    assert names(Settings) == PLAIN | WORKED_OVER
    assert set(told_settings(Settings())) == set(Settings.model_fields)
