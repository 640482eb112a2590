# SPDX-License-Identifier: Apache-2.0
"""A clinic is backed up on one machine and restored on another, by the handbook's words; its handhelds go on.

    python -m pytest tests/system/test_clinic_moves.py

Two machines are two folders of which the first is gone afterwards, other ports, and another name; with PostgreSQL also
two pairs of databases, likewise. First the new machine is reached by another address, then by the old one, as it is
where a name in the network moves with the clinic.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

import pytest
from sqlalchemy import create_engine, text

from clinic.certificates import key_pin
from clinic.state import DATABASE_FILE, ClinicState
from clinic.store.database import Store, sqlite_url
from device.errors import UploadError
from device.records.audit import Clock
from device.records.outbox.table import OutboxState
from device.records.store.retention import Standing
from device.upload.clinic_inbox import ClinicInbox, InboxResult
from device.upload.destination import Destination
from device.upload.link import Link
from device.upload.pace import Pace
from device.upload.still_there import standing
from device.upload.stow import DicomWebArchive
from device.upload.uploader import Uploader
from tests.clinic.conftest import postgresql, postgresql_programs
from tests.clinic.whole_clinic import Running, indexed
from tests.device.upload.device_records import Records
from tests.device.upload.real_archive import installation
from tests.patience import PATIENT_S
from tests.system.test_clinic_upgrade import CODE, Browser

NAME: Final = "mammascope-clinic"

pytestmark = pytest.mark.skipif(installation() is None, reason="orthanc, orthanc-dicomweb and nginx are missing")


class Databases(Protocol):
    """Where a clinic keeps what is no picture, and how that goes to another machine."""

    def of(self, machine: str, folder: Path) -> Mapping[str, str]:
        """What the environment of a clinic says of it, on one machine; nothing where all of it is in the folder."""

    def move(self, before: str, after: str, folder: Path) -> None:
        """By the handbook: from one machine, which is gone then, by files in a folder, to another."""


class InFolder:
    """SQLite: it is in the clinic's folder, and goes where that goes."""

    def of(self, machine: str, folder: Path) -> Mapping[str, str]:
        del machine
        return {"MAMMASCOPE_DATABASE": sqlite_url(folder / DATABASE_FILE), "MAMMASCOPE_INDEX_DATABASE": ""}

    def move(self, before: str, after: str, folder: Path) -> None:
        del before, after, folder


class InPostgresql:
    """PostgreSQL: two databases of a user who may do nothing else; each machine has a pair of its own.

    Args:
        server: Address of a server, as its administrator.
    """

    USER: Final = "pages"
    NAMES: Final = ("clinic", "archive")

    def __init__(self, server: str) -> None:
        self._server = server
        self._run(f"CREATE ROLE {self.USER} LOGIN")
        self._make("a")

    def of(self, machine: str, folder: Path) -> Mapping[str, str]:
        del folder
        place = re.sub("//[^@]*@", f"//{self.USER}@", self._server)
        clinic, archive = (f"{place}/{name}_{machine}" for name in self.NAMES)
        index = archive.replace("postgresql+psycopg:", "postgresql:")
        return {"MAMMASCOPE_DATABASE": clinic, "MAMMASCOPE_INDEX_DATABASE": index}

    def move(self, before: str, after: str, folder: Path) -> None:
        plain = self._server.replace("postgresql+psycopg:", "postgresql:")
        for name in self.NAMES:
            dump = self._program("pg_dump", "--format=custom", f"{plain}/{name}_{before}")
            (folder / f"{name}.dump").write_bytes(dump)
            self._run(f"DROP DATABASE {name}_{before}")
        self._make(after)
        for name in self.NAMES:
            self._program("pg_restore", f"--dbname={plain}/{name}_{after}", stdin=folder / f"{name}.dump")

    def _make(self, machine: str) -> None:
        for name in self.NAMES:
            self._run(f"CREATE DATABASE {name}_{machine} OWNER {self.USER}")

    def _run(self, command: str) -> None:
        engine = create_engine(f"{self._server}/postgres", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(command))
        engine.dispose()

    @staticmethod
    def _program(name: str, *words: str, stdin: Path = Path(os.devnull)) -> bytes:
        programs = postgresql_programs()
        assert programs is not None, "the server runs"
        with stdin.open("rb") as given:
            command = [str(programs / name), *words]
            return subprocess.run(command, stdin=given, check=True, capture_output=True, timeout=PATIENT_S).stdout


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Databases:
    if request.param == "sqlite":
        return InFolder()
    found = installation()
    if found is None or found.index is None:
        pytest.skip("orthanc-postgresql is not installed")
    return InPostgresql(request.getfixturevalue(postgresql.__name__))


class Elsewhere(Running):
    """A clinic under another name and other ports, with databases that its environment names."""

    def __init__(
        self, checkout: Path, folder: Path, host: str, environment: Mapping[str, str], port: int | None = None
    ) -> None:
        super().__init__(checkout, folder)
        self.host = host
        self.environment = environment
        if port is not None:
            self.ports[0] = port
        self._words = [*self._words[: self._words.index("--host")], "--host", host, "--port", str(self.ports[0])]

    def start(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            super().start()


class Reader(Browser):
    """A person at the pages of a clinic, by its own name."""

    def __init__(self, running: Elsewhere) -> None:
        super().__init__(running)
        self.base = f"https://{running.host}:{running.ports[2]}"


class Moved:
    """A clinic with a day's work in it, the handheld that has done some of it, and the same clinic elsewhere."""

    def __init__(self, checkout: Path, folder: Path, databases: Databases) -> None:
        self.checkout, self.folder, self.databases = checkout, folder, databases
        place = folder / "machine-a" / "var" / "lib" / NAME
        self.old = Elsewhere(checkout, place, "localhost", databases.of("a", place))
        self.records = Records(folder / "handheld")
        with self.old:
            self.where = self.old.enrol("ward-3")
            code = CODE.search("".join(self.old.said))
            assert code is not None
            readers = [self.reader("asha", code[0])]
            readers[0].get("/people")
            invited = CODE.search(readers[0].post("/people/invite", role="reader"))
            assert invited is not None
            readers.append(self.reader("ben", invited[0]))
            self.seen, self.read = self.records.final_exam("KB-0001"), self.records.final_exam("KB-0002")
            assert self.send(self.where) == 2
            store = Store(self.old.environment["MAMMASCOPE_DATABASE"])
            self.places = [indexed(store, exam.uid) for exam in (self.seen, self.read)]
            store.close()
            self.decide(readers, self.places[0])
            assert self.fetch(self.where).verdicts == 1
            self.decide(readers, self.places[1])
            self.waiting = self.records.final_exam("KB-0003")

    def reader(self, name: str, code: str) -> Reader:
        made = Reader(self.old)
        made.accept(code, name, f"Dr {name.title()}")
        made.sign_in(name)
        return made

    def restore(self) -> tuple[Path, Mapping[str, str]]:
        """By the handbook: pack the folder, unpack it elsewhere; the old machine is no more.

        Returns:
            The folder on the new machine, and what the environment says there.
        """
        packed, new = self.folder / "clinic.tar.gz", self.folder / "machine-b" / "srv"
        new.mkdir(parents=True)
        before = self.old.folder.parent
        subprocess.run(["tar", "-C", before, "-czf", packed, NAME], check=True)
        before.rename(self.folder / "gone")
        subprocess.run(["tar", "-C", new, "-xzf", packed], check=True)
        self.databases.move("a", "b", self.folder)
        return new / NAME, self.databases.of("b", new / NAME)

    def send(self, where: Destination) -> int:
        return Uploader(self.records.folder, lambda _: where, self.records.opener).run_once().sent

    def fetch(self, where: Destination) -> InboxResult:
        clock = Clock(trusted=lambda: True)
        return ClinicInbox(self.records.folder, lambda _: where, clock).run_once(self.records.opener)

    def take_in(self, where: Destination) -> int:
        return self.records.store.inbox.take_in(bytes.fromhex(str(where.access.verdict_key)))

    def standing(self, where: Destination, exam_uid: str) -> Standing:
        link = Link(where.url, where.access, Pace(0, threading.Event()))
        try:
            return standing(DicomWebArchive(where.url, link), self.records.table().entry(exam_uid))
        finally:
            link.close()

    @staticmethod
    def decide(readers: list[Reader], place: str) -> None:
        """The first contradicts the field clinician, the second agrees with the first."""
        for reader in readers:
            for step, fields in (
                ("claim", {}),
                ("blind", {"category": "4B", "edition": "v2025"}),
                ("decide", {"category": "4B", "advice": "biopsy", "note": "Please refer her"}),
            ):
                reader.get(f"/exams/{place}")
                reader.post(f"/exams/{place}/{step}", **fields)


def test_a_clinic_goes_on_on_another_machine(checkout: Path, tmp_path: Path, databases: Databases) -> None:
    os.umask(0o077)
    moved = Moved(checkout, tmp_path, databases)
    old_key = ClinicState(moved.old.folder).server("", ["localhost"]).certificate
    folder, environment = moved.restore()
    with Elsewhere(checkout, folder, "127.0.0.1", environment) as new:
        assert CODE.search("".join(new.said)) is None, "there is an administrator"
        with pytest.raises(UploadError):  # at the address it knows, there is nobody
            moved.fetch(moved.where)
        where = new.enrol("ward-3")
        assert where.url != moved.where.url
        assert where.access == moved.where.access, "password, authority, key for verdicts: all as before"
        assert key_pin(ClinicState(folder).server("", ["127.0.0.1"]).certificate) == key_pin(old_key)

        assert moved.records.state(moved.seen) is OutboxState.SENT
        assert moved.standing(where, moved.seen.uid) is Standing.PRESENT, "a receipt of the old address counts"
        assert moved.send(where) == 1, "what waited, and nothing twice"
        result = moved.fetch(where)
        assert (result.verdicts, result.refused) == (1, ())
        assert moved.take_in(where) == 2
        moved.records.addendum(moved.seen, "She has come back")
        assert moved.send(where) == 1

        asha = Reader(new)
        asha.sign_in("asha")
        assert all(code in asha.get("/?tab=all") for code in ("KB-0001", "KB-0002"))
        assert "Please refer her" in asha.get(f"/exams/{moved.places[0]}")
        picture = asha.session.get(f"{asha.base}/exams/{moved.places[0]}/views/1/card.jpg", timeout=PATIENT_S)
        assert picture.status_code == 200
        numbers = [int(line.partition(",")[0]) for line in asha.get("/audit.csv").splitlines()[1:]]
        assert numbers == list(range(1, len(numbers) + 1))

    # Its name in the network has moved as well: the handheld notices nothing.
    with Elsewhere(checkout, folder, "localhost", environment, moved.old.ports[0]):
        later = moved.records.final_exam("KB-0004")
        assert moved.send(moved.where) == 1
        assert moved.standing(moved.where, later.uid) is Standing.PRESENT
        assert moved.standing(moved.where, moved.waiting.uid) is Standing.PRESENT
        assert moved.fetch(moved.where).refused == ()
    moved.records.close()
