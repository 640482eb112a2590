# SPDX-License-Identifier: Apache-2.0
"""The clinic's own nginx with its own settings, offering an update; no archive behind it."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clinic.gateway.nginx import USERS_FILE, Ports, configuration, users_file
from clinic.state import ClinicState
from device.site.access import ClinicAccess
from device.upload.destination import Destination
from tests.patience import PATIENT_S
from tests.ports import free_port


class UpdateServer:
    """A clinic that handhelds can ask for updates.

    Attributes:
        state: What it offers goes in here.
        where: What an enrolled device knows of it.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.state = ClinicState(folder)
        self.port = port
        self.state.server("Test clinic", ["localhost"])
        known = {"user": "device-one", "password": self.state.add_device("one")}
        authority = self.state.authority("Test clinic").certificate.decode()
        self.where = self.seen_by(ClinicAccess.model_validate({"authority": authority, **known}))

    def seen_by(self, access: ClinicAccess) -> Destination:
        """What a device with this access knows of it."""
        return Destination(f"https://localhost:{self.port}/dicom-web", access)


@contextlib.contextmanager
def update_server(folder: Path) -> Iterator[UpdateServer]:
    """Run one; skips by name where nginx is not installed."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("not installed: nginx")
    made = UpdateServer(folder, free_port())
    settings = configuration(folder, folder / "server.crt", folder / "server.key", Ports(made.port, 9, 9), local=True)
    (folder / "nginx.conf").write_text(settings)
    (folder / USERS_FILE).write_text(users_file(made.state.users()))
    process = subprocess.Popen([nginx, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        _wait_for(made.port, process)
        yield made
    finally:
        process.terminate()
        process.wait(PATIENT_S)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENT_S
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
            return
        assert process.poll() is None, "nginx has ended"
        assert time.monotonic() < until, "nginx does not answer"
        time.sleep(0.02)
