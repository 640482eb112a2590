# SPDX-License-Identifier: Apache-2.0
"""Whether an update is for this device: the right machine, not older, not tried before, room for it."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from device.errors import (
    UpdateError,
    UpdateFitError,
    UpdateOlderError,
    UpdateRoomError,
    UpdateTriedError,
)
from device.update.container import UpdateHead, opened
from device.update.environment import wheel_fits
from device.update.fit import InstallOptions, Machine, require_fit
from tests.device.update.conftest import Desk, Handheld, wheel_of

PI = Machine("aarch64", "3.13", records_schema=2, has_records=True)


def head_of(path: Path) -> UpdateHead:
    with opened(path, lambda signer: None) as (head, _):
        return head


def test_a_newer_one_fits(handheld: Handheld, update_file: Path) -> None:
    require_fit(head_of(update_file), handheld.places, PI, "stick")


def test_the_same_version_made_anew_fits(handheld: Handheld, desk: Desk) -> None:
    require_fit(head_of(desk.update("1.0.0")), handheld.places, PI, "stick")


def test_an_older_one_is_refused_unless_a_technician_insists(handheld: Handheld, desk: Desk) -> None:
    head = head_of(desk.update("0.9.9"))
    with pytest.raises(UpdateOlderError, match=r"0\.9\.9"):
        require_fit(head, handheld.places, PI, "stick")
    require_fit(head, handheld.places, PI, "stick", InstallOptions(older=True))


def test_also_one_older_than_what_ever_ran_well_here(handheld: Handheld, update_file: Path) -> None:
    (handheld.places.state / "highest").write_text("1.10.0\n")
    with pytest.raises(UpdateOlderError, match=r"1\.10\.0"):
        require_fit(head_of(update_file), handheld.places, PI, "stick")


def test_one_that_could_not_read_the_exams_is_refused_whoever_insists(handheld: Handheld, update_file: Path) -> None:
    newer = Machine("aarch64", "3.13", records_schema=3, has_records=True)
    with pytest.raises(UpdateOlderError, match="records"):
        require_fit(head_of(update_file), handheld.places, newer, "stick", InstallOptions(older=True))
    empty = Machine("aarch64", "3.13", records_schema=3, has_records=False)
    require_fit(head_of(update_file), handheld.places, empty, "stick")


def test_one_that_was_taken_back_is_not_tried_again_by_itself(handheld: Handheld, update_file: Path) -> None:
    head = head_of(update_file)
    (handheld.places.state / "failed").write_text(f"releases/{head.release} watchdog\n")
    with pytest.raises(UpdateTriedError, match="watchdog"):
        require_fit(head, handheld.places, PI, "stick")
    require_fit(head, handheld.places, PI, "stick", InstallOptions(retry=True))


def test_other_machines_steps_between_and_new_units_are_refused(handheld: Handheld, desk: Desk, checkout: Path) -> None:
    with pytest.raises(UpdateFitError, match="x86_64"):
        require_fit(head_of(desk.update(machines=("x86_64",))), handheld.places, PI, "stick")
    with pytest.raises(UpdateFitError, match=r"1\.0\.5"):
        require_fit(head_of(desk.update(minimum="1.0.5")), handheld.places, PI, "stick")
    newer = int((checkout / "systemd/level").read_text()) + 1
    with pytest.raises(UpdateFitError, match=r"setup\.sh install"):
        require_fit(head_of(desk.update(files={"systemd/level": f"{newer}\n"})), handheld.places, PI, "stick")


def test_other_packages_have_to_come_along_and_be_for_this_machine(
    handheld: Handheld, desk: Desk, tmp_path: Path
) -> None:
    without = head_of(desk.update(files={"requirements/device.lock": "other==1\n"}))
    with pytest.raises(UpdateFitError, match="--wheels"):
        require_fit(without, handheld.places, PI, "stick")
    tag = "cp313-cp313-manylinux_2_28_aarch64"
    head = head_of(desk.update(wheel=wheel_of(tmp_path, "x", tag)))
    assert head.manifest.packages == ("cp313-aarch64",)
    require_fit(head, handheld.places, PI, "stick")
    with pytest.raises(UpdateFitError, match="cp311-aarch64"):
        require_fit(head, handheld.places, Machine("aarch64", "3.11", 2, has_records=False), "stick")


def test_a_full_card_is_said_before_anything_is_written(
    handheld: Handheld, update_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=50 * 2**20))
    with pytest.raises(UpdateRoomError, match="50 are free"):
        require_fit(head_of(update_file), handheld.places, PI, "stick")


def test_where_nothing_is_installed_nothing_is_updated(handheld: Handheld, update_file: Path) -> None:
    (handheld.places.base / "current").unlink()
    with pytest.raises(UpdateError, match=r"setup\.sh install"):
        require_fit(head_of(update_file), handheld.places, PI, "stick")


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("numpy-2.4.0-cp313-cp313-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl", True),
        ("numpy-2.4.0-cp311-cp311-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl", False),
        ("numpy-2.4.0-cp313-cp313-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl", False),
        ("cryptography-50.0.0-cp311-abi3-manylinux_2_28_aarch64.whl", True),
        ("pydicom-3.0.1-py3-none-any.whl", True),
        ("pip-1.0-1-py2.py3-none-any.whl", True),
        ("evil.whl", False),
    ],
)
def test_only_packages_that_may_fit_are_unpacked(name: str, fits: bool) -> None:
    assert wheel_fits(name, "aarch64", "3.13") is fits
