# SPDX-License-Identifier: Apache-2.0
"""The web application's side of the predicting process: asks, waits no longer than a limit, and kills what hangs."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from clinic.errors import ClinicError

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 120.0
"""For one request, the start of the process and the loading of the model included."""

_LARGEST_ANSWER: Final = 512 << 20
_PIECE: Final = 1 << 20
_SOURCES: Final = str(Path(__file__).resolve().parents[2])


class PredictionError(ClinicError):
    """The file could not be read, or nothing can be said of it; ``code`` is that of the handheld's error.

    Attributes:
        code: Stable key of the cause, ``errors.<code>`` of the handheld, or ``predictor-ended``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Predictor:
    """A process that predicts, started when it is first needed and again after it ended; one request at a time.

    Args:
        models: Folder of bundles, or one bundle.
    """

    def __init__(self, models: Path) -> None:
        self._command = [sys.executable, "-P", "-m", "clinic.predict.process", str(models)]
        self._process: subprocess.Popen[bytes] | None = None
        self._asking = threading.Lock()

    def ask(self, content: bytes, request: dict[str, Any]) -> dict[str, Any]:
        """Have a file looked at.

        Args:
            content: The file; it lies on the disk only while it is looked at, where no other user can read it.
            request: ``op`` and what belongs to it, see ``clinic.predict.process``.

        Raises:
            PredictionError: It cannot be read, or the process ended or took too long.
        """
        with self._asking, _lying(content) as path:
            answer = self._exchange({**request, "path": str(path)})
        if "error" in answer:
            raise PredictionError(str(answer["error"]))
        return answer

    def close(self) -> None:
        """End the process."""
        with self._asking:
            self._end()

    def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        process = self._running()
        deadline = time.monotonic() + TIMEOUT_S
        try:
            assert process.stdin is not None  # noqa: S101 - for the type checker, it was asked for
            process.stdin.write(json.dumps(request).encode("ascii") + b"\n")
            process.stdin.flush()
            answer = json.loads(self._line(process, deadline))
        except (OSError, EOFError, ValueError) as error:
            log.error("the predicting process ended: %s", type(error).__name__)
            self._end()
            raise PredictionError("predictor-ended") from None
        if not isinstance(answer, dict):
            self._end()
            raise PredictionError("predictor-ended")
        return answer

    def _line(self, process: subprocess.Popen[bytes], deadline: float) -> bytes:
        assert process.stdout is not None  # noqa: S101 - for the type checker, it was asked for
        handle, pieces, total = process.stdout.fileno(), [], 0
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([handle], [], [], left)[0]:
                raise EOFError
            piece = os.read(handle, _PIECE)
            total += len(piece)
            if not piece or total > _LARGEST_ANSWER:
                raise EOFError
            pieces.append(piece)
            if piece.endswith(b"\n"):
                return b"".join(pieces)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            found = os.pathsep.join(part for part in (_SOURCES, os.environ.get("PYTHONPATH", "")) if part)
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": found},
                start_new_session=True,
            )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


@contextlib.contextmanager
def _lying(content: bytes) -> Iterator[Path]:
    """The file in a folder of its own, readable by this user only, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mammascope-upload-") as folder:
        path = Path(folder) / "upload"
        path.write_bytes(content)
        path.chmod(0o600)
        yield path
