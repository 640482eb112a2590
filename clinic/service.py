# SPDX-License-Identifier: Apache-2.0
"""The programs that a clinic's archive is made of, found on this machine, started together and stopped together."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tomli_w

from clinic import orthanc
from clinic.errors import ArchiveStartError, OrthancMissingError
from clinic.gateway import nginx as gateway
from clinic.gateway.inner_archive import InnerArchive
from clinic.state import ClinicState, write_private

PAGES_USER = "pages"
PAGES_ACCESS_FILE = "pages-access.toml"
PACKAGES = "orthanc orthanc-dicomweb nginx"
PLUGIN_NAME = "libOrthancDicomWeb.so"
WORKLIST_PLUGIN_NAME = "libModalityWorklists.so"
INDEX_PLUGIN_NAME = "libOrthancPostgreSQLIndex.so"
PLUGIN_FOLDERS = (
    Path("/usr/share/orthanc/plugins"),
    Path("/usr/lib/orthanc/plugins"),
    Path("/usr/local/share/orthanc/plugins"),
)
_SYSTEM_PATH = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"

_START_LIMIT_S = 180.0
_STOP_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the programs are.

    Attributes:
        orthanc: The archive.
        plugin: Its DICOMweb plug-in.
        nginx: What speaks TLS before it.
        index: Its plug-in for an index in PostgreSQL, where that is installed.
        worklists: Its plug-in for Modality Worklist.
    """

    orthanc: Path
    plugin: Path
    nginx: Path
    index: Path | None = None
    worklists: Path | None = None


def find_installation(path: str | None = None, plugin_folders: Sequence[Path] = PLUGIN_FOLDERS) -> Installation:
    """Look for the programs as Debian ships them.

    Args:
        path: Where to look, like ``PATH``; by default that, and the folders of system programs.
        plugin_folders: Where the plug-in may be.

    Raises:
        OrthancMissingError: One of them is not there; the message names the packages.
    """
    found = {name: _program(name, path) for name in ("Orthanc", "nginx")}
    found[PLUGIN_NAME] = next((f / PLUGIN_NAME for f in plugin_folders if (f / PLUGIN_NAME).exists()), None)
    missing = ", ".join(name for name, place in found.items() if place is None)
    archive, plugin, server = found["Orthanc"], found[PLUGIN_NAME], found["nginx"]
    if archive is None or plugin is None or server is None:
        raise OrthancMissingError(
            f"not installed: {missing}; on Debian run: sudo apt-get install --no-install-recommends {PACKAGES}"
        )
    names = (INDEX_PLUGIN_NAME, WORKLIST_PLUGIN_NAME)
    index, worklists = (next((f / name for f in plugin_folders if (f / name).exists()), None) for name in names)
    return Installation(archive, plugin, server, index, worklists)


def _program(name: str, path: str | None) -> Path | None:
    place = shutil.which(name, path=path) or (shutil.which(name, path=_SYSTEM_PATH) if path is None else None)
    return None if place is None else Path(place)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the archive is reached.

    Attributes:
        names: Host names and addresses in its certificate; the first is what links and enrolment files say.
        port: TCP port of HTTPS.
        inner_port: TCP port between nginx and Orthanc, on this machine only.
        local: Whether only this machine may connect.
    """

    names: tuple[str, ...]
    port: int
    inner_port: int
    local: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """The readers' pages beside the archive.

    Attributes:
        port: TCP port of HTTPS.
        database: SQLAlchemy's address of their store.
        options: Further arguments of ``python -m clinic.web``.
    """

    port: int
    database: str = field(repr=False)
    options: tuple[str, ...] = ()


class Archive:
    """A clinic's archive: Orthanc, and nginx before it; with the readers' pages where they are wanted.

    Args:
        installation: Where the programs are.
        state: Keys, passwords and the database.
        clinic: Name of the clinic.
        address: Where it shall be reached.
        pages: The readers' pages; ``None`` for an archive alone.
        index: ``postgresql://...`` of the archive's index; empty for SQLite.
        worklists: A DICOM port for worklist queries; ``None`` for none.
    """

    def __init__(
        self,
        installation: Installation,
        state: ClinicState,
        clinic: str,
        address: Address,
        pages: Pages | None = None,
        index: str = "",
        worklists: orthanc.Worklists | None = None,
    ) -> None:
        self._worklists = worklists
        self._pages = pages
        self._index = index
        self._installation = installation
        self._state = state
        self._clinic = clinic
        self._address = address
        self._processes: list[subprocess.Popen[bytes]] = []
        self._logs: dict[int, Path] = {}

    def start(self) -> None:
        """Write the settings, start both programs and wait until they answer.

        Raises:
            ArchiveStartError: A port is taken, or a program ended or did not answer within three minutes; the message
                holds the last lines of its log.
        """
        place, found, folder = self._address, self._installation, self._state.folder
        plugins = [found.plugin]
        if self._index:
            if found.index is None:
                raise OrthancMissingError(f"not installed: {INDEX_PLUGIN_NAME}; on Debian it is in orthanc-postgresql")
            plugins.append(found.index)
        worklist_port = 0
        if self._worklists is not None:
            if found.worklists is None:
                raise OrthancMissingError(f"not installed: {WORKLIST_PLUGIN_NAME}; on Debian it is in orthanc")
            plugins.append(found.worklists)
            self._worklists.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            worklist_port = self._worklists.port
        public_pages = 0 if self._pages is None else self._pages.port
        for port in filter(None, (place.port, place.inner_port, public_pages, worklist_port)):
            if _answers(port):
                raise ArchiveStartError(f"port {port} is in use; stop the other program or choose other ports")
        self._state.server(self._clinic, place.names)
        self._state.keep_gateway_users()
        password = secrets.token_urlsafe(24)  # of the gate at the archive, new at every start
        settings = folder / "orthanc.json"
        public = f"{place.names[0]}:{place.port}"
        people = {InnerArchive.USER: password, PAGES_USER: secrets.token_urlsafe(24)} | self._state.people()
        inner = orthanc.configuration(
            self._clinic, plugins, self._state.database, people, place.inner_port, public, self._index, self._worklists
        )
        write_private(settings, json.dumps(inner, indent=2).encode())
        try:
            self._start_one([str(found.orthanc), str(settings)], place.inner_port, folder / "orthanc.log")
            gate_port = self._start_gate(password)
            pages_port = self._start_pages(gate_port, people[PAGES_USER])
            ports = gateway.Ports(place.port, place.inner_port, gate_port, public_pages, pages_port)
            outer = gateway.configuration(
                folder, folder / "server.crt", folder / "server.key", ports, local=place.local
            )
            write_private(folder / "nginx.conf", outer.encode())
            command = [str(found.nginx), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
            self._start_one(command, place.port, folder / "nginx.log")
        except BaseException:
            self.stop()
            raise

    def wait(self) -> str:
        """Wait until one of the programs ends by itself.

        Returns:
            Which one, its exit status, and what it said last.
        """
        while True:
            for process in self._processes:
                if process.poll() is not None:
                    program = process.args[0]  # type: ignore[index]  # all of ours are started with a list
                    said = f"{Path(str(program)).name} ended by itself (status {process.returncode})"
                    log = self._logs[process.pid]
                    return f"{said}; {log} ends with: {_last_words(log)}"
            time.sleep(0.5)

    def stop(self) -> None:
        """End both, and wait until the ports are free (Orthanc takes some seconds to close its database)."""
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            try:
                process.wait(_STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def _start_gate(self, password: str) -> int:
        """Start ``clinic.gateway.gate`` on a port of the system's choice; its open socket is handed over."""
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
            port = int(listening.getsockname()[1])
            environment = {
                **os.environ,
                "MAMMASCOPE_CLINIC_STATE": str(self._state.folder.absolute()),
                "MAMMASCOPE_ARCHIVE_PORT": str(self._address.inner_port),
                "MAMMASCOPE_ARCHIVE_PASSWORD": password,
            }
            bound = ["--bind", f"fd://{listening.fileno()}", "--pythonpath", str(Path(__file__).resolve().parents[1])]
            work = ["--worker-class", "gthread", "--threads", str(gateway.CONNECTIONS_A_CLIENT), "--timeout", "600"]
            said = ["--log-level", "warning", "--graceful-timeout", "5"]
            command = [
                sys.executable,
                "-P",
                "-m",
                "gunicorn",
                *bound,
                *work,
                *said,
                "clinic.gateway.gate:application()",
            ]
            self._start_one(command, port, self._state.folder / "gate.log", environment, (listening.fileno(),))
        return port

    def _start_pages(self, gate_port: int, password: str) -> int:
        """Start ``clinic.web``, where it is wanted; its port."""
        if self._pages is None:
            return 0
        folder, place = self._state.folder.absolute(), self._address
        self._state.verdict_key()
        access = folder / PAGES_ACCESS_FILE
        write_private(access, tomli_w.dumps({"user": PAGES_USER, "password": password}).encode())
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
            port = int(listening.getsockname()[1])
            archive = ["--archive", f"http://127.0.0.1:{place.inner_port}/dicom-web", "--archive-access", str(access)]
            doors = ["--doors", f"http://127.0.0.1:{gate_port}/dicom-web"]
            hosts = [word for name in place.names for word in ("--host", name)]
            command = [sys.executable, "-P", "-m", "clinic.web", "--state", str(folder), "--name", self._clinic]
            command += [*archive, *doors, *hosts, "--proxies", "1", "--no-invitation", *self._pages.options]
            command += ["--bind", f"fd://{listening.fileno()}"]
            root = str(Path(__file__).resolve().parents[1])
            environment = {**os.environ, "PYTHONPATH": root, "MAMMASCOPE_DATABASE": self._pages.database}
            self._start_one(command, port, folder / "pages.log", environment, (listening.fileno(),))
        return port

    def _start_one(
        self,
        command: list[str],
        port: int,
        log: Path,
        environment: Mapping[str, str] | None = None,
        handles: Sequence[int] = (),
    ) -> None:
        with log.open("ab") as output:
            # A session of its own: Ctrl-C in the terminal must not reach it beside our own, orderly, request to end.
            process = subprocess.Popen(  # noqa: S603 - the program was looked up, nothing comes from a user
                command,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=environment,
                pass_fds=handles,
            )
        self._processes.append(process)
        self._logs[process.pid] = log
        limit = time.monotonic() + _START_LIMIT_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > limit:
                raise ArchiveStartError(f"{Path(command[0]).name} did not start: {_last_words(log)}")
            time.sleep(0.05)


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return " / ".join(lines[-3:]) or "it said nothing"


def _answers(port: int) -> bool:
    """Whether something on this machine accepts connections on the port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0):
            return True
    except OSError:
        return False
