# SPDX-License-Identifier: Apache-2.0
"""The script that decides which release runs: a trial and its end, by every way in which it can end."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from device.update.releases import InstallPaths
from tests.device.update.conftest import Handheld

OLD, NEW, THIRD = "1.0.0-aaaaaaaaaaaa", "1.1.0-bbbbbbbbbbbb", "1.2.0-cccccccccccc"


def put(places: InstallPaths, name: str, *, complete: bool = True) -> Path:
    """A release as the guard sees one."""
    release = places.release(name)
    (release / "venv/bin").mkdir(parents=True)
    (release / "venv/bin/python").symlink_to("/bin/sh")
    (release / "device").mkdir()
    (release / "device/__init__.py").write_text(f'__version__ = "{name.partition("-")[0]}"\n')
    if complete:
        (release / "complete").touch()
    return release


@pytest.fixture
def card(tmp_path: Path, checkout: Path) -> Handheld:
    """Two releases: the old one is in use and good, the new one was just put beside it."""
    places = InstallPaths(tmp_path / "card")
    put(places, OLD)
    put(places, NEW)
    (places.base / "current").symlink_to(f"releases/{OLD}")
    places.guard.parent.mkdir(parents=True)
    shutil.copy(checkout / "systemd/update-guard", places.guard)
    made = Handheld(places)
    made.uptime(1000)
    made.app_runs_for(500)
    made.guard("look")
    assert places.good == OLD
    return made


def begin(card: Handheld) -> None:
    done = card.guard("begin", NEW)
    assert done.returncode == 0, done.stderr
    assert card.places.current == NEW
    card.app_runs_for(0)


def restarts_asked_for(card: Handheld) -> bool:
    """Whether the app is started again by who may."""
    card.guard("restart")
    asked = card.places.root / "tools/asked"
    return asked.exists() and "restart mammascope.service" in asked.read_text()


def test_a_release_that_runs_two_minutes_is_good(card: Handheld) -> None:
    begin(card)
    assert restarts_asked_for(card)
    card.app_has_run_for(119)
    card.guard("look")
    assert card.places.trial is not None
    card.uptime(1000 + 120)
    card.app_runs_for(120)
    card.guard("look")
    after = card.places
    assert (after.trial, after.good, after.highest, after.last["result"]) == (None, NEW, "1.1.0", "good")


@pytest.mark.parametrize("end", ["watchdog", "exit-code", "signal", "core-dump", "timeout", "oom-kill"])
def test_the_second_bad_end_takes_it_back(card: Handheld, end: str) -> None:
    begin(card)
    card.guard("stopped", SERVICE_RESULT=end)
    assert card.places.current == NEW
    card.guard("stopped", SERVICE_RESULT=end)
    assert card.places.current == OLD
    assert card.places.failed == {NEW: end}
    assert card.places.last == {"result": "back", "release": f"releases/{NEW}", "reason": end}
    assert card.places.trial is None


def test_the_release_before_that_goes_on_running_makes_nothing_good(card: Handheld) -> None:
    assert card.guard("begin", NEW).returncode == 0
    card.uptime(1000 + 300)
    card.app_runs_for(800)  # since before the switch: it was not started anew
    card.guard("look")
    assert card.places.good == OLD
    card.uptime(1000 + 900)
    card.app_runs_for(1400)
    card.guard("look")
    assert card.places.failed == {NEW: "deadline"}


def test_systemd_restarts_an_app_that_fell_so_the_guard_does_not(card: Handheld) -> None:
    begin(card)
    card.guard("restart")
    (card.places.root / "tools/asked").unlink()
    for _ in range(2):
        card.guard("stopped", SERVICE_RESULT="watchdog")
    assert not restarts_asked_for(card)


def test_the_bad_end_of_the_release_before_is_not_counted(card: Handheld) -> None:
    assert card.guard("begin", NEW).returncode == 0
    for _ in range(3):
        card.guard("stopped", SERVICE_RESULT="timeout")  # the app runs since long before the switch
    trial = card.places.trial
    assert trial is not None
    assert card.places.current == NEW


def test_switching_off_is_no_failure(card: Handheld) -> None:
    begin(card)
    for _ in range(5):
        card.guard("stopped", SERVICE_RESULT="success")
    assert card.places.current == NEW


def test_one_fall_is_forgiven_to_a_release_that_runs_afterwards(card: Handheld) -> None:
    begin(card)
    card.guard("stopped", SERVICE_RESULT="exit-code")
    card.app_has_run_for(130)
    card.guard("look")
    assert card.places.good == NEW


@pytest.mark.parametrize("running", [None, 5])
def test_one_that_does_not_get_healthy_in_time_is_taken_back(card: Handheld, running: int | None) -> None:
    begin(card)
    card.guard("restart")
    card.uptime(1000 + 899)
    card.app_runs_for(running)
    card.guard("look")
    assert card.places.current == NEW
    card.uptime(1000 + 900)
    card.app_runs_for(running)
    card.guard("look")
    assert card.places.current == OLD
    assert card.places.failed == {NEW: "deadline"}
    assert restarts_asked_for(card)


def test_a_device_that_restarts_again_and_again_goes_back(card: Handheld) -> None:
    begin(card)
    for _ in range(3):
        card.boot()
        assert card.places.current == NEW
    card.boot()
    assert card.places.current == OLD
    assert card.places.failed == {NEW: "boots"}


def test_the_time_of_a_trial_begins_anew_with_the_system(card: Handheld) -> None:
    begin(card)
    card.boot(uptime=20)
    card.uptime(500)
    card.app_runs_for(3)
    card.guard("look")
    assert card.places.trial is not None


def test_only_a_whole_release_is_tried(card: Handheld) -> None:
    put(card.places, THIRD, complete=False)
    assert card.guard("begin", THIRD).returncode == 66
    assert card.guard("begin", "../../etc").returncode == 66
    assert card.guard("begin", "").returncode != 0
    assert card.places.current == OLD
    assert card.places.trial is None


def test_nothing_else_is_tried_meanwhile(card: Handheld) -> None:
    begin(card)
    put(card.places, THIRD)
    assert card.guard("begin", THIRD).returncode == 75
    assert card.places.current == NEW


def test_when_it_is_good_only_the_one_before_it_is_kept(card: Handheld) -> None:
    put(card.places, "0.9.0-dddddddddddd")
    begin(card)
    assert len(card.releases) == 3
    card.app_has_run_for(200)
    card.guard("look")
    assert card.releases == {OLD, NEW}


def test_the_way_back_leads_to_a_release_that_is_whole(card: Handheld) -> None:
    put(card.places, THIRD)
    begin(card)
    (card.places.release(OLD) / "complete").unlink()
    for _ in range(2):
        card.guard("stopped", SERVICE_RESULT="signal")
    assert card.places.current == THIRD


def test_with_nowhere_to_go_it_stays(card: Handheld) -> None:
    begin(card)
    (card.places.release(OLD) / "complete").unlink()
    for _ in range(3):
        assert card.guard("stopped", SERVICE_RESULT="signal").returncode == 0
    assert card.places.current == NEW


def test_a_technician_goes_back_and_forth(card: Handheld) -> None:
    begin(card)
    card.app_has_run_for(200)
    card.guard("look")
    card.guard("restart")
    assert card.guard("back").returncode == 0
    assert card.places.current == OLD
    assert card.places.failed == {NEW: "by-hand"}
    assert restarts_asked_for(card)
    assert card.guard("back").returncode == 66  # the other one has failed
    assert card.places.current == OLD


def test_one_that_was_taken_back_and_runs_well_after_all_is_forgiven(card: Handheld) -> None:
    begin(card)
    card.guard("back")
    begin(card)
    card.app_has_run_for(200)
    card.guard("look")
    assert card.places.failed == {}
    assert card.places.good == NEW


def test_the_highest_version_is_remembered_over_the_way_back(card: Handheld) -> None:
    put(card.places, "1.10.0-eeeeeeeeeeee")
    card.guard("begin", "1.10.0-eeeeeeeeeeee")
    card.app_has_run_for(200)
    card.guard("look")
    card.guard("back")
    card.guard("look")
    assert card.places.current == OLD
    assert card.places.highest == "1.10.0"


def test_the_installer_has_the_last_word(card: Handheld) -> None:
    begin(card)
    put(card.places, THIRD)
    (card.places.base / "current").unlink()
    (card.places.base / "current").symlink_to(f"releases/{THIRD}")
    for _ in range(2):
        card.guard("stopped", SERVICE_RESULT="watchdog")
    assert card.places.current == THIRD
    assert card.places.trial is None


@pytest.mark.parametrize("broken", ["missing", "nowhere", "incomplete", "outside"])
def test_a_start_without_a_whole_release_finds_one(card: Handheld, broken: str) -> None:
    link = card.places.base / "current"
    link.unlink()
    if broken == "nowhere":
        link.symlink_to("releases/9.9.9-gone")
    elif broken == "incomplete":
        put(card.places, THIRD, complete=False)
        link.symlink_to(f"releases/{THIRD}")
    elif broken == "outside":
        link.symlink_to("/etc")
    card.boot()
    assert card.places.current == OLD


@pytest.mark.parametrize(
    "text", ["", "to=../../etc\nfrom=releases/x\nphase=forward\n", "phase=forward\n", "\0\0", "x" * 9000]
)
def test_a_note_of_a_trial_that_makes_no_sense_is_dropped(card: Handheld, text: str) -> None:
    (card.places.state / "trial").write_text(text)
    assert card.guard("stopped", SERVICE_RESULT="watchdog").returncode == 0
    card.boot()
    assert card.places.current == OLD
    assert not (card.places.state / "trial").exists()


def test_what_a_power_cut_has_left_is_swept_away(card: Handheld) -> None:
    put(card.places, THIRD, complete=False)
    (card.places.base / "releases/.gone-x").mkdir()
    (card.places.base / "current.new").symlink_to("releases/x")
    (card.places.state / "trial.new").write_text("half")
    card.boot()
    assert card.releases == {OLD, NEW}
    assert {path.name for path in card.places.base.iterdir()} == {"releases", "current"}
    assert not list(card.places.state.glob("*.new"))
