# SPDX-License-Identifier: Apache-2.0
"""Updates from the clinic's server and from sticks: the newest good one, fetched whole, gone on with after a break."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from device.__main__ import main
from device.config import Settings, save_settings, settings_path
from device.errors import (
    ArchiveRefusedError,
    ArchiveUnreachableError,
    ArchiveUntrustedError,
    UpdateFileError,
    UpdateMissingError,
    UpdateSignerError,
    UploadStoppedError,
)
from device.operations.updates.sources import TARGET, at_clinic, downloaded, fetch, on_sticks
from device.site.access import ClinicAccess, access_path
from device.update.container import UpdateHead
from device.update.downloads import FOLDER, remove_used_downloads
from device.update.releases import InstallPaths
from device.upload.clinic_file import ClinicFile
from device.upload.destination import Destination
from tests.device.capture.sources.test_usb_stick import System
from tests.device.site.stored import save_access
from tests.device.update.conftest import Desk, Handheld, desk, handheld, shelf, update_file
from tests.device.upload.update_server import UpdateServer, update_server
from tests.ports import nobodys_port

__all__ = ["desk", "handheld", "shelf", "update_file"]  # fixtures


def anybody(signer: bytes) -> None:
    del signer


def silent(done: int, total: int) -> None:
    del done, total


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[UpdateServer]:
    with update_server(tmp_path / "clinic") as running:
        yield running


@pytest.fixture
def large(desk: Desk) -> Path:
    """An update of some size, which takes many pieces to fetch."""
    return desk.update("1.2.0", {"models/large.bin": "0123456789abcdef" * 500_000})


def offered(clinic: UpdateServer) -> UpdateHead:
    return at_clinic(clinic.where, anybody).head


def test_a_clinic_that_offers_nothing_says_so(clinic: UpdateServer) -> None:
    with pytest.raises(UpdateMissingError):
        at_clinic(clinic.where, anybody)


def test_what_the_clinic_offers_is_known_by_its_beginning(clinic: UpdateServer, large: Path) -> None:
    clinic.state.offer_update(large)
    assert offered(clinic).manifest.version == "1.2.0"
    with pytest.raises(UpdateSignerError):
        at_clinic(clinic.where, nobody)


def nobody(signer: bytes) -> None:
    raise UpdateSignerError("clinic", signer.hex())


def test_it_is_fetched_whole_and_found_again(clinic: UpdateServer, large: Path, tmp_path: Path) -> None:
    clinic.state.offer_update(large)
    path = fetch(ClinicFile(clinic.where, TARGET), offered(clinic), tmp_path, anybody, silent)
    assert path.read_bytes() == large.read_bytes()
    assert downloaded(tmp_path, lambda path: anybody).path == path


def test_what_is_installed_by_now_is_removed(
    clinic: UpdateServer, handheld: Handheld, update_file: Path, tmp_path: Path
) -> None:
    clinic.state.offer_update(update_file)
    fetch(ClinicFile(clinic.where, TARGET), offered(clinic), tmp_path, anybody, silent)
    assert remove_used_downloads(tmp_path, InstallPaths(tmp_path / "desk")) == 0
    assert remove_used_downloads(tmp_path, handheld.places) == 0
    handheld.install(downloaded(tmp_path, lambda path: anybody).path or tmp_path)
    assert remove_used_downloads(tmp_path, handheld.places) == 1
    with pytest.raises(UpdateMissingError):
        downloaded(tmp_path, lambda path: anybody)


def test_a_download_that_was_stopped_goes_on_where_it_was(clinic: UpdateServer, large: Path, tmp_path: Path) -> None:
    clinic.state.offer_update(large)
    head, file = offered(clinic), ClinicFile(clinic.where, TARGET)

    def stop_half_way(done: int, total: int) -> None:
        if done > total // 2:
            file.stop()

    with pytest.raises(UploadStoppedError):
        fetch(file, head, tmp_path, anybody, stop_half_way)
    starts: list[int] = []
    path = fetch(ClinicFile(clinic.where, TARGET), head, tmp_path, anybody, lambda done, total: starts.append(done))
    assert starts[0] > head.size // 2
    assert path.read_bytes() == large.read_bytes()


def test_another_update_under_the_same_address_is_noticed(
    clinic: UpdateServer, large: Path, desk: Desk, tmp_path: Path
) -> None:
    clinic.state.offer_update(large)
    head = offered(clinic)
    clinic.state.offer_update(desk.update("1.3.0", {"models/large.bin": "fedcba9876543210" * 500_000}))
    with pytest.raises(UpdateFileError):
        fetch(ClinicFile(clinic.where, TARGET), head, tmp_path, anybody, silent)
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_newer_download_takes_the_place_of_an_older_one(
    clinic: UpdateServer, update_file: Path, large: Path, tmp_path: Path
) -> None:
    for update in (update_file, large):
        clinic.state.offer_update(update)
        path = fetch(ClinicFile(clinic.where, TARGET), offered(clinic), tmp_path, anybody, silent)
    assert list((tmp_path / FOLDER).iterdir()) == [path]


def test_a_server_that_is_not_the_clinic_is_told_nothing(clinic: UpdateServer, large: Path) -> None:
    clinic.state.offer_update(large)
    with pytest.raises(ArchiveUntrustedError):
        at_clinic(clinic.seen_by(ClinicAccess()), anybody)


def test_a_handheld_that_the_clinic_does_not_know_gets_nothing(clinic: UpdateServer, large: Path) -> None:
    clinic.state.offer_update(large)
    stolen = clinic.where.access.model_copy(update={"password": SecretStr("another one")})
    with pytest.raises(ArchiveRefusedError):
        at_clinic(clinic.seen_by(stolen), anybody)


def test_no_clinic_no_download(clinic: UpdateServer, large: Path, tmp_path: Path) -> None:
    clinic.state.offer_update(large)
    head = offered(clinic)
    with nobodys_port() as port:
        file = ClinicFile(Destination(f"https://localhost:{port}/dicom-web", ClinicAccess()), TARGET)
        with pytest.raises(ArchiveUnreachableError):
            fetch(file, head, tmp_path, anybody, silent)


def test_the_command_asks_fetches_and_installs(
    clinic: UpdateServer,
    handheld: Handheld,
    update_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MAMMASCOPE_ROOT", str(handheld.places.root))
    monkeypatch.setenv("MAMMASCOPE_DATA", str(tmp_path / "data"))
    assert main(["update", "check"]) == 2
    assert "not enrolled" in capsys.readouterr().err
    save_settings(Settings().with_values("site", clinic_url=clinic.where.url), settings_path())
    save_access(access_path(tmp_path / "data"), clinic.where.access)
    clinic.state.offer_update(update_file)
    assert main(["update", "check"]) == 0
    assert "The clinic has 1.1.0-" in capsys.readouterr().out
    assert main(["update", "fetch"]) == 0
    assert main(["update", "install", "--downloaded"]) == 0
    assert handheld.says() == "1.1.0 hello"
    assert main(["update", "check"]) == 0
    assert "in use already" in capsys.readouterr().out


# --- sticks -----------------------------------------------------------------------------------------------------------


def test_the_newest_good_one_on_a_stick_is_taken(desk: Desk, update_file: Path, large: Path, tmp_path: Path) -> None:
    system = System(tmp_path / "system")
    roots = system.roots
    with pytest.raises(UpdateMissingError):
        on_sticks(lambda path: anybody, roots)
    system.disk("8:1", "pci/usb1/1-1/block/sda", "sda1", removable="1")
    mount = system.mount("KINGSTON")
    (mount / "broken.update").write_text("no update")
    with pytest.raises(UpdateFileError):
        on_sticks(lambda path: anybody, roots)
    for update in (update_file, large):
        (mount / update.name).write_bytes(update.read_bytes())
    assert on_sticks(lambda path: anybody, roots).path == mount / large.name
    for update in (update_file, large):
        (mount / update.name).write_bytes(update.read_bytes())
    (mount / "broken.update").unlink()
    with pytest.raises(UpdateSignerError):
        on_sticks(lambda path: nobody, roots)
