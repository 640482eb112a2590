# SPDX-License-Identifier: Apache-2.0
"""A real archive for the tests: Orthanc behind nginx as ``./clinic/run`` starts it, TLS and passwords on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from dicomweb_client import DICOMwebClient
from dicomweb_client.session_utils import create_session_from_user_pass

from clinic.certificates import key_pin
from clinic.errors import ArchiveStartError, OrthancMissingError
from clinic.service import Address, Archive, Installation, find_installation
from clinic.state import ADMIN, READER, ClinicState
from device.site.access import ClinicAccess
from tests.patience import PATIENT_S
from tests.ports import free_port

DEVICE = "test"


def installation() -> Installation | None:
    """The installed programs, or ``None`` where they are not."""
    try:
        return find_installation()
    except OrthancMissingError:
        return None


@contextmanager
def running_archive(folder: Path) -> Iterator[RealArchive]:
    """Orthanc, gate and nginx, started; skips by name where they are not installed."""
    programs = installation()
    if programs is None:
        pytest.skip("orthanc, orthanc-dicomweb and nginx are not installed")
    archive = RealArchive(folder, programs)
    archive.start()
    try:
        yield archive
    finally:
        archive.stop()


class RealArchive:
    """One clinic on this machine; everything is made by the clinic's own code."""

    def __init__(self, folder: Path, programs: Installation) -> None:
        self.state = ClinicState(folder)
        self.password = self.state.add_device(DEVICE)
        self._programs = programs
        self._place()

    def _place(self) -> None:
        self.port = free_port()
        address = Address(("localhost", "127.0.0.1"), self.port, free_port(), local=True)
        self._archive = Archive(self._programs, self.state, "Test clinic", address)
        self.url = f"https://localhost:{self.port}/dicom-web"

    def start(self) -> None:
        for tries_left in (2, 1, 0):
            try:
                self._archive.start()
            except ArchiveStartError:  # another process may have been quicker to take the port
                if not tries_left:
                    raise
                self._place()
            else:
                return

    def stop(self) -> None:
        self._archive.stop()

    @property
    def authority(self) -> str:
        return self.state.authority("Test clinic").certificate.decode()

    @property
    def pin(self) -> str:
        return key_pin((self.state.folder / "server.crt").read_bytes())

    def access(self, **other: object) -> ClinicAccess:
        """What an enrolled device has; ``other`` replaces parts of it."""
        values = {"authority": self.authority, "user": f"device-{DEVICE}", "password": self.password}
        return ClinicAccess.model_validate(values | other)

    def reader(self) -> DICOMwebClient:
        """An independent DICOMweb client that looks at the archive as a reader at the clinic does."""
        return DICOMwebClient(self.url, session=self._session(READER))

    def file(self, sop_uid: str) -> bytes:
        """The file as the archive keeps it, by Orthanc's own interface and an administrator's rights."""
        session, base = self._session(ADMIN), f"https://localhost:{self.port}"
        found = session.post(f"{base}/tools/lookup", data=sop_uid, timeout=PATIENT_S).json()
        (one,) = [entry for entry in found if entry["Type"] == "Instance"]
        return bytes(session.get(f"{base}/instances/{one['ID']}/file", timeout=PATIENT_S).content)

    def delete(self, study_uid: str) -> None:
        """Delete a study, as an administrator does on Orthanc's own pages."""
        session, base = self._session(ADMIN), f"https://localhost:{self.port}"
        found = session.post(f"{base}/tools/lookup", data=study_uid, timeout=PATIENT_S).json()
        (one,) = [entry for entry in found if entry["Type"] == "Study"]
        session.delete(f"{base}/studies/{one['ID']}", timeout=PATIENT_S).raise_for_status()

    def _session(self, user: str) -> requests.Session:
        session: requests.Session = create_session_from_user_pass(user, self.state.users()[user])
        session.verify = str(self.state.folder / "authority.crt")
        session.trust_env = False
        return session

    def stored(self, study_uid: str) -> list[str]:
        """SOP Instance UIDs that the archive has of a study, as an independent client counts them."""
        found = self.reader().search_for_instances(study_uid)
        return sorted(entry["00080018"]["Value"][0] for entry in found)
