# SPDX-License-Identifier: Apache-2.0
"""What the tests of the clinic's web application share: a store of each kind, and a real archive."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from clinic.archive.client import ArchiveClient
from clinic.state import ADMIN
from clinic.store.database import Store, sqlite_url
from device.dicom.objects import build_instances
from device.records.exam import Exam, View
from device.site.access import ClinicAccess
from tests.device.upload import exams
from tests.device.upload.real_archive import RealArchive, running_archive
from tests.patience import PATIENT_S
from tests.ports import free_port

MEMORY = Path("/dev/shm")  # noqa: S108 - folders with names of chance are made in it


@contextlib.contextmanager
def in_memory(name: str) -> Iterator[Path]:
    """A folder in memory where the machine has one: what is tried on it is not the disk, and waits for none."""
    with tempfile.TemporaryDirectory(
        prefix=f"mammascope-{name}-", dir=MEMORY if MEMORY.is_dir() else None, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def postgresql_programs() -> Path | None:
    """Folder of the programs of Debian's packages, ``None`` where they are missing."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Address of a PostgreSQL server of Debian's packages, started for the tests; skips by name without it."""
    programs = postgresql_programs()
    if programs is None:
        pytest.skip("postgresql is not installed")
    # Not a folder of pytest's: those are closed to other users again whenever another run of it begins.
    with in_memory("postgresql") as folder:
        yield from _run_postgresql(programs, folder)


def _run_postgresql(programs: Path, folder: Path) -> Iterator[str]:
    user: list[str] = []
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(folder, "postgres")
        user = ["runuser", "-u", "postgres", "--"]
    data, port = folder / "data", free_port()

    def run(program: str, *words: str) -> None:
        command = [*user, str(programs / program), "-D", str(data), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=PATIENT_S, cwd=folder)

    run("initdb", "-A", "trust", "-U", "clinic", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
    yield f"postgresql+psycopg://clinic@127.0.0.1:{port}"
    run("pg_ctl", "-m", "immediate", "stop")


def postgresql_database(server: str, template: str = "template1") -> str:
    """Address of a fresh database on a server, empty or like another one that nobody is connected to."""
    name = f"clinic_{uuid.uuid4().hex}"
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    engine.dispose()
    return f"{server}/{name}"


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder of this test's in memory."""
    with in_memory("test") as folder:
        yield folder


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, memory: Path) -> str:
    """Address of an empty store, of both kinds one after the other."""
    if request.param == "sqlite":
        return sqlite_url(memory / "clinic.sqlite")
    return postgresql_database(request.getfixturevalue("postgresql"))


@pytest.fixture(scope="session")
def migrated() -> Iterator[Path]:
    """A SQLite store with its tables and nothing in them, made once and copied for each test."""
    with in_memory("migrated") as folder:
        path = folder / "clinic.sqlite"
        made = Store(sqlite_url(path))
        made.migrate()
        made.close()
        yield path


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: str) -> str:
    """Name of such a database."""
    url = postgresql_database(postgresql)
    made = Store(url)
    made.migrate()
    made.close()
    return url.rpartition("/")[2]


@pytest.fixture
def sqlite_file(migrated: Path, memory: Path) -> Path:
    """An empty SQLite store with its tables."""
    return Path(shutil.copy(migrated, memory / "clinic.sqlite"))


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store with its tables, of both kinds one after the other."""
    if request.param == "sqlite":
        url = sqlite_url(request.getfixturevalue("sqlite_file"))
    else:
        template = request.getfixturevalue("migrated_postgresql")
        url = postgresql_database(request.getfixturevalue("postgresql"), template)
    made = Store(url)
    yield made
    made.close()


class Clinic:
    """A real archive, and what a handheld would send to it."""

    def __init__(self, archive: RealArchive) -> None:
        self.archive = archive
        password = archive.state.users()[ADMIN]
        access = ClinicAccess.model_validate({"authority": archive.authority, "user": ADMIN, "password": password})
        self.access = access
        self.client = ArchiveClient(archive.url, access)

    def send(self, exam: Exam) -> str:
        """Let a handheld send an exam; its Study Instance UID."""
        for instance in build_instances(exam, exams.DEVICE):
            self.client.store(exam.uid, instance.sop_uid, instance.content)
        return exam.uid

    def exam(self, *views: View, **values: object) -> Exam:
        """An exam that is new to the archive."""
        name = uuid.uuid4().hex
        made = exams.exam(name, *(views or (exams.view(exams.exam_uid(name), 1),)))
        return exams.changed(made, **values)


@pytest.fixture(scope="session")
def clinic() -> Iterator[Clinic]:
    """Orthanc behind nginx, started once; skips by name where they are not installed."""
    with in_memory("clinic") as folder, running_archive(folder) as running:
        made = Clinic(running)
        yield made
        made.client.close()


@pytest.fixture
def running_clinic(clinic: Clinic) -> RealArchive:
    """Orthanc, gate and nginx, for the tests of the doors."""
    return clinic.archive
