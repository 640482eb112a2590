# SPDX-License-Identifier: Apache-2.0
"""Running a part of a test in a forked process that may die at any moment, and hearing what it says."""

from __future__ import annotations

import json
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from typing import Any

Line = dict[str, Any]

_pipe: int = -1


def send(line: Line) -> None:
    """Tell the test something, from inside the process."""
    data = json.dumps(line).encode() + b"\n"
    while data:
        data = data[os.write(_pipe, data) :]


def in_own_process(generate: Callable[[], Iterator[Line]]) -> list[Line]:
    """Fork, run, and collect what was sent and yielded; an exception becomes a line ``failed`` with its traceback.

    Whatever happens, the process is dead afterwards.
    """
    global _pipe
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _pipe = writer
        try:
            for line in generate():
                send(line)
        except BaseException:
            send({"what": "failed", "error": traceback.format_exc(limit=-4)})
            raise
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        lines = [json.loads(line) for line in stream]
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return lines
