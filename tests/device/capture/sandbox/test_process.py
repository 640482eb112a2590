# SPDX-License-Identifier: Apache-2.0
"""A worker that is killed while another thread asks it: no thread reads from a pipe that is now another process's."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from device.capture.sandbox.process import Worker, WorkerEndedError
from tests.patience import PATIENT_S

SILENT = (sys.executable, "-c", "import time; time.sleep(1e6)")


class Asker:
    """A thread that asks a worker, and stops between being woken and reading until it may go on."""

    def __init__(self, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        self.woken, self.go_on = threading.Event(), threading.Event()
        self.error: BaseException | None = None
        self._worker, self._read = worker, os.readv
        monkeypatch.setattr(os, "readv", self._read_later)
        self.thread = threading.Thread(target=self._ask)
        self.thread.start()

    def _read_later(self, handle: int, buffers: list[memoryview]) -> int:
        self.woken.set()
        self.go_on.wait()
        return self._read(handle, buffers)

    def _ask(self) -> None:
        try:
            self._worker.ask({"op": "next"}, Path("camera"), PATIENT_S)
        except WorkerEndedError as error:
            self.error = error


def test_pipes_are_closed_only_when_nobody_reads_from_them(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(SILENT)
    pipe = os.fstat(worker._answers).st_ino
    asker = Asker(worker, monkeypatch)
    worker.kill()
    asker.woken.wait()
    others = [os.pipe() for _ in range(4)]  # would get the numbers of the worker's pipes
    assert os.fstat(worker._answers).st_ino == pipe
    asker.go_on.set()
    asker.thread.join()
    assert isinstance(asker.error, WorkerEndedError)
    assert worker._process.stdout is not None
    assert worker._process.stdout.closed
    for handle in (handle for pair in others for handle in pair):
        os.close(handle)


def test_killing_is_done_once_and_a_dead_worker_says_so() -> None:
    worker = Worker(SILENT)
    worker.kill()
    worker.kill()
    assert not worker.alive
    with pytest.raises(WorkerEndedError, match="stopped"):
        worker.ask({"op": "next"}, Path("camera"), PATIENT_S)
