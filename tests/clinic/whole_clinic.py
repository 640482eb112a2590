# SPDX-License-Identifier: Apache-2.0
"""A whole clinic on this machine as ``./clinic/run`` starts it, and handhelds that it has enrolled."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Self

from sqlalchemy import select

from clinic.store.database import Store
from clinic.store.schema import Exam
from device.site.access import access_from
from device.upload.destination import Destination
from tests.patience import PATIENT_S
from tests.ports import free_port


class Running:
    """``./clinic/run`` on this machine, and a handheld that it has enrolled.

    Args:
        checkout: Where the program is.
        folder: Its state.
        options: Further arguments of its start.
    """

    def __init__(self, checkout: Path, folder: Path, *options: str) -> None:
        self._options = options
        self.folder = folder
        self.ports = [free_port() for _ in range(3)]
        self._words = [sys.executable, "-m", "clinic", "--state", str(folder), "--host", "localhost"]
        self._words += ["--port", str(self.ports[0])]
        self._checkout = checkout

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.stop() == 0

    def start(self) -> None:
        inner = ["--inner-port", str(self.ports[1]), "--pages-port", str(self.ports[2]), "--local"]
        self.process = subprocess.Popen(
            [*self._words, *inner, *self._options],
            cwd=self._checkout,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("Stop it"):
                return
        raise AssertionError("".join(self.said))

    def upgrade(self, checkout: Path) -> None:
        """Stop it, and start another version over the same folder, at the same ports."""
        assert self.stop() == 0
        self._checkout = checkout
        self.start()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENT_S)

    def enrol(self, name: str) -> Destination:
        command = [*self._words, "--add-device", name]
        subprocess.run(command, cwd=self._checkout, check=True, capture_output=True, timeout=PATIENT_S)
        found = tomllib.loads((self.folder / "enrolment" / f"{name}.toml").read_text())["clinic"]
        url = found.pop("url")
        return Destination(url, access_from(found, name))

    @property
    def authority(self) -> str:
        return str(self.folder / "authority.crt")


def indexed(store: Store, study_uid: str) -> str:
    """The exam's opaque id, once the pages have read all of it from the archive: at first its report may be missing."""
    until = time.monotonic() + PATIENT_S
    while time.monotonic() < until:
        with store.read() as session:
            whole = select(Exam.id).where(Exam.study_uid == study_uid, Exam.problem.is_(None))
            found = session.scalars(whole).one_or_none()
        if found is not None:
            return found
        time.sleep(0.2)
    raise AssertionError("the pages never saw the exam")
