"""The programs that a clinic's archive is made of, found on this machine, started together and stopped together."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clinic import gateway, orthanc
from clinic.errors import ArchiveStartError, OrthancMissingError
from clinic.state import ClinicState, write_private

PACKAGES = "orthanc orthanc-dicomweb nginx"
PLUGIN_NAME = "libOrthancDicomWeb.so"
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
    """

    orthanc: Path
    plugin: Path
    nginx: Path


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
    return Installation(archive, plugin, server)


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


class Archive:
    """A clinic's archive: Orthanc, and nginx before it.

    Args:
        installation: Where the programs are.
        state: Keys, passwords and the database.
        clinic: Name of the clinic.
        address: Where it shall be reached.
    """

    def __init__(self, installation: Installation, state: ClinicState, clinic: str, address: Address) -> None:
        self._installation = installation
        self._state = state
        self._clinic = clinic
        self._address = address
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Write the settings, start both programs and wait until they answer.

        Raises:
            ArchiveStartError: A port is taken, or a program ended or did not answer within three minutes; the message
                holds the last lines of its log.
        """
        place, found, folder = self._address, self._installation, self._state.folder
        for port in (place.port, place.inner_port):
            if _answers(port):
                raise ArchiveStartError(f"port {port} is in use; stop the other program or choose other ports")
        self._state.server(self._clinic, place.names)
        settings = folder / "orthanc.json"
        public = f"{place.names[0]}:{place.port}"
        inner = orthanc.configuration(
            self._clinic, found.plugin, self._state.database, self._state.users(), place.inner_port, public
        )
        write_private(settings, json.dumps(inner, indent=2).encode())
        outer = gateway.configuration(
            folder, folder / "server.crt", folder / "server.key", place.port, place.inner_port, local=place.local
        )
        write_private(folder / "nginx.conf", outer.encode())
        write_private(folder / gateway.USERS_FILE, gateway.users_file(self._state.users()).encode())
        try:
            self._start_one([str(found.orthanc), str(settings)], place.inner_port, folder / "orthanc.log")
            command = [str(found.nginx), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
            self._start_one(command, place.port, folder / "nginx.log")
        except BaseException:
            self.stop()
            raise

    def wait(self) -> str:
        """Wait until one of the programs ends by itself.

        Returns:
            Which one, and its exit status.
        """
        while True:
            for process in self._processes:
                if process.poll() is not None:
                    program = process.args[0]  # type: ignore[index]  # all of ours are started with a list
                    return f"{Path(str(program)).name} ended by itself (status {process.returncode})"
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

    def _start_one(self, command: list[str], port: int, log: Path) -> None:
        with log.open("ab") as output:
            # A session of its own: Ctrl-C in the terminal must not reach it beside our own, orderly, request to end.
            process = subprocess.Popen(  # noqa: S603 - the program was looked up, nothing comes from a user
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True
            )
        self._processes.append(process)
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
