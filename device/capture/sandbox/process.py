# SPDX-License-Identifier: Apache-2.0
"""One worker process seen from outside: started, asked, waited for, and killed.

Used by ``reader.py`` for decoders and by ``device.capture.sources.process_source`` for camera drivers.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from device.capture.sandbox.wire import MAX_HEAD, PREFIX, Head, WireError, unpack_head
from device.errors import DamagedFileError, DecodeTimeoutError, FrameError, FrameTooLargeError

WORKER: Final = (sys.executable, "-P", "-m", "device.capture.sandbox.worker")
"""How the worker is started; ``-P`` keeps modules that lie in the current folder, maybe a stick, out of it."""

_REAP_S: Final = 0.5  # for one that was killed: how it ended does not matter
_END_S: Final = 10.0  # for one that is ending: how it ended is the user's answer, and a busy machine takes its time
_SOURCES: Final = str(Path(__file__).resolve().parents[3])
_TIME_SIGNALS: Final = frozenset({signal.SIGALRM, signal.SIGXCPU})


def worker_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of a worker: what it inherits, where Python finds our sources, and one thread.

    Threads of the numerical libraries cost address space and are not used in workers.
    """
    found = os.pathsep.join(part for part in (_SOURCES, os.environ.get("PYTHONPATH", "")) if part)
    quiet = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MALLOC_ARENA_MAX", "PYTHONDONTWRITEBYTECODE")
    return {**inherited, **dict.fromkeys(quiet, "1"), "PYTHONPATH": found}


class WorkerEndedError(Exception):
    """The worker ended instead of answering; ``cause`` is what to tell the user."""

    def __init__(self, cause: FrameError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Worker:
    """One worker process and the pipes to it. One thread asks it at a time; any thread may kill it meanwhile.

    Attributes:
        fresh: ``True`` until it has answered; a fresh one gets time to load.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start it.

        Args:
            command: Program and arguments.
            environment: What of the environment it gets besides what Python needs; by default the app's own.
        """
        self.fresh = True
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=worker_environment(os.environ if environment is None else environment),
            start_new_session=True,
        )
        assert self._process.stdout is not None  # noqa: S101 - for the type checker, it was asked for
        self._answers = self._process.stdout.fileno()
        os.set_blocking(self._answers, False)
        self._asking = threading.Lock()  # held while the pipes are used: their numbers are given to others once closed
        self._over = False

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def ask(self, request: Head, path: Path, timeout_s: float, most: int = 0) -> tuple[Head, bytearray]:
        """Send a request about the file at ``path`` and wait for its answer, of at most ``most`` bytes of pixels.

        Raises:
            DecodeTimeoutError: No whole answer in time; the worker is killed.
            WorkerEndedError: It ended; the cause is told by how.
        """
        try:
            with self._asking:
                return self._ask(request, path, timeout_s, most)
        finally:
            if self._over:
                self._close_pipes()

    def _ask(self, request: Head, path: Path, timeout_s: float, most: int) -> tuple[Head, bytearray]:
        deadline = time.monotonic() + timeout_s
        try:
            if self._over:
                raise EOFError
            self._send(json.dumps(request).encode("ascii") + b"\n")
            head_length, payload_length = PREFIX.unpack(self._receive(PREFIX.size, deadline))
            if head_length > MAX_HEAD:
                raise WireError("the answer's head is too long")
            head = unpack_head(self._receive(head_length, deadline))
            if payload_length > most:
                raise WireError("the answer is too long")
            return head, self._receive(payload_length, deadline)
        except TimeoutError as error:
            self._end()
            raise DecodeTimeoutError(path, f"after {timeout_s:.0f} s") from error
        except WireError as error:
            self._end()
            raise WorkerEndedError(DamagedFileError(path, str(error))) from error
        except (EOFError, OSError) as error:
            raise WorkerEndedError(self._cause(path)) from error

    def kill(self) -> None:
        """End the process, whatever it does; one that the kernel cannot end now (a pulled stick) is left behind."""
        self._end()
        self._close_pipes()

    def _end(self) -> None:
        self._over = True
        if self._process.returncode is None:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_REAP_S)

    def _close_pipes(self) -> None:
        """Close them unless a request is under way: that one sees the end of the answers, and closes them then."""
        if not self._asking.acquire(blocking=False):
            return
        try:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        finally:
            self._asking.release()

    def _send(self, line: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 - for the type checker, it was asked for
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def _receive(self, count: int, deadline: float) -> bytearray:
        buffer = bytearray(count)
        view, got = memoryview(buffer), 0
        waiter = select.poll()
        waiter.register(self._answers, select.POLLIN)
        while got < count:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not waiter.poll(remaining * 1000):
                raise TimeoutError
            try:
                step = os.readv(self._answers, [view[got:]])
            except BlockingIOError:
                continue
            if step == 0:
                raise EOFError
            got += step
        return buffer

    def _cause(self, path: Path) -> FrameError:
        """What the way in which the process ended says about the file."""
        if self._over:
            return DamagedFileError(path, "the decoder was stopped")
        try:
            status = self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            status = 0
        self._end()
        if status >= 0:
            return DamagedFileError(path, f"the decoder ended ({status})")
        if -status in _TIME_SIGNALS:
            return DecodeTimeoutError(path)
        if -status == signal.SIGKILL:  # only the kernel does that to it, and only for memory
            return FrameTooLargeError(path, "not enough memory")
        return DamagedFileError(path, f"the decoder crashed ({signal.Signals(-status).name})")
