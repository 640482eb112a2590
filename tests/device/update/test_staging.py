# SPDX-License-Identifier: Apache-2.0
"""An update from the desk to the device: beside the old release, tried, switched to, and removed when it is bad."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.errors import UpdateBusyError, UpdateError, UpdateTestError
from device.update.staging import only_one
from tests.device.update.conftest import OLD, Desk, Handheld, wheel_of


def test_an_update_with_the_same_packages_runs_from_its_own_folder(handheld: Handheld, update_file: Path) -> None:
    used = handheld.install(update_file)
    assert used.startswith("1.1.0-")
    assert handheld.says() == "1.1.0 hello"
    assert handheld.releases == {OLD, used}
    trial = handheld.places.trial
    assert trial is not None
    assert trial.to == used


def test_packages_that_stay_the_same_take_no_room_twice(handheld: Handheld, update_file: Path) -> None:
    used = handheld.install(update_file)
    old, new = (next(handheld.places.release(name).rglob("greeting.py")) for name in (OLD, used))
    assert old.samefile(new)


def test_the_old_release_still_finds_its_own_program(handheld: Handheld, update_file: Path) -> None:
    handheld.install(update_file)
    handheld.guard("back")
    assert handheld.says() == "1.0.0 hello"


def test_an_update_with_other_packages_brings_them_along(handheld: Handheld, desk: Desk, tmp_path: Path) -> None:
    wheel_of(tmp_path / "new", "for another machine", "cp39-cp39-linux_riscv64")
    update = desk.update(wheel=wheel_of(tmp_path / "only", "hello again"))
    used = handheld.install(update)
    assert handheld.says() == "1.1.0 hello again"
    assert not (handheld.places.release(used) / "wheels").exists()
    handheld.guard("back")
    assert handheld.says() == "1.0.0 hello"


def test_a_release_that_fails_its_self_test_is_never_used(handheld: Handheld, desk: Desk) -> None:
    with pytest.raises(UpdateTestError, match=r"1\.1\.0-"):
        handheld.install(desk.update(files={"device/broken": ""}))
    assert handheld.says() == "1.0.0 hello"
    assert handheld.releases == {OLD}
    assert handheld.places.trial is None


def test_a_release_that_cannot_even_be_compiled_is_removed(handheld: Handheld, desk: Desk) -> None:
    with pytest.raises(UpdateError):
        handheld.install(desk.update(files={"device/other.py": "def ("}))
    assert handheld.releases == {OLD}


def test_the_same_update_again_is_no_second_release(handheld: Handheld, update_file: Path) -> None:
    used = handheld.install(update_file)
    handheld.app_has_run_for(200)
    handheld.guard("look")
    assert handheld.install(update_file) == used
    assert handheld.places.trial is None


def test_two_updates_at_a_time_are_one_too_many(handheld: Handheld, update_file: Path) -> None:
    with only_one(handheld.places), pytest.raises(UpdateBusyError):
        handheld.install(update_file)
    handheld.install(update_file)
    with pytest.raises(UpdateBusyError):
        handheld.install(update_file)


def test_programs_can_be_run_and_nothing_can_be_changed_by_others(handheld: Handheld, update_file: Path) -> None:
    release = handheld.places.release(handheld.install(update_file))
    assert (release / "setup.sh").stat().st_mode & 0o777 == 0o755
    assert (release / "device/__init__.py").stat().st_mode & 0o777 == 0o644
    loose = [path for path in release.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o022]
    assert loose == []
