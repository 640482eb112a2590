# SPDX-License-Identifier: Apache-2.0
"""Comparing what an archive gave back with what was sent, in a process of its own.

An archive that is broken, or taken over, may answer with anything: a file whose decoder crashes, or that grows to
gigabytes. So the app itself parses and decodes nothing of it. The worker gets both files through its standard input, as
they come, may use so much memory and time and no more, and answers with one line; however it ends, the app goes on, and
what could not be compared counts as different.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterable
from typing import Final

from device.capture.sandbox.process import worker_environment
from device.records.pieces import Pieces
from device.structured import StructureError, parse_json

WORKER: Final = (sys.executable, "-P", "-m", "device.upload.comparison_worker")
"""How the worker is started; ``-P`` keeps modules that lie in the current folder out of it."""

PATIENCE_S: Final = 180.0
_MOST_ANSWER: Final = 8192
_PART: Final = re.compile(r"[A-Za-z0-9 (),_.-]{1,80}")


def differences(sent: Pieces, stored: Iterable[bytes], most: int) -> list[str]:
    """Keywords or tags of what was sent and is not there unchanged; empty when the content is the same.

    Args:
        sent: The DICOM file that was sent.
        stored: What the archive gives back; what it fails with is raised. It is read to its end in any case.
        most: Bytes that ``stored`` may have.
    """
    with subprocess.Popen(  # noqa: S603 - our own module, no shell
        WORKER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=worker_environment({"PATH": os.environ.get("PATH", "")}),
        start_new_session=True,
    ) as worker:
        try:
            _feed(worker, (b"%d %d\n" % (sent.size, most),), sent)
            _feed(worker, stored)
            if worker.stdin is not None:
                worker.stdin.close()
                worker.stdin = None
            answer, _ = worker.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            return ["not comparable (too slow)"]
        finally:
            worker.kill()
    if worker.returncode < 0:
        return [f"not comparable ({signal.Signals(-worker.returncode).name})"]
    return _named(answer)


def _feed(worker: subprocess.Popen[bytes], *contents: Iterable[bytes]) -> None:
    """Give the worker more to read, which it does until it begins to compare; one that has ended gets nothing.

    Raises:
        subprocess.TimeoutExpired: It takes nothing.
    """
    pipe = worker.stdin
    for content in contents:
        for piece in content:
            if pipe is None or pipe.closed:
                continue  # a connection with unread bytes could not be used again
            rest = memoryview(piece)
            while rest:
                if not select.select((), (pipe,), (), PATIENCE_S)[1]:
                    raise subprocess.TimeoutExpired(WORKER, PATIENCE_S)
                try:
                    # The kernel calls a pipe ready when it takes this much at once (pipe(7): PIPE_BUF).
                    rest = rest[os.write(pipe.fileno(), rest[: select.PIPE_BUF]) :]
                except BrokenPipeError:
                    pipe.close()
                    break


def _named(answer: bytes) -> list[str]:
    """The worker's answer, which may be anything once a decoder was fooled."""
    try:
        parts = parse_json(answer[:_MOST_ANSWER])
    except StructureError:
        return ["not comparable (no answer)"]
    if not isinstance(parts, list) or not all(isinstance(part, str) and _PART.fullmatch(part) for part in parts):
        return ["not comparable (no answer)"]
    return parts
